package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// Bounds and default of Config.LogBytes, and the most entries that one Add takes.
const (
	MinLogBytes     = 4 << 10
	DefaultLogBytes = 64 << 20
	MaxLogBytes     = 1 << 40
	MaxBatch        = 1 << 16
)

// Config is how a journal is opened.
type Config struct {
	// Dir is the directory. It is made, mode 0700, where it is missing; its parent must be there. It should be on a
	// local file system. Required.
	Dir string
	// Store is how the store is made.
	Store revocation.Config
	// LogBytes is the length of log since the last snapshot from which on the next is due, in bytes, unless a quarter of
	// the last snapshot's length is more.
	// Optional. Defaults to DefaultLogBytes. From MinLogBytes to MaxLogBytes.
	LogBytes int64
	// Secret is what digests are keyed with, where a fleet shares one: nodes that exchange records need the same. It is
	// not written to the directory, and a secret file that is there is not looked at. A directory that was written under
	// another secret is ErrSecret. Optional. Zero means the directory's own, which the first start makes.
	Secret revocation.Secret
	// AcceptLoss opens a directory of which acknowledged revocations are gone. An operator sets it, for one start.
	AcceptLoss bool
	// Now tells the time at which Open sets the store's clock. Optional. Defaults to time.Now. It has to be right before
	// Open is called: what is past by this clock is not loaded.
	Now func() time.Time
}

// Journal is a store together with its directory. It is safe for concurrent use.
type Journal struct {
	fs       files
	store    *revocation.Store
	secret   [8]byte
	now      func() time.Time
	logBytes int64
	lock     io.Closer
	// due has an element when a snapshot may be due.
	due chan struct{}

	// mu guards the group that callers join.
	mu   sync.Mutex
	open *group

	// commit is held by who writes; the segment is its.
	commit  sync.Mutex
	segment file
	number  uint64 // Of the segment, or of the one to come where segment is nil.
	seed    uint32
	closed  bool
	sizes   []segmentSize // Ascending.

	// snapshot is held by who writes one.
	snapshot  sync.Mutex
	snapshots []uint64 // Those that are good, ascending.

	counters counters
}

// Open takes the directory for this process, reads what is there into a new store and returns it, ready for Add. The
// store's clock stands at cfg.Now. The report is filled in as far as Open has come, even with an error.
func Open(cfg Config) (*Journal, Report, error) {
	if cfg.Dir == "" {
		return nil, Report{}, fmt.Errorf("%w: Dir is required", ErrConfig)
	}
	if err := os.Mkdir(cfg.Dir, dirPerm); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, Report{}, fmt.Errorf("journal: %w", err)
	}
	d := directory(cfg.Dir)
	lock, err := d.lock()
	if err != nil {
		return nil, Report{}, err
	}
	j, report, err := open(cfg, d)
	if err != nil {
		lock.Close()
		return nil, report, err
	}
	j.lock = lock
	return j, report, nil
}

func open(cfg Config, fs files) (*Journal, Report, error) {
	if cfg.LogBytes == 0 {
		cfg.LogBytes = DefaultLogBytes
	}
	if cfg.LogBytes < MinLogBytes || cfg.LogBytes > MaxLogBytes {
		return nil, Report{}, fmt.Errorf("%w: LogBytes must be from %d to %d", ErrConfig, MinLogBytes, int64(MaxLogBytes))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	began := time.Now()
	inv, err := takeInventory(fs)
	if err != nil {
		return nil, Report{}, err
	}
	secret, given := cfg.Secret, cfg.Secret != (revocation.Secret{})
	if !given {
		if secret, err = loadSecret(fs, inv); err != nil {
			return nil, Report{}, err
		}
	}
	store, err := revocation.New(cfg.Store, secret)
	if err != nil {
		return nil, Report{}, err
	}
	store.Advance(cfg.Now())
	r := recovery{fs: fs, store: store, secret: secret.ID(), given: given, inv: inv}
	err = r.run(cfg.AcceptLoss)
	r.report.Entries, r.report.Took = store.Len(), time.Since(began)
	if err != nil {
		return nil, r.report, err
	}
	for _, name := range inv.leftovers {
		_ = fs.remove(name) // It takes room and nothing else.
	}
	j := &Journal{
		fs: fs, store: store, secret: secret.ID(), now: cfg.Now, logBytes: cfg.LogBytes,
		due: make(chan struct{}, 1), open: new(group), number: r.next, snapshots: r.snapshots,
	}
	for _, n := range inv.logs {
		j.sizes = append(j.sizes, segmentSize{n, inv.logBytes[n]})
	}
	j.recount(r.report.Snapshot)
	j.counters.snapshotBytes.Store(r.snapshotBytes)
	if r.damagedSnapshots || r.report.Lost {
		j.counters.forced.Store(true) // What is left should be whole on disk again soon.
	}
	j.wake()
	return j, r.report, nil
}

// Store returns the store, to be asked. What is added to it past the journal is not durable until the next snapshot.
func (j *Journal) Store() *revocation.Store { return j.store }

// Run keeps the store's time, sweeps it and writes snapshots when they are due, until ctx is done. It returns ctx's
// error. A snapshot that fails is told to failed, which may be nil, and tried again a minute later. One Run a journal.
func (j *Journal) Run(ctx context.Context, failed func(error)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = j.store.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-j.due:
		}
		if !j.snapshotDue() {
			continue
		}
		err := j.Snapshot(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failed != nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryAfter):
			j.wake()
		}
	}
}

const retryAfter = time.Minute

func (j *Journal) wake() {
	select {
	case j.due <- struct{}{}:
	default:
	}
}

// Close ends the journal: it waits for the writes under way, and gives the directory free. Calls from then on are
// ErrClosed. The store can still be asked. Calling it again is harmless.
func (j *Journal) Close() error {
	j.snapshot.Lock()
	defer j.snapshot.Unlock()
	j.commit.Lock()
	defer j.commit.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	var err error
	if j.segment != nil {
		err = j.segment.Close()
		j.segment = nil
	}
	if j.lock != nil {
		err = errors.Join(err, j.lock.Close())
	}
	return err
}
