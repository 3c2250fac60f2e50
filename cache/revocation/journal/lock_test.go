package journal

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestADirectoryIsFreeOnceItIsClosedWhoeverHasTheFile(t *testing.T) {
	t.Parallel()
	d := directory(t.TempDir())
	lock, err := d.lock()
	if err != nil {
		t.Fatal(err)
	}
	// As a process has it between its start and its program.
	other, err := unix.Dup(int(lock.(lockFile).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(other) })
	_, err = d.lock()
	wantError(t, err, ErrLocked)
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := d.lock()
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
