package revocation

import (
	"fmt"
	"sync"
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
	// refused. Optional. Defaults to DefaultMaxEntries, some 311 MiB. From MinMaxEntries to MaxMaxEntries.
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
	// shardBits is the binary logarithm of the number of a kind's shards.
	shardBits uint
	shards    [kinds][]shard
	keys      keyMemos
	filter    atomic.Pointer[filter]
	// upkeep is held by who replaces the filter or clears bits in it.
	upkeep sync.Mutex

	// clock is in seconds since the epoch. Until the first Advance nothing is past.
	clock atomic.Uint32
	// used and total count the slots in use, by kind and in all.
	used  [kinds]atomic.Int64
	total atomic.Int64
	// version counts the changes.
	version atomic.Uint64

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
	s := &Store{limit: limit, shardBits: shardBitsFor(limit)}
	s.scopes.secret = secret
	for _, k := range Kinds() {
		s.shards[k] = make([]shard, 1<<s.shardBits)
	}
	s.filter.Store(newFilter(s.shardBits, 0))
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
	l := lookup{scope: s.scopes.of(c.Issuer), filter: s.filter.Load()}
	if c.TokenID != "" {
		s.begin(&l, KindToken, bytesOf(c.TokenID))
	}
	if c.SessionID != "" {
		s.begin(&l, KindSession, bytesOf(c.SessionID))
	}
	if c.Subject != "" {
		s.begin(&l, KindSubject, bytesOf(c.Subject))
	}
	if c.ClientID != "" {
		s.begin(&l, KindClient, bytesOf(c.ClientID))
	}
	if k == nil || s.used[KindKeyID].Load()|s.used[KindThumbprint].Load() == 0 {
		return s.end(&l, c, nil)
	}
	known, version := s.keys.absent(l.scope, k)
	if known {
		return s.end(&l, c, nil)
	}
	if kind := s.findKey(l.scope, c, k); kind != KindNone {
		return kind
	}
	s.keys.remember(l.scope, k, version)
	return s.end(&l, c, nil)
}

func (s *Store) findKey(sc *scope, c *token.Claims, k *token.Key) Kind {
	l := lookup{scope: sc, filter: s.filter.Load()}
	if id := k.ID(); id != "" {
		s.begin(&l, KindKeyID, bytesOf(id))
	}
	tp := k.Thumbprint()
	s.begin(&l, KindThumbprint, tp[:])
	return s.end(&l, c, k)
}

// lookup is the places in the filter of all the identifiers of one token. They are worked out for all of them before the
// first one is read: so the processor waits for its cache misses together and not for one after the other.
type lookup struct {
	scope  *scope
	filter *filter
	places [maxPlaces]place
	begun  int
}

// maxPlaces: a token has a jti, sid, sub and client; a key has less.
const maxPlaces = 4

func (s *Store) shard(kind Kind, quick uint64) *shard {
	return &s.shards[kind][quick>>(64-s.shardBits)]
}

func (s *Store) begin(l *lookup, kind Kind, id []byte) {
	if s.used[kind].Load() == 0 {
		return
	}
	quick := l.scope.keys[kind].quick(id)
	l.places[l.begun] = l.filter.place(quick, kind)
	l.begun++
}

func (s *Store) end(l *lookup, c *token.Claims, k *token.Key) Kind {
	for i := range l.places[:l.begun] {
		p := &l.places[i]
		if p.absent() {
			continue
		}
		if s.covers(l.scope, p, c, k) {
			s.counters.hits[p.kind].Add(1)
			return p.kind
		}
	}
	return KindNone
}

// covers settles what the filter left open.
func (s *Store) covers(sc *scope, p *place, c *token.Claims, k *token.Key) bool {
	a := s.shard(p.kind, p.quick).array.Load()
	if a == nil {
		return false
	}
	slot, _ := a.find(a.home(p.quick<<s.shardBits), p.quick, func(sure uint64) bool {
		key := &sc.keys[p.kind]
		switch p.kind {
		case KindToken:
			return sure == key.sure(bytesOf(c.TokenID))
		case KindSession:
			return sure == key.sure(bytesOf(c.SessionID))
		case KindSubject:
			return sure == key.sure(bytesOf(c.Subject))
		case KindClient:
			return sure == key.sure(bytesOf(c.ClientID))
		case KindKeyID:
			return sure == key.sure(bytesOf(k.ID()))
		default:
			tp := k.Thumbprint()
			return sure == key.sure(tp[:])
		}
	})
	if slot == nil {
		return false
	}
	until, before := slot.get()
	return inForce(until, s.clock.Load()) && issuedBy(p.kind, before, c.IssuedAt)
}

// issuedBy: CAEP 1.0 section 3.1 ends what was there at the moment of the event, which is the same second as well. A
// token without iat (0) is never younger than any moment.
func issuedBy(kind Kind, before uint32, issuedAt int64) bool {
	return !kind.dated() || before == noEnd || issuedAt <= int64(before)
}

// bytesOf gives the hash functions, which do not write, a string's bytes without copying them.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
