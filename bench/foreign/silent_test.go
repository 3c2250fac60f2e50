package foreign

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestAProviderThatNeverListensIsEnded(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "provider.mjs"), []byte("console.log('hello'); setInterval(() => {}, 1000);\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := start(t.Context(), dir, 100*time.Millisecond)
	if !errors.Is(err, ErrStart) || !errors.Is(err, errSilent) {
		t.Errorf("error %v, want that it is silent", err)
	}
}
