package journal

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// model is what store and journal together promise, without a thought for speed or disks: whatever was acknowledged and
// is not past has to be in force, and nothing that was not asked for may be. Between the two lies what was asked for
// without being acknowledged, and what the store covers beyond an entry when it merges two: the later of both times.
type model struct {
	now   int64
	acked map[modelKey][]modelTimes
	asked map[modelKey]modelTimes // Merged.
}

type modelKey struct {
	kind       revocation.Kind
	issuer, id string
}

type modelTimes struct{ before, until int64 }

func timesOf(e revocation.Entry) modelTimes {
	t := modelTimes{before: 1 << 62, until: e.Until.Unix()}
	if !e.Before.IsZero() {
		t.before = e.Before.Unix()
	}
	return t
}

func (m *model) ask(e revocation.Entry) {
	k, t := modelKey{e.Kind, e.Issuer, e.ID}, timesOf(e)
	if t.until <= m.now {
		return
	}
	if old := m.asked[k]; old.until > m.now {
		t = modelTimes{max(old.before, t.before), max(old.until, t.until)}
	}
	m.asked[k] = t
}

func (m *model) acknowledge(e revocation.Entry) {
	k := modelKey{e.Kind, e.Issuer, e.ID}
	m.acked[k] = append(m.acked[k], timesOf(e))
}

// revoked tells whether the token has to be revoked, and whether it may be.
func (m *model) revoked(c *token.Claims, k *token.Key) (must, may bool) {
	keys := []modelKey{
		{revocation.KindToken, c.Issuer, c.TokenID},
		{revocation.KindSession, c.Issuer, c.SessionID},
		{revocation.KindSubject, c.Issuer, c.Subject},
		{revocation.KindClient, c.Issuer, c.ClientID},
	}
	if k != nil {
		keys = append(keys, modelKey{revocation.KindKeyID, c.Issuer, k.ID()}, modelKey{revocation.KindThumbprint, c.Issuer, thumbprintOf(k)})
	}
	for _, key := range keys {
		dated := key.kind == revocation.KindSubject || key.kind == revocation.KindClient
		covers := func(t modelTimes) bool { return t.until > m.now && (!dated || c.IssuedAt <= t.before) }
		for _, t := range m.acked[key] {
			must = must || covers(t)
		}
		may = may || covers(m.asked[key])
	}
	return must, may
}

// world is a journal on a directory that fails and crashes, beside its model.
type world struct {
	dir     *memory
	journal *Journal
	model   model
	keys    []*token.Key
	secret  revocation.Secret // Zero where the directory has its own.
	next    func(n int) int   // A choice from 0 to n-1.
	wide    int               // How many identifiers there are of a kind.

	// Look-ups of which the model knows the one right answer.
	revoked, free int
}

func newWorld(tb testing.TB, wide int, next func(int) int) *world {
	w := &world{
		dir:   newMemory(),
		model: model{now: epoch, acked: make(map[modelKey][]modelTimes), asked: make(map[modelKey]modelTimes)},
		keys:  []*token.Key{newKey(tb, "kid-0"), newKey(tb, "kid-1"), newKey(tb, "kid-2")},
		next:  next, wide: wide,
	}
	if next(2) == 0 {
		w.secret = revocation.NewSecret()
	}
	w.open(tb)
	return w
}

func newKey(tb testing.TB, kid string) *token.Key {
	tb.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, kid)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	keys, _, err := token.ParseKeySet(fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}]}`,
		kid, base64.RawURLEncoding.EncodeToString(public)), token.KeySetOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return keys[0]
}

func thumbprintOf(k *token.Key) string {
	tp := k.Thumbprint()
	return base64.RawURLEncoding.EncodeToString(tp[:])
}

// open starts on what is in the directory, with a configuration that may have changed since.
func (w *world) open(tb testing.TB) {
	w.dir.fault = nil
	cfg := testConfig()
	cfg.Secret = w.secret
	cfg.LogBytes = MinLogBytes << w.next(4)
	cfg.Store.MaxEntries = 50_000 << w.next(4)
	cfg.Now = func() time.Time { return time.Unix(w.model.now, 0) }
	j, report, err := open(cfg, w.dir)
	if err != nil || report.Lost {
		tb.Fatalf("open: %v, %+v, %v", err, report, w.dir.names())
	}
	w.journal = j
	inForce := 0
	for _, t := range w.model.asked {
		if t.until > w.model.now {
			inForce++
		}
	}
	if got := j.Store().Len(); got > inForce {
		tb.Fatalf("%d entries after a start, %d were asked for", got, inForce)
	}
}

func (w *world) issuer() string {
	return []string{issuer, "https://login.example.vn"}[w.next(2)]
}

func (w *world) entry() revocation.Entry {
	e := revocation.Entry{
		Kind: revocation.Kinds()[w.next(6)], Issuer: w.issuer(),
		Until: time.Unix(w.model.now+int64(w.next(120))-10, 0),
	}
	switch e.Kind {
	case revocation.KindKeyID:
		e.ID = w.keys[w.next(3)].ID()
	case revocation.KindThumbprint:
		e.ID = thumbprintOf(w.keys[w.next(3)])
	case revocation.KindSubject, revocation.KindClient:
		if w.next(4) > 0 {
			e.Before = time.Unix(w.model.now+int64(w.next(60))-30, 0)
		}
		fallthrough
	default:
		e.ID = fmt.Sprint("id-", w.next(w.wide))
	}
	return e
}

func (w *world) add() (acknowledged bool) {
	entries := make([]revocation.Entry, 1+w.next(3))
	for i := range entries {
		entries[i] = w.entry()
		w.model.ask(entries[i])
	}
	if w.journal.Add(entries...) != nil {
		return false
	}
	for _, e := range entries {
		w.model.acknowledge(e)
	}
	return true
}

// cut is a power cut after some of the operations that an Add or a snapshot consists of.
func (w *world) cut(tb testing.TB) {
	at := w.dir.ops + w.next(8)
	rng := rand.New(rand.NewPCG(uint64(w.next(256)), uint64(w.next(256))))
	var after *memory
	w.dir.fault = func(op int, _, _ string) error {
		if op > at && after == nil {
			w.dir.mu.Unlock()
			after = w.dir.crash(rng)
			w.dir.mu.Lock()
		}
		if after != nil {
			return syscall.EIO // Nothing of what follows reaches a disk, nor the one who asked.
		}
		return nil
	}
	if w.next(3) == 0 {
		_ = w.journal.Snapshot(tb.Context())
	} else {
		w.add()
	}
	if after == nil {
		after = w.dir.crash(rng)
	}
	w.dir = after
	w.open(tb)
}

// trouble is a disk that fails for some operations.
func (w *world) trouble() {
	from := w.dir.ops + w.next(6)
	to := from + 1 + w.next(6)
	w.dir.fault = func(op int, _, _ string) error {
		if op > from && op <= to {
			return errors.Join(errDisk, syscall.ENOSPC)
		}
		return nil
	}
}

func (w *world) look(tb testing.TB) {
	id := func() string { // Few at a time, so that what is found is seldom found twice.
		if w.next(3) > 0 {
			return ""
		}
		return fmt.Sprint("id-", w.next(w.wide))
	}
	c := &token.Claims{
		Issuer: w.issuer(), TokenID: id(), SessionID: id(), Subject: id(), ClientID: id(),
		IssuedAt: w.model.now + int64(w.next(80)) - 40,
	}
	var k *token.Key
	if w.next(4) == 0 {
		k = w.keys[w.next(len(w.keys))]
	}
	got := w.journal.Store().Revoked(c, k)
	switch must, may := w.model.revoked(c, k); {
	case must && !got:
		tb.Fatalf("forgotten: %+v", *c)
	case got && !may:
		tb.Fatalf("invented: %+v", *c)
	case must:
		w.revoked++
	case !may:
		w.free++
	}
}

// step does one thing to both, or compares.
func (w *world) step(tb testing.TB) {
	switch w.next(24) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		w.add()
	case 8, 9:
		w.model.now += int64(w.next(12))
		w.journal.Store().Advance(time.Unix(w.model.now, 0))
	case 10:
		w.journal.Store().Sweep(time.Unix(w.model.now, 0))
	case 11:
		_ = w.journal.Snapshot(tb.Context())
	case 12:
		if err := w.journal.Close(); err != nil {
			tb.Fatal(err)
		}
		w.open(tb)
	case 13:
		w.cut(tb)
	case 14:
		w.trouble()
	default:
		w.look(tb)
	}
}

func TestStoreAndJournalAgreeWithANaiveModel(t *testing.T) {
	t.Parallel()
	for _, wide := range []int{2, 20, 300} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(wide, "/", seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, wide, rand.New(rand.NewPCG(seed, uint64(wide))).IntN)
				for range 2500 {
					w.step(t)
				}
				if w.revoked < 50 || w.free < 50 {
					t.Errorf("only %d revoked and %d free tokens were looked up", w.revoked, w.free)
				}
			})
		}
	}
}

func FuzzStoreAndJournalAgreeWithANaiveModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x50\x01\x0d\x00\x00\x00\x01\x01\x01\x0f\x00\x00\x00\x00\x00\x00\x0c\x0f"))
	f.Add([]byte("\x00\x03\x03\x00\x02\x02\x00\x70\x01\x30\x01\x0e\x00\x01\x00\x01\x02\x00\x70\x01\x30\x01\x0b\x0d\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, choices []byte) {
		choices = choices[:min(len(choices), 4000)]
		w := newWorld(t, 3, func(n int) int {
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
