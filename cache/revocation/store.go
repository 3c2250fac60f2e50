package revocation

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Bounds and default of Config.MaxEntries.
const (
	MinMaxEntries     = 1
	DefaultMaxEntries = 10_000_000
	MaxMaxEntries     = 500_000_000
)

// Config is how a store is made.
type Config struct {
	// MaxEntries is the number of entries, past ones that were not swept yet included, from which on new ones are
	// refused. Optional. Defaults to DefaultMaxEntries, some 308 MiB. From MinMaxEntries to MaxMaxEntries.
	MaxEntries int
}

func (c *Config) limit() (int64, error) {
	if c.MaxEntries == 0 {
		return DefaultMaxEntries, nil
	}
	if c.MaxEntries < MinMaxEntries || c.MaxEntries > MaxMaxEntries {
		return 0, fmt.Errorf("%w: MaxEntries must be from %d to %d", ErrConfig, MinMaxEntries, MaxMaxEntries)
	}
	return int64(c.MaxEntries), nil
}

// Store holds revocations. Its zero value is not usable: see New.
type Store struct {
	scopes scopes
	limit  int64
	tables [kinds]table

	// clock is in seconds since the epoch. Until the first Advance nothing is past.
	clock atomic.Uint32
	// used and total count the slots in use, by kind and in all.
	used  [kinds]atomic.Int64
	total atomic.Int64
	// version counts the changes.
	version atomic.Uint64

	cursor   atomic.Uint32
	counters counters
}

// New returns an empty store. ErrConfig where the configuration is out of range or the secret is zero.
func New(cfg Config, secret Secret) (*Store, error) {
	limit, err := cfg.limit()
	if err != nil {
		return nil, err
	}
	if secret == (Secret{}) {
		return nil, fmt.Errorf("%w: the secret is all zeroes", ErrConfig)
	}
	s := &Store{limit: limit}
	s.scopes.secret = secret
	return s, nil
}

// Revoked reports whether an entry in force covers a token with those claims, signed by that key. The key is nil where
// there was none, as with introspected tokens. It takes no lock and does not allocate.
func (s *Store) Revoked(c *token.Claims, k *token.Key) bool { return s.Find(c, k) != KindNone }

// Find is Revoked that tells the kind of the entry that covers the token; KindNone where there is none. Where several
// do, it is one of them.
func (s *Store) Find(c *token.Claims, k *token.Key) Kind {
	if s.total.Load() == 0 {
		return KindNone
	}
	sc := s.scopes.of(c.Issuer)
	q := query{store: s, scope: sc, issuedAt: c.IssuedAt, now: s.clock.Load()}
	kind := KindNone
	switch {
	case q.covered(KindToken, c.TokenID):
		kind = KindToken
	case q.covered(KindSession, c.SessionID):
		kind = KindSession
	case q.covered(KindSubject, c.Subject):
		kind = KindSubject
	case q.covered(KindClient, c.ClientID):
		kind = KindClient
	case k == nil:
		return KindNone
	case q.covered(KindKeyID, k.ID()):
		kind = KindKeyID
	case q.signedBy(k):
		kind = KindThumbprint
	default:
		return KindNone
	}
	s.counters.hits[kind].Add(1)
	return kind
}

// query is what stays the same for all identifiers of a token.
type query struct {
	store    *Store
	scope    *scope
	issuedAt int64
	now      uint32
}

func (q *query) covered(kind Kind, id string) bool {
	if id == "" || q.store.used[kind].Load() == 0 {
		return false
	}
	return q.look(kind, bytesOf(id))
}

func (q *query) signedBy(k *token.Key) bool {
	if q.store.used[KindThumbprint].Load() == 0 {
		return false
	}
	tp := k.Thumbprint()
	return q.look(KindThumbprint, tp[:])
}

func (q *query) look(kind Kind, id []byte) bool {
	key := &q.scope.keys[kind]
	quick := key.quick(id)
	a := q.store.tables[kind].shard(quick).array.Load()
	if a == nil {
		return false
	}
	p := a.begin(quick)
	for slot := a.next(&p, quick); slot >= 0; slot = a.next(&p, quick) {
		if a.slots[slot+1] != key.sure(id) {
			continue
		}
		until, before := a.times(slot)
		return inForce(until, q.now) && q.issuedBy(kind, before)
	}
	return false
}

// issuedBy: CAEP 1.0 section 3.1 ends what was there at the moment of the event, which is the same second as well. A
// token without iat (0) is never younger than any moment.
func (q *query) issuedBy(kind Kind, before uint32) bool {
	return !kind.dated() || before == noEnd || q.issuedAt <= int64(before)
}

// bytesOf gives the hash functions, which do not write, a string's bytes without copying them.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
