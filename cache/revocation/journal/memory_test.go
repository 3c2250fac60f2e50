package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"
)

// memory is a directory that can fail and crash. A file's bytes are durable up to its last Sync, and the names are those
// of the last sync of the directory; what is beyond may or may not survive a crash.
type memory struct {
	mu      sync.Mutex
	files   map[string]*memoryFile
	durable map[string]*memoryFile
	ops     int
	// fault is asked before every operation that changes something. Of a write that fails a part is written.
	fault func(op int, kind, name string) error
}

type memoryFile struct {
	data   []byte
	synced int
}

func newMemory() *memory {
	return &memory{files: make(map[string]*memoryFile), durable: make(map[string]*memoryFile)}
}

func (m *memory) op(kind, name string) error {
	m.ops++
	if m.fault == nil {
		return nil
	}
	return m.fault(m.ops, kind, name)
}

// crash is a power cut: the directory as the next process may find it.
func (m *memory) crash(rng *rand.Rand) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemory()
	// Of the names made and removed since the last sync, any may have reached the disk, in any order.
	names := maps.Clone(m.durable)
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		if m.durable[name] != m.files[name] && rng.IntN(2) == 0 {
			names[name] = m.files[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.durable)) {
		if m.files[name] == nil && rng.IntN(2) == 0 {
			delete(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := names[name]
		data := bytes.Clone(f.data)
		if unsynced := len(data) - f.synced; unsynced > 0 {
			data = data[:f.synced+rng.IntN(unsynced+1)]
			if n := len(data) - f.synced; n > 0 && rng.IntN(2) == 0 {
				hole := data[f.synced+rng.IntN(n):]
				clear(hole[:1+rng.IntN(len(hole))]) // Later blocks may have reached the disk before earlier ones.
			}
		}
		after.put(name, data)
	}
	return after
}

func (m *memory) clone() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemory()
	for name, f := range m.files {
		c.put(name, bytes.Clone(f.data))
	}
	return c
}

func (m *memory) put(name string, data []byte) {
	f := &memoryFile{data: data, synced: len(data)}
	m.files[name], m.durable[name] = f, f
}

func (m *memory) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files))
}

func (m *memory) create(name string) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("create", name); err != nil {
		return nil, err
	}
	f := &memoryFile{}
	m.files[name] = f
	return &memoryWriter{m: m, f: f, name: name}, nil
}

func (m *memory) open(name string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(f.data)), nil
}

func (m *memory) list() ([]os.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []os.DirEntry
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		all = append(all, entry{name, int64(len(m.files[name].data))})
	}
	return all, nil
}

func (m *memory) rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("rename", to); err != nil {
		return err
	}
	m.files[to] = m.files[from]
	delete(m.files, from)
	return nil
}

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("remove", name); err != nil {
		return err
	}
	delete(m.files, name)
	return nil
}

func (m *memory) truncate(name string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("truncate", name); err != nil {
		return err
	}
	f := m.files[name]
	f.data, f.synced = f.data[:size], int(size)
	return nil
}

func (m *memory) sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op("sync directory", ""); err != nil {
		return err
	}
	m.durable = maps.Clone(m.files)
	return nil
}

type memoryWriter struct {
	m    *memory
	f    *memoryFile
	name string
}

func (w *memoryWriter) Write(b []byte) (int, error) {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if err := w.m.op("write", w.name); err != nil {
		w.f.data = append(w.f.data, b[:len(b)/3]...)
		return len(b) / 3, err
	}
	w.f.data = append(w.f.data, b...)
	return len(b), nil
}

func (w *memoryWriter) Sync() error {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	if err := w.m.op("sync", w.name); err != nil {
		return err
	}
	w.f.synced = len(w.f.data)
	return nil
}

func (w *memoryWriter) Close() error { return nil }

type entry struct {
	name string
	size int64
}

func (e entry) Name() string               { return e.name }
func (e entry) IsDir() bool                { return false }
func (e entry) Type() fs.FileMode          { return 0 }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) Size() int64                { return e.size }
func (e entry) Mode() fs.FileMode          { return filePerm }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) Sys() any                   { return nil }

var errDisk = errors.New("disk trouble")
