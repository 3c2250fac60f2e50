// Package intake is the one door by which a revocation gets in force: on this
// node's disk, in its memory, and on the fleet's stream, before whoever sent it
// is told that it is.
//
// Order matters. A record is in force in this process first, so that no request
// with a covered token passes from then on, whatever happens to the rest; then it
// is durable in the journal; then it is on the stream that the other nodes
// follow; only then is it acknowledged. After a failure in between, the entry may
// be in force here and nowhere else: the sender offers it again, and to revoke
// the same thing twice is to revoke it once.
package intake

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
)

// ErrFleet means that the entries could not be put on the fleet's stream. It
// wraps the cause. They are in force on this node alone, and not acknowledged.
var ErrFleet = errors.New("intake: not on the fleet's stream")

// Journal keeps records on disk and in force. [journal.Journal] is one.
type Journal interface {
	// AddRecords puts records in force, then makes them durable.
	AddRecords(records []revocation.Record) error
	// Store returns what is in force.
	Store() *revocation.Store
}

// Fleet appends records to the stream that all nodes follow.
type Fleet interface {
	Append(ctx context.Context, records []revocation.Record) error
}

// Config is what a door leads to.
type Config struct {
	// Journal is where entries go. Required.
	Journal Journal
	// Fleet tells the other nodes. Optional: nil for a node on its own.
	Fleet Fleet
	// Changed is called whenever entries got in force, acknowledged or not. It
	// must not block. Optional.
	Changed func()
}

// Intake is the door. Its methods are safe for concurrent use.
type Intake struct {
	cfg   Config
	doors [numSources]Door
	fleet counts
}

// New returns an intake that is ready.
func New(cfg Config) *Intake {
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	i := &Intake{cfg: cfg}
	for s := range i.doors {
		i.doors[s].intake = i
	}
	return i
}

// Source is who brings revocations.
type Source int

// The sources. They are values of metric labels.
const (
	// Operators are those who ask through the admin listener.
	Operators Source = iota
	// Push are security events that a transmitter delivers (RFC 8935).
	Push
	// Poll are security events that are asked for (RFC 8936).
	Poll
	// Logout is OpenID Connect Back-Channel Logout.
	Logout

	numSources
)

var sourceNames = [numSources]string{"operator", "push", "poll", "logout"}

// String returns the source's name.
func (s Source) String() string { return sourceNames[s] }

// Sources returns all sources in their order.
func Sources() []Source { return []Source{Operators, Push, Poll, Logout} }

// From returns the door of a source. It stays the same.
func (i *Intake) From(s Source) *Door { return &i.doors[s] }

// Store returns what is in force.
func (i *Intake) Store() *revocation.Store { return i.cfg.Journal.Store() }

// Apply puts records in force that another node has put on the stream. When it
// returns nil they are durable. It waits for the disk.
func (i *Intake) Apply(records []revocation.Record) error {
	err := i.cfg.Journal.AddRecords(records)
	i.cfg.Changed()
	i.fleet.count(len(records), err)
	return err
}

// Applied returns what became of records that other nodes sent.
func (i *Intake) Applied() Stats { return i.fleet.stats() }

// Door is the intake for one source, which it counts. Its methods are safe for
// concurrent use.
type Door struct {
	intake *Intake
	counts counts
}

// Accept puts entries in force and returns when that is durable here and, with a
// fleet, on its stream. It keeps no reference to entries. It waits for the disk,
// and for ctx as far as the fleet is concerned.
//
// Errors: revocation.ErrEntry where an entry is malformed, and none is in force.
// After any other nothing is acknowledged, and whoever sent the entries must send
// them again: revocation.ErrFull, journal.ErrWrite, journal.ErrLogFull,
// journal.ErrBatch, journal.ErrClosed, ErrFleet.
func (d *Door) Accept(ctx context.Context, entries ...revocation.Entry) error {
	err := d.intake.accept(ctx, entries)
	d.counts.count(len(entries), err)
	return err
}

// Stats returns what became of the source's entries.
func (d *Door) Stats() Stats { return d.counts.stats() }

func (i *Intake) accept(ctx context.Context, entries []revocation.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if len(entries) > journal.MaxBatch {
		return journal.ErrBatch
	}
	store := i.cfg.Journal.Store()
	records := make([]revocation.Record, len(entries))
	for n, e := range entries {
		var err error
		if records[n], err = store.Record(e); err != nil {
			return err
		}
	}
	err := i.cfg.Journal.AddRecords(records)
	i.cfg.Changed()
	if err != nil || i.cfg.Fleet == nil {
		return err
	}
	if err := i.cfg.Fleet.Append(ctx, records); err != nil {
		return errors.Join(ErrFleet, err)
	}
	return nil
}

// Stats is what became of what a source sent.
type Stats struct {
	// Accepted counts entries that were acknowledged, Refused those that were
	// not, by reason.
	Accepted uint64
	Refused  [NumReasons]uint64
	// Last is when entries were last acknowledged; zero for never.
	Last time.Time
}

type counts struct {
	accepted atomic.Uint64
	refused  [NumReasons]atomic.Uint64
	last     atomic.Int64
}

func (c *counts) count(n int, err error) {
	if err != nil {
		c.refused[ReasonOf(err)].Add(uint64(n))
		return
	}
	c.accepted.Add(uint64(n))
	c.last.Store(time.Now().UnixNano())
}

func (c *counts) stats() Stats {
	s := Stats{Accepted: c.accepted.Load()}
	for r := range c.refused {
		s.Refused[r] = c.refused[r].Load()
	}
	if ns := c.last.Load(); ns != 0 {
		s.Last = time.Unix(0, ns)
	}
	return s
}
