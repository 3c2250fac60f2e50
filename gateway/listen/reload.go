package listen

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// certificates holds the generation in force and the session ticket keys, which
// outlive it.
type certificates struct {
	cfg     TLS
	config  *tls.Config // what a handshake begins with
	current atomic.Pointer[generation]

	mu   sync.Mutex // of reloads and rotations
	keys [][32]byte // newest first
	last string     // the fault of the last check

	failures       [handshakeFaults]atomic.Uint64
	reloadFailures atomic.Uint64
}

func newCertificates(cfg TLS) (*certificates, error) {
	c := &certificates{cfg: cfg.withDefaults()}
	first, err := c.cfg.load(nil)
	if err != nil {
		return nil, err
	}
	c.current.Store(first)
	c.config = &tls.Config{
		MinVersion: c.cfg.MinVersion,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.current.Load().config, nil
		},
	}
	c.rotate()
	return c, nil
}

// ticketKeys is how many keys can open a ticket: the one that seals, and those
// of the two rotations before it.
const ticketKeys = 3

// rotate seals tickets with a new key. Keys belong to the configuration that
// handshakes begin with, not to a generation's, so a reload forgets none.
func (c *certificates) rotate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	c.keys = append([][32]byte{key}, c.keys[:min(len(c.keys), ticketKeys-1)]...)
	c.config.SetSessionTicketKeys(c.keys)
}

// reload puts a new generation in force, and reports whether it differs.
func (c *certificates) reload() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.current.Load()
	next, err := c.cfg.load(before)
	if changed = !slices.Equal(before.digests, next.digests); changed {
		c.current.Store(next)
	}
	if err != nil {
		c.reloadFailures.Add(1)
	}
	return changed, err
}

// check reloads; it reports a fault once for as long as it stays the same.
func (c *certificates) check() (changed bool, err error) {
	changed, err = c.reload()
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if fault == c.last {
		err = nil
	}
	c.last = fault
	return changed, err
}

func (c *certificates) notAfter() []time.Time { return c.current.Load().notAfter() }

// Reload reads the listener's certificate files again. New handshakes use what
// it found; those under way are not disturbed, and session tickets stay good.
// Where a file cannot be used what it replaces stays in force, and the error,
// [ErrCertificate] or [ErrClientCA], says which. Without TLS it does nothing.
func (l *Listener) Reload() error {
	if l.tls == nil {
		return nil
	}
	_, err := l.tls.reload()
	return err
}

// Run reloads the certificate files when they have changed, and rotates session
// ticket keys, until ctx ends. It tells report of every change, with nil, and of
// every new fault. Without TLS it returns at once.
func (l *Listener) Run(ctx context.Context, report func(error)) {
	if l.tls != nil {
		l.tls.run(ctx, report)
	}
}

func (c *certificates) run(ctx context.Context, report func(error)) {
	check := time.NewTicker(c.cfg.CheckEvery)
	defer check.Stop()
	rotate := time.NewTicker(c.cfg.TicketRotation)
	defer rotate.Stop()
	for {
		select {
		case <-check.C:
			if changed, err := c.check(); changed || err != nil {
				report(err)
			}
		case <-rotate.C:
			c.rotate()
		case <-ctx.Done():
			return
		}
	}
}
