package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestANewThatFailsLeavesNothingBehind(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := buildRig(t, setup{admin: "token_file: " + secret})
	r.close()
	cfg := r.config(setup{admin: "token_file: " + secret})
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	if _, err := New(Options{Config: cfg, Log: r.log.logger}); err == nil || !strings.Contains(err.Error(), "admin.token_file") {
		t.Errorf("got %v", err)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
