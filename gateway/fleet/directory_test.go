package fleet

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestADirectoryIsFreeOnceItIsClosedWhoeverHasTheFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := openDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	// As a process has it between its start and its program.
	other, err := unix.Dup(int(d.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(other) })
	_, err = openDirectory(path)
	wantError(t, err, ErrLocked)
	d.close()
	again, err := openDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	again.close()
}
