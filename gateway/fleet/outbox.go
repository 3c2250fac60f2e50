package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// outbox keeps what was accepted while Redis was away, on disk, in order, until it is on the stream. It is safe for
// concurrent use; one caller at a time takes from it.
//
// Lock order: commit, then mu.
type outbox struct {
	dir   directory
	id    identity
	limit int64
	// filled has a token whenever something may be there to be taken.
	filled chan struct{}

	commit sync.Mutex // Held while a group is written; guards number and writing.
	number uint64     // of the next segment
	active *segment   // the last of segments, open for writing; nil where the next write begins one

	mu       sync.Mutex
	open     *group
	segments []*segment
	bytes    int64 // of all segments, and of what is about to be written
	records  int
	closed   bool
}

// group is what one fsync makes durable.
type group struct {
	frames  []byte
	records int
	done    bool // Guarded by commit, as err is.
	err     error
}

// openOutbox takes up what an earlier process left. Damaged says that some of it cannot be read.
func openOutbox(dir directory, id identity, limit int64) (o *outbox, damaged bool, err error) {
	o = &outbox{dir: dir, id: id, limit: limit, filled: make(chan struct{}, 1), open: new(group)}
	paths, err := filepath.Glob(dir.file(segmentPrefix + "*"))
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		number, ok := segmentNumber(path)
		if !ok {
			continue // Not ours.
		}
		s, whole, err := openSegment(path, number, id.secret)
		if err != nil {
			o.close()
			return nil, false, err
		}
		damaged = damaged || !whole
		o.segments = append(o.segments, s)
		o.bytes += s.size
		o.records += s.records
		o.number = number + 1
	}
	o.wake()
	return o, damaged, nil
}

func (o *outbox) wake() {
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

// put returns when the records are durable. ErrOutboxFull where there is no room for all of them, ErrOutbox where they
// are not durable, ErrClosed. Callers that arrive while an fsync is under way share the next one.
func (o *outbox) put(records []revocation.Record) error {
	b := frames(nil, o.id, records)
	size := int64(len(b))

	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return ErrClosed
	}
	if o.bytes+size > o.limit {
		o.mu.Unlock()
		return fmt.Errorf("%w: %d bytes", ErrOutboxFull, o.limit)
	}
	o.bytes += size
	g := o.open
	g.frames = append(g.frames, b...)
	g.records += len(records)
	o.mu.Unlock()

	o.commit.Lock()
	defer o.commit.Unlock()
	if g.done {
		return g.err
	}
	o.mu.Lock()
	o.open = new(group)
	o.mu.Unlock()
	g.done, g.err = true, o.write(g)
	g.frames = nil
	return g.err
}

// write appends a group to the active segment and waits for the disk. The caller holds commit.
func (o *outbox) write(g *group) error {
	size := int64(len(g.frames))
	if o.isClosed() {
		return ErrClosed
	}
	err := o.begin()
	if err == nil {
		_, err = o.active.file.WriteAt(g.frames, o.active.size)
	}
	if err == nil {
		err = o.active.file.Sync()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		// The kernel may have dropped what it could not write and report success for the rest: that file is not written
		// to again. What is beyond its size does not count.
		o.active = nil
		o.bytes -= size
		return fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	o.active.size += size
	o.active.records += g.records
	o.records += g.records
	if o.active.size >= o.limit/8 {
		o.active = nil // The room of a segment comes back when all of it is on the stream.
	}
	o.wake()
	return nil
}

// begin makes a segment where there is none to write to. The caller holds commit.
func (o *outbox) begin() error {
	if o.active != nil {
		return nil
	}
	f, err := os.OpenFile(o.dir.file(segmentName(o.number)), os.O_CREATE|os.O_RDWR|os.O_TRUNC, filePerm)
	if err != nil {
		return err
	}
	_, err = f.Write(segmentHeader(o.id.secret))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = o.dir.sync()
	}
	if err != nil {
		f.Close()
		return err
	}
	o.active = &segment{number: o.number, file: f, read: segmentHeaderBytes, size: segmentHeaderBytes}
	o.number++
	o.mu.Lock()
	o.segments = append(o.segments, o.active)
	o.bytes += segmentHeaderBytes
	o.mu.Unlock()
	return nil
}

// head returns the oldest message; nil where there is none.
func (o *outbox) head() (message []byte, records int, err error) {
	for {
		o.mu.Lock()
		if len(o.segments) == 0 || o.closed {
			o.mu.Unlock()
			return nil, 0, nil
		}
		s := o.segments[0]
		if s.read < s.size {
			view := *s
			o.mu.Unlock()
			return view.frame(o.id.secret)
		}
		o.mu.Unlock()
		if err := o.drop(s); err != nil {
			return nil, 0, err
		}
	}
}

// drop removes a segment of which all is on the stream, unless something was added to it meanwhile.
func (o *outbox) drop(s *segment) error {
	o.commit.Lock()
	defer o.commit.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.read < s.size || o.closed {
		return nil
	}
	if err := os.Remove(o.dir.file(segmentName(s.number))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	if o.active == s {
		o.active = nil
	}
	s.file.Close()
	o.segments = o.segments[1:]
	o.bytes -= s.size
	return nil
}

// pop takes off the message that head returned.
func (o *outbox) pop(message []byte, records int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	s := o.segments[0]
	s.read += frameHeaderBytes + int64(len(message))
	s.records -= records
	o.records -= records
}

// skip takes off what is left of the segment whose head cannot be read.
func (o *outbox) skip() {
	o.commit.Lock()
	defer o.commit.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.segments) == 0 {
		return
	}
	s := o.segments[0]
	o.records -= s.records
	s.read, s.records = s.size, 0
	if o.active == s {
		o.active = nil
	}
}

func (o *outbox) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// held returns the number of records that wait, and the bytes that the segments take.
func (o *outbox) held() (records int, bytes int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.records, o.bytes
}

// close waits for the group that is being written. What is there stays for the next start.
func (o *outbox) close() {
	o.commit.Lock()
	defer o.commit.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, s := range o.segments {
		s.file.Close()
	}
	o.segments, o.active = nil, nil
}
