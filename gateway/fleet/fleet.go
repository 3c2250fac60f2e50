package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const (
	// minRetry and maxRetry bound the pause before the next attempt to connect. The longest, and the time that an
	// attempt takes, should be shorter than Config.Settle.
	minRetry = 50 * time.Millisecond
	maxRetry = 2 * time.Second
)

// Fleet is one node's part in the fleet. Its methods are safe for concurrent use.
type Fleet struct {
	cfg    Config
	id     identity
	node   string
	dir    directory
	outbox *outbox
	counts counters

	// current is the session that is under way, nil while Redis is away.
	current atomic.Pointer[session]
	// refused is why the fleet does not want this node; nil where that is not known.
	refused  atomic.Pointer[error]
	caughtUp atomic.Bool
	closed   atomic.Bool

	mu       sync.Mutex
	appended mark // the latest entry that came from this process

	// Only Run has these.
	known   position // what is in the file, or will be
	debt    plan     // what an earlier session had to do and did not
	before  bool     // there was a session
	running atomic.Bool
}

// New takes the directory for this process and looks at what is there. It does not connect: Run does.
// ErrConfig, ErrLocked, ErrSecret where the outbox was written under another secret, or ErrOutbox.
func New(cfg Config) (*Fleet, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	redis.SetLogger(silent{})
	f := &Fleet{cfg: cfg, id: identity{secret: cfg.SecretID}}
	if _, err := rand.Read(f.id.sender[:]); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	f.node = hex.EncodeToString(f.id.sender[:])
	var err error
	if f.dir, err = openDirectory(cfg.Dir); err != nil {
		return nil, err
	}
	var damaged bool
	if f.outbox, damaged, err = openOutbox(f.dir, f.id, cfg.OutboxBytes); err != nil {
		f.dir.close()
		return nil, err
	}
	if damaged {
		f.counts.outboxDamaged.Add(1)
		cfg.Log.Error("fleet: outbox damaged: everything will be offered anew")
	}
	if damaged || cfg.Anew {
		// What the outbox cannot tell any more, the node's store holds; what the store has lost, the others hold. Without
		// a position all of it is read and offered, even if that takes several starts.
		if err := f.dir.forgetPosition(); err != nil {
			f.Close()
			return nil, err
		}
	}
	if f.known, damaged = f.dir.position(cfg.SecretID); damaged {
		cfg.Log.Warn("fleet: position damaged or of another secret: everything will be read and offered anew")
	}
	return f, nil
}

// Run follows the fleet until ctx is done, and returns ctx's error. While Redis is away it tries again and again. One
// Run a Fleet; a second is ErrClosed.
func (f *Fleet) Run(ctx context.Context) error {
	if !f.running.CompareAndSwap(false, true) || f.closed.Load() {
		return ErrClosed
	}
	pause := minRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := f.session(ctx)
		if ctx.Err() != nil {
			break
		}
		f.failed(err)
		if time.Since(began) > maxRetry {
			pause = minRetry
		}
		timer := time.NewTimer(pause/2 + mathrand.N(pause/2))
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		pause = min(2*pause, maxRetry)
	}
	if err := f.savePosition(); err != nil {
		f.cfg.Log.Warn("fleet: position not written", "error", err)
	}
	return ctx.Err()
}

// failed takes note of why a session ended.
func (f *Fleet) failed(err error) {
	why := reason(err)
	f.counts.errors[why].Add(1)
	if errors.Is(err, errOutboxDamaged) {
		f.counts.outboxDamaged.Add(1)
		f.known = position{}
		if err := f.dir.forgetPosition(); err != nil {
			return // What cannot be read stays where it is, and is found again.
		}
		f.outbox.skip()
	}
	if was := Reason(f.counts.fault.Swap(int64(why))); was != why {
		f.cfg.Log.Warn("fleet: Redis is away", "reason", why.String(), "error", err)
	}
}

// Append puts records on the stream and into the state, which makes them known to all nodes, and returns when Redis has
// both. The caller has them in force and durable already: a node passes over what comes back from the stream to it.
// It keeps no reference to records. It waits for Redis no longer than Redis.Timeout for each 512 records, and not at
// all while Redis is known to be away.
//
// With an error nothing is acknowledged; some of the records may be on the stream, and offering all of them again does
// no harm. ErrAway; ErrSecret or ErrVersion where the fleet does not want this node; ErrClosed. With Local, ErrOutboxFull
// or ErrOutbox in place of ErrAway.
func (f *Fleet) Append(ctx context.Context, records []revocation.Record) error {
	if f.closed.Load() {
		return ErrClosed
	}
	if len(records) == 0 {
		return nil
	}
	err := f.publish(ctx, records)
	if err == nil {
		f.counts.appended.Add(uint64(len(records)))
		f.counts.lastAppend.Store(f.cfg.Now().UnixNano())
		return nil
	}
	if errors.Is(err, ErrSecret) || errors.Is(err, ErrVersion) {
		f.counts.refused.Add(uint64(len(records)))
		return err
	}
	if f.cfg.WhenAway == Local {
		if err = f.outbox.put(records); err == nil {
			f.counts.deferred.Add(uint64(len(records)))
			return nil
		}
		f.counts.errors[reason(err)].Add(1)
		f.counts.refused.Add(uint64(len(records)))
		return err
	}
	f.counts.refused.Add(uint64(len(records)))
	return err
}

// publish puts records on the stream if there is a session.
func (f *Fleet) publish(ctx context.Context, records []revocation.Record) error {
	s := f.current.Load()
	if s == nil {
		if why := f.refused.Load(); why != nil {
			return *why
		}
		return fmt.Errorf("%w: not connected (%v)", ErrAway, Reason(f.counts.fault.Load()))
	}
	for at := 0; at < len(records); at += maxRecords {
		message := f.id.encode(nil, records[at:min(at+maxRecords, len(records))])
		err := s.send(ctx, message, "")
		if err != nil {
			f.counts.errors[reason(err)].Add(1)
			if errors.Is(err, ErrSecret) || errors.Is(err, ErrVersion) {
				return err
			}
			return fmt.Errorf("%w: %w", ErrAway, err)
		}
	}
	return nil
}

// note remembers an entry of this process, if it is the latest.
func (f *Fleet) note(m mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.seq > f.appended.seq {
		f.appended = m
	}
}

// anchor returns the latest entry that this node knows of.
func (f *Fleet) anchor() mark {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.appended.seq > f.known.at.seq {
		return f.appended
	}
	return f.known.at
}

// forgetAppended begins anew with an epoch, whose entries have nothing to do with those before.
func (f *Fleet) forgetAppended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.appended = mark{}
}

func (f *Fleet) savePosition() error {
	if f.known.epoch == "" {
		return nil
	}
	return f.dir.setPosition(f.id.secret, f.known)
}

// CaughtUp reports whether this node is connected and has applied everything that was on the stream when it connected,
// and, where Redis had lost data, everything that the others offered within Config.Settle. It is false while Redis is
// away; Stats.Current tells since when.
func (f *Fleet) CaughtUp() bool { return f.caughtUp.Load() }

// Close gives the directory free. Run has to have returned. What is in the outbox stays there for the next start.
// Calling it again is harmless.
func (f *Fleet) Close() {
	if f.closed.CompareAndSwap(false, true) {
		f.outbox.close()
		f.dir.close()
	}
}

// newEpoch returns the name of an epoch to begin.
func newEpoch() string {
	var b [epochBytes / 2]byte
	_, _ = rand.Read(b[:]) // It never fails: crypto/rand ends the process instead.
	return hex.EncodeToString(b[:])
}
