package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// files is what the journal needs of a directory. The tests have one that fails.
type files interface {
	// create opens a file for writing, empty, mode 0600.
	create(name string) (file, error)
	open(name string) (io.ReadCloser, error)
	list() ([]os.DirEntry, error)
	rename(from, to string) error
	remove(name string) error
	truncate(name string, size int64) error
	// sync makes durable which names there are.
	sync() error
}

type file interface {
	io.WriteCloser
	Sync() error
}

const (
	filePerm = 0o600
	dirPerm  = 0o700

	lockName     = "lock"
	secretName   = "secret"
	logExt       = ".log"
	snapshotExt  = ".snapshot"
	unfinished   = ".unfinished"
	numberDigits = 20
)

func (id identity) name() string {
	ext := logExt
	if id.kind == snapshotFile {
		ext = snapshotExt
	}
	return fmt.Sprintf("%0*d%s", numberDigits, id.number, ext)
}

// directory is files on the real thing.
type directory string

func (d directory) path(name string) string { return filepath.Join(string(d), name) }

func (d directory) create(name string) (file, error) {
	return os.OpenFile(d.path(name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, filePerm)
}

func (d directory) open(name string) (io.ReadCloser, error) { return os.Open(d.path(name)) }
func (d directory) list() ([]os.DirEntry, error)            { return os.ReadDir(string(d)) }
func (d directory) rename(from, to string) error            { return os.Rename(d.path(from), d.path(to)) }
func (d directory) remove(name string) error                { return os.Remove(d.path(name)) }

func (d directory) truncate(name string, size int64) error {
	f, err := os.OpenFile(d.path(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(size), f.Sync())
}

func (d directory) sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// lock takes the directory for this process, until the file is closed or the process ends.
func (d directory) lock() (io.Closer, error) {
	f, err := os.OpenFile(d.path(lockName), os.O_CREATE|os.O_RDWR, filePerm)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("journal: lock: %w", err)
	}
	return lockFile{f}, nil
}

// lockFile is a file with a lock on it.
type lockFile struct{ *os.File }

// Close gives the directory free: at once, even where a process that is just being started has the file, too, until it
// runs its program.
func (f lockFile) Close() error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.File.Close())
}

// inventory is the numbers of what is in a directory, ascending.
type inventory struct {
	logs, snapshots []uint64
	logBytes        map[uint64]int64
	leftovers       []string // Files that were never finished.
}

func takeInventory(fs files) (inv inventory, err error) {
	entries, err := fs.list()
	if err != nil {
		return inv, fmt.Errorf("journal: %w", err)
	}
	inv.logBytes = make(map[uint64]int64)
	for _, e := range entries {
		stem, ext := e.Name(), filepath.Ext(e.Name())
		stem = strings.TrimSuffix(stem, ext)
		if ext == unfinished {
			inv.leftovers = append(inv.leftovers, e.Name())
			continue
		}
		n, err := strconv.ParseUint(stem, 10, 64)
		if err != nil || len(stem) != numberDigits {
			continue // Not ours.
		}
		switch ext {
		case logExt:
			inv.logs = append(inv.logs, n)
			if info, err := e.Info(); err == nil {
				inv.logBytes[n] = info.Size()
			}
		case snapshotExt:
			inv.snapshots = append(inv.snapshots, n)
		}
	}
	slices.Sort(inv.logs)
	slices.Sort(inv.snapshots)
	return inv, nil
}

// writeWhole puts a file in place at once: it is there in full, durably, or not at all.
func writeWhole(fs files, name string, write func(io.Writer) error) error {
	temporary := name + unfinished
	f, err := fs.create(temporary)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = fs.rename(temporary, name)
	}
	if err != nil {
		_ = fs.remove(temporary) // If it stays, the next start removes it.
		return err
	}
	return fs.sync()
}
