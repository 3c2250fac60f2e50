package revocation

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// model is the store as one would write it without a thought for speed: the authority in what follows.
type model struct {
	now     int64
	entries map[modelKey]modelTimes
}

type modelKey struct {
	kind       Kind
	issuer, id string
}

type modelTimes struct{ before, until int64 }

func (m *model) add(e Entry) {
	k := modelKey{e.Kind, e.Issuer, e.ID}
	n := modelTimes{until: e.Until.Unix(), before: 1 << 62}
	if !e.Before.IsZero() {
		n.before = e.Before.Unix()
	}
	if n.until <= m.now {
		return
	}
	if old, ok := m.entries[k]; ok && old.until > m.now {
		n = modelTimes{max(old.before, n.before), max(old.until, n.until)}
	}
	m.entries[k] = n
}

func (m *model) in(kind Kind, issuer, id string, iat int64) bool {
	e, ok := m.entries[modelKey{kind, issuer, id}]
	if !ok || e.until <= m.now {
		return false
	}
	return kind != KindSubject && kind != KindClient || iat <= e.before
}

func (m *model) revoked(c *token.Claims, k *token.Key) bool {
	return m.in(KindToken, c.Issuer, c.TokenID, 0) || m.in(KindSession, c.Issuer, c.SessionID, 0) ||
		m.in(KindSubject, c.Issuer, c.Subject, c.IssuedAt) || m.in(KindClient, c.Issuer, c.ClientID, c.IssuedAt) ||
		k != nil && (m.in(KindKeyID, c.Issuer, k.ID(), 0) || m.in(KindThumbprint, c.Issuer, thumbprintOf(k), 0))
}

// world is a small one, so that entries meet, expire and come again.
type world struct {
	store *Store
	model model
	keys  []*token.Key
	next  func(n int) int // A choice from 0 to n-1.
	wide  int             // How many identifiers there are of a kind.
}

func newWorld(tb testing.TB, wide int, next func(int) int) *world {
	return &world{
		store: newStore(tb, Config{MaxEntries: 1_000_000}),
		model: model{now: epoch, entries: make(map[modelKey]modelTimes)},
		keys:  []*token.Key{nil, newKey(tb, "kid-0"), newKey(tb, "kid-1"), newKey(tb, "kid-2")},
		next:  next,
		wide:  wide,
	}
}

func (w *world) issuer() string {
	return []string{issuer, legacy, "https://third.example.vn"}[w.next(3)]
}

func (w *world) entry() Entry {
	e := Entry{Kind: Kinds()[w.next(6)], Issuer: w.issuer(), Until: time.Unix(w.model.now+int64(w.next(120))-20, 0)}
	switch e.Kind {
	case KindKeyID:
		e.ID = fmt.Sprint("kid-", w.next(3))
	case KindThumbprint:
		e.ID = thumbprintOf(w.keys[1+w.next(3)])
	case KindSubject, KindClient:
		if w.next(4) > 0 {
			e.Before = time.Unix(w.model.now+int64(w.next(60))-30, 0)
		}
		fallthrough
	default:
		e.ID = fmt.Sprint("id-", w.next(w.wide))
	}
	return e
}

func (w *world) token() (*token.Claims, *token.Key) {
	id := func() string {
		if w.next(8) == 0 {
			return ""
		}
		return fmt.Sprint("id-", w.next(w.wide))
	}
	return &token.Claims{
		Issuer: w.issuer(), TokenID: id(), SessionID: id(), Subject: id(), ClientID: id(),
		IssuedAt: w.model.now + int64(w.next(80)) - 40,
	}, w.keys[w.next(len(w.keys))]
}

// step does one thing to both, and compares.
func (w *world) step(tb testing.TB) {
	switch w.next(16) {
	case 0, 1, 2, 3, 4, 5, 6:
		e := w.entry()
		w.model.add(e)
		add(tb, w.store, e)
	case 7:
		w.model.now += int64(w.next(12))
		w.store.Advance(time.Unix(w.model.now, 0))
	case 8:
		if w.next(8) == 0 {
			w.store.Sweep(time.Unix(w.model.now, 0))
		}
	case 9:
		if w.next(16) == 0 {
			w.restart(tb)
		}
	default:
		c, k := w.token()
		if got, want := w.store.Revoked(c, k), w.model.revoked(c, k); got != want {
			tb.Fatalf("revoked = %v, want %v: %+v", got, want, *c)
		}
	}
}

// restart is what a journal does: another store under the same secret is given what the first one held.
func (w *world) restart(tb testing.TB) {
	s, err := New(Config{MaxEntries: 1_000_000}, w.store.scopes.secret)
	if err != nil {
		tb.Fatal(err)
	}
	s.Advance(time.Unix(w.model.now, 0))
	s.Grow(Kinds()[w.next(6)], w.next(100_000))
	n := 0
	for r := range w.store.Records() {
		if n++; s.AddRecords([]Record{r}) != nil {
			tb.Fatal("record refused")
		}
	}
	inForce := 0
	for _, e := range w.model.entries {
		if e.until > w.model.now {
			inForce++
		}
	}
	if n != inForce || s.Len() != n {
		tb.Fatalf("%d records, %d entries, want %d", n, s.Len(), inForce)
	}
	w.store = s
}

func TestStoreAgreesWithANaiveModel(t *testing.T) {
	t.Parallel()
	for _, wide := range []int{3, 50, 5000} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(wide, "/", seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, wide, rand.New(rand.NewPCG(seed, uint64(wide))).IntN)
				for range 20_000 {
					w.step(t)
				}
			})
		}
	}
}

func FuzzStoreAgreesWithANaiveModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte("\x01\x00\x00\x50\x01\x0a\x00\x00\x00\x01\x01\x01\x01\x01\x10\x00\x07\x0b\x09\x00"))
	f.Fuzz(func(t *testing.T, choices []byte) {
		w := newWorld(t, 4, func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0])
			choices = choices[1:]
			return c % n
		})
		for len(choices) > 0 {
			w.step(t)
		}
	})
}
