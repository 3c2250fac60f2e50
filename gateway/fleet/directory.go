package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

const (
	filePerm = 0o600
	dirPerm  = 0o700

	lockName     = "lock"
	positionName = "position"

	// The position's file, little-endian: 0 magic (8) · 8 id of the secret (8) · 16 epoch (32) · 48 generation (16)
	// 64 id of the entry (8, 8) · 80 seq (8) · 88 CRC-32C of all before (4).
	positionMagic = "VNEIDPO1"
	positionBytes = 92
	epochBytes    = 32
)

// directory is where a node keeps its position and its outbox.
type directory struct {
	path string
	lock *os.File
}

// openDirectory makes the directory where it is missing and takes it for this process.
func openDirectory(path string) (directory, error) {
	if err := os.Mkdir(path, dirPerm); err != nil && !errors.Is(err, os.ErrExist) {
		return directory{}, fmt.Errorf("fleet: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, filePerm)
	if err != nil {
		return directory{}, fmt.Errorf("fleet: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return directory{}, ErrLocked
		}
		return directory{}, fmt.Errorf("fleet: lock: %w", err)
	}
	return directory{path, f}, nil
}

func (d directory) file(name string) string { return filepath.Join(d.path, name) }

// close gives the directory free: at once, even where a process that is just being started has the file, too, until it
// runs its program.
func (d directory) close() {
	_ = unix.Flock(int(d.lock.Fd()), unix.LOCK_UN) // Where it fails, Close does it.
	d.lock.Close()
}

// sync makes durable which names there are.
func (d directory) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.EINVAL) {
		return nil // A file system that knows no such thing.
	}
	return err
}

// position reads the position. What is missing, damaged or of another secret is none: the node then reads and offers
// everything, which is always right.
func (d directory) position(secret [8]byte) (p position, damaged bool) {
	b, err := os.ReadFile(d.file(positionName))
	if errors.Is(err, os.ErrNotExist) {
		return p, false
	}
	if err != nil || len(b) != positionBytes || string(b[:8]) != positionMagic ||
		binary.LittleEndian.Uint32(b[88:]) != crc32.Checksum(b[:88], castagnoli) || [8]byte(b[8:16]) != secret {
		return p, true
	}
	p.epoch = string(b[16 : 16+epochBytes])
	copy(p.life[:], b[48:])
	p.at.id.ms = binary.LittleEndian.Uint64(b[64:])
	p.at.id.n = binary.LittleEndian.Uint64(b[72:])
	p.at.seq = binary.LittleEndian.Uint64(b[80:])
	return p, false
}

// setPosition replaces the position at once. It need not outlast a loss of power: an older one does no harm.
func (d directory) setPosition(secret [8]byte, p position) error {
	if len(p.epoch) != epochBytes {
		return fmt.Errorf("%w: epoch", ErrPosition)
	}
	b := make([]byte, 0, positionBytes)
	b = append(b, positionMagic...)
	b = append(b, secret[:]...)
	b = append(b, p.epoch...)
	b = append(b, p.life[:]...)
	b = binary.LittleEndian.AppendUint64(b, p.at.id.ms)
	b = binary.LittleEndian.AppendUint64(b, p.at.id.n)
	b = binary.LittleEndian.AppendUint64(b, p.at.seq)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	err := renameio.WriteFile(d.file(positionName), b, filePerm, renameio.WithTempDir(d.path), renameio.WithStaticPermissions(filePerm))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPosition, err)
	}
	return nil
}

// forgetPosition makes the next session read and offer everything. It is durable.
func (d directory) forgetPosition() error {
	if err := os.Remove(d.file(positionName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrPosition, err)
	}
	return d.sync()
}
