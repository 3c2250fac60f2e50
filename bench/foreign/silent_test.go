package foreign

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAProviderThatNeverListensIsEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "provider.mjs"), []byte("console.log('hello'); setInterval(() => {}, 1000);\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := start(t.Context(), dir, 100*time.Millisecond)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrStart) && !errors.Is(err, errSilent) {
		t.Skip(err) // no Node
	}
	if !errors.Is(err, ErrStart) {
		t.Errorf("error %v, want ErrStart", err)
	}
}
