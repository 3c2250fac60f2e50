package fleet

import (
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// WhenAway is what Append does while Redis is away.
type WhenAway int

const (
	// Refuse fails with ErrAway: whoever sent the revocation sends it again.
	Refuse WhenAway = iota
	// Local puts the records into the outbox and succeeds: they are in force here, and on the other nodes once Redis is
	// back.
	Local
)

// Bounds and defaults of Config.
const (
	DefaultPrefix        = "vneid-gateway:revocations:"
	MaxPrefixBytes       = 128
	MinOutboxBytes       = 64 << 10
	DefaultOutboxBytes   = 64 << 20
	MaxOutboxBytes       = 16 << 30
	MinStreamEntries     = 100
	DefaultStreamEntries = 100_000
	MaxStreamEntries     = 100_000_000
	MinStreamAge         = time.Minute
	MaxStreamAge         = 366 * 24 * time.Hour
	MinSettle            = 10 * time.Millisecond
	DefaultSettle        = 5 * time.Second
	MaxSettle            = 5 * time.Minute
	MinCompareRate       = 1_000
	DefaultCompareRate   = 100_000
	MaxCompareRate       = 10_000_000
)

// Config is how a node takes part in a fleet.
type Config struct {
	// Redis is the server. Required.
	Redis Redis
	// Prefix begins the names of all keys; fleets that share a Redis have different ones. Optional. Defaults to
	// DefaultPrefix. At most MaxPrefixBytes.
	Prefix string
	// Dir is the directory for position and outbox. It is made, mode 0700, where it is missing; its parent must be
	// there. It should be on a local file system. Required.
	Dir string
	// SecretID is Secret.ID of the secret that the node's store has. All nodes of a fleet have the same. Required.
	SecretID [8]byte
	// Apply puts records that other nodes sent in force, and returns when that is durable. It gets at most MaxApply at
	// once, and must not keep them. It is not called by two goroutines at once. Required.
	Apply func(records []revocation.Record) error
	// Records yields all that the node's store holds. Required.
	Records func() iter.Seq[revocation.Record]
	// WhenAway is what Append does while Redis is away. Optional. Defaults to Refuse.
	WhenAway WhenAway
	// OutboxBytes is how long the outbox may become, in bytes: 57 for a record that comes alone, 25 for each more that
	// comes with it. Optional. Defaults to DefaultOutboxBytes. From MinOutboxBytes to MaxOutboxBytes.
	OutboxBytes int64
	// StreamEntries is the number of entries, about, from which on the stream loses its oldest. A node that was away for
	// longer than that reads the whole state. An entry is one call of Append, or 512 records of it, and takes some 80
	// bytes of Redis's memory, or 15 KiB. Optional. Defaults to DefaultStreamEntries. From MinStreamEntries to
	// MaxStreamEntries.
	StreamEntries int
	// StreamAge is the age from which on the stream loses entries besides. Optional. Zero means none. From MinStreamAge
	// to MaxStreamAge.
	StreamAge time.Duration
	// Settle is the time after Redis has lost its data during which no node is caught up: all nodes have to have come
	// back by then and begun to offer what they hold. Optional. Defaults to DefaultSettle. From MinSettle to MaxSettle.
	Settle time.Duration
	// CompareRate is how many records a node reads from the state each second, and how many it offers, when both are
	// compared in full: what Redis, the journal's log and its snapshots can keep up with. Optional. Defaults to
	// DefaultCompareRate. From MinCompareRate to MaxCompareRate.
	CompareRate int
	// Anew forgets the position: everything is read and offered anew. For a node whose store has lost what it held when
	// the position was written. Optional.
	Anew bool
	// Now is the time that Stats tells. Optional. Defaults to time.Now.
	Now func() time.Time
	// Log gets a line whenever the connection, or what is known of the fleet, changes. Optional. Defaults to none.
	Log *slog.Logger
}

// MaxApply is the most records that Config.Apply gets at once.
const MaxApply = maxRead * maxRecords

func (c *Config) complete() error {
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.OutboxBytes == 0 {
		c.OutboxBytes = DefaultOutboxBytes
	}
	if c.StreamEntries == 0 {
		c.StreamEntries = DefaultStreamEntries
	}
	if c.Settle == 0 {
		c.Settle = DefaultSettle
	}
	if c.CompareRate == 0 {
		c.CompareRate = DefaultCompareRate
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Dir == "" || c.Apply == nil || c.Records == nil:
		return fmt.Errorf("%w: directory, Apply and Records are required", ErrConfig)
	case c.SecretID == [8]byte{}:
		return fmt.Errorf("%w: no secret", ErrConfig)
	case len(c.Prefix) > MaxPrefixBytes:
		return fmt.Errorf("%w: prefix of %d bytes", ErrConfig, len(c.Prefix))
	case c.WhenAway != Refuse && c.WhenAway != Local:
		return fmt.Errorf("%w: when away %d", ErrConfig, c.WhenAway)
	case c.OutboxBytes < MinOutboxBytes || c.OutboxBytes > MaxOutboxBytes:
		return fmt.Errorf("%w: outbox of %d bytes", ErrConfig, c.OutboxBytes)
	case c.StreamEntries < MinStreamEntries || c.StreamEntries > MaxStreamEntries:
		return fmt.Errorf("%w: stream of %d entries", ErrConfig, c.StreamEntries)
	case c.StreamAge != 0 && (c.StreamAge < MinStreamAge || c.StreamAge > MaxStreamAge):
		return fmt.Errorf("%w: stream of %v", ErrConfig, c.StreamAge)
	case c.Settle < MinSettle || c.Settle > MaxSettle:
		return fmt.Errorf("%w: settle %v", ErrConfig, c.Settle)
	case c.CompareRate < MinCompareRate || c.CompareRate > MaxCompareRate:
		return fmt.Errorf("%w: compare rate %d", ErrConfig, c.CompareRate)
	}
	return c.Redis.complete()
}
