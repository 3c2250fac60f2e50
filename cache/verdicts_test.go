package cache

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// put puts a verdict and waits until the cache has taken it in.
func put(c *Verdicts, tok []byte, v token.Verified, under *token.Verifier, now time.Time) {
	c.Put(tok, v, under, now)
	c.cache.Wait()
}

func TestVerdictIsFoundByItsWholeToken(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{})
	pair, verifier := newPair(t, "a"), newVerifier(t)
	key := read(t, pair)[0]
	raw := pair.mint(t, "s", epoch+600)
	put(c, raw, verdict("s", epoch+600, key), verifier, testNow)
	got, ok := c.Get(raw)
	if !ok || got.Claims.Expand().Subject != "s" || got.Key != key || got.Verifier != verifier {
		t.Fatalf("got %+v, %v", got, ok)
	}
	digest := Digest(raw)
	if again, ok := c.GetDigest(&digest); !ok || again != got {
		t.Error("not found by its digest")
	}
	for _, other := range [][]byte{raw[:len(raw)-1], append([]byte(string(raw)), 'A'), []byte(strings.ToUpper(string(raw))), nil} {
		if _, ok := c.Get(other); ok {
			t.Errorf("found by %d other bytes", len(other))
		}
	}
	if s := c.Stats(); s.Hits != 2 || s.Misses != 4 || s.Entries != 1 || s.Bytes != got.cost() {
		t.Errorf("stats %+v", s)
	}
}

func TestHasFindsWhatGetFindsAndCountsOnlyWhatIsNotThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newVerdicts(t, VerdictsConfig{})
		pair, verifier := newPair(t, "a"), newVerifier(t)
		raw := pair.mint(t, "s", epoch+600)
		digest, other := Digest(raw), Digest([]byte("another"))
		if c.Has(&digest) {
			t.Error("found before it was put")
		}
		now := time.Now()
		put(c, raw, verdict("s", now.Add(time.Minute).Unix(), read(t, pair)[0]), verifier, now)
		if !c.Has(&digest) || c.Has(&other) {
			t.Error("not found, or another one is")
		}
		if s := c.Stats(); s.Hits != 0 || s.Misses != 2 {
			t.Errorf("stats %+v", s)
		}
		time.Sleep(2 * time.Minute)
		if _, ok := c.GetDigest(&digest); ok || c.Has(&digest) {
			t.Error("found behind its end")
		}
		c.Close()
		if c.Has(&digest) {
			t.Error("found after Close")
		}
	})
}

// Two tokens whose digests share the 64 bits that ristretto looks at: neither is ever answered with the other's claims.
func TestCollisionNeverServesAnothersClaims(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{})
	key, verifier := read(t, newPair(t, "a"))[0], newVerifier(t)
	mine := Digest([]byte("mine"))
	others := map[string][32]byte{"last byte": mine, "ninth byte": mine, "all but the hash": mine}
	for name, at := range map[string][]int{"last byte": {31}, "ninth byte": {8}, "all but the hash": {8, 9, 10, 20, 30, 31}} {
		d := others[name]
		for _, i := range at {
			d[i] ^= 0xff
		}
		others[name] = d
	}
	c.PutDigest(&mine, verdict("mine", epoch+600, key), verifier, testNow)
	c.cache.Wait()
	for name, theirs := range others {
		if v, ok := c.GetDigest(&theirs); ok {
			t.Errorf("%s: served the claims of %q", name, v.Claims.Expand().Subject)
		}
		c.PutDigest(&theirs, verdict("theirs", epoch+600, key), verifier, testNow)
		c.cache.Wait()
		if v, ok := c.GetDigest(&mine); ok && v.Claims.Expand().Subject != "mine" {
			t.Errorf("%s: served the claims of %q", name, v.Claims.Expand().Subject)
		}
		v, ok := c.GetDigest(&theirs)
		if ok && v.Claims.Expand().Subject != "theirs" {
			t.Errorf("%s: served the claims of %q", name, v.Claims.Expand().Subject)
		}
		if !ok {
			t.Errorf("%s: the newer verdict is not found", name)
		}
	}
	if s := c.Stats(); s.Entries != 1 {
		t.Errorf("one slot holds %d entries", s.Entries)
	}
}

func TestUsableChecksConfigurationKeyAndDates(t *testing.T) {
	t.Parallel()
	verifier, other := newVerifier(t), newVerifier(t)
	fresh := func() *Verdict {
		return &Verdict{
			Claims:   (&token.Claims{ExpiresAt: epoch + 1, NotBefore: epoch - 1}).Compact(),
			Key:      read(t, newPair(t, "a"))[0],
			Verifier: verifier,
		}
	}
	gone := fresh()
	gone.Key.Withdraw()
	unconfigured := fresh()
	unconfigured.Verifier = nil
	opaque := fresh()
	opaque.Key = nil
	refused := &Verdict{Refused: token.ErrInactive, Verifier: verifier}
	for _, c := range []struct {
		name    string
		verdict *Verdict
		now     time.Time
		current *token.Verifier
		want    error
	}{
		{"good", fresh(), testNow, verifier, nil},
		{"last moment", fresh(), testNow.Add(time.Second - 1), verifier, nil},
		{"expired", fresh(), testNow.Add(time.Second), verifier, token.ErrExpired},
		{"first moment", fresh(), testNow.Add(-time.Second), verifier, nil},
		{"not yet valid", fresh(), testNow.Add(-time.Second - 1), verifier, token.ErrNotYetValid},
		{"key withdrawn", gone, testNow, verifier, token.ErrKeyWithdrawn},
		{"configuration superseded", fresh(), testNow, other, ErrSuperseded},
		{"issuer no longer configured", fresh(), testNow, nil, ErrSuperseded},
		{"reached under no configuration", unconfigured, testNow, nil, ErrSuperseded},
		{"without a key", opaque, testNow, verifier, nil},
		{"without a key, expired", opaque, testNow.Add(time.Second), verifier, token.ErrExpired},
		{"refused", refused, testNow, verifier, token.ErrInactive},
		{"refused, configuration superseded", refused, testNow, other, ErrSuperseded},
	} {
		if err := c.verdict.Usable(c.now, c.current); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestUsableGrantsTheLeewayOfTheConfiguration(t *testing.T) {
	t.Parallel()
	verifier, err := token.NewVerifier(token.Profile{Issuer: testIssuer, Algorithms: []string{"EdDSA"}, AudienceUnchecked: true, Leeway: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	v := &Verdict{Claims: (&token.Claims{ExpiresAt: epoch}).Compact(), Key: read(t, newPair(t, "a"))[0], Verifier: verifier}
	if err := v.Usable(testNow.Add(5*time.Second-1), verifier); err != nil {
		t.Errorf("within: %v", err)
	}
	if err := v.Usable(testNow.Add(5*time.Second), verifier); !errors.Is(err, token.ErrExpired) {
		t.Errorf("beyond: %v", err)
	}
}

// Invariant 4: the removal of a key voids its verdicts at once, without any sweep of the cache.
func TestRemovedKeyTakesItsVerdictsAtOnce(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{})
	var k Keys
	a, b := newPair(t, "a"), newPair(t, "b")
	verifier := newVerifier(t)
	replace(t, &k, testNow, read(t, a, b)...)
	for _, p := range []pair{a, b} {
		raw := p.mint(t, "s", epoch+600)
		parsed, err := token.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		verified, err := verifier.Verify(&parsed, &k, testNow)
		if err != nil {
			t.Fatal(err)
		}
		put(c, raw, verified, verifier, testNow)
		v, ok := c.Get(raw)
		if !ok || v.Usable(testNow, verifier) != nil {
			t.Fatal("not usable to begin with")
		}
		if p.jwk["kid"] == "b" {
			break
		}
		replace(t, &k, testNow, read(t, b)...)
		if err := v.Usable(testNow, verifier); !errors.Is(err, token.ErrKeyWithdrawn) {
			t.Errorf("of the removed key: %v", err)
		}
	}
}

// The cache's clock is real inside ristretto: the bubble's.
func TestNothingIsKeptBeyondExpOrAge(t *testing.T) {
	for name, c := range map[string]struct {
		exp, maxAge time.Duration
		want        time.Duration
	}{
		"exp":                {time.Minute, 0, time.Minute},
		"exp, before age":    {time.Minute, time.Hour, time.Minute},
		"age, before exp":    {time.Hour, time.Minute, time.Minute},
		"exp in one second":  {time.Second, 0, time.Second},
		"expired":            {-time.Second, 0, 0},
		"expires now":        {0, 0, 0},
		"a fraction of time": {time.Second, time.Nanosecond, time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache, err := NewVerdicts(VerdictsConfig{MaxBytes: MinVerdictBytes, MaxAge: c.maxAge})
				if err != nil {
					t.Fatal(err)
				}
				defer cache.Close()
				now := time.Now() // Whole seconds: the bubble starts at midnight.
				put(cache, []byte("t"), verdict("s", now.Add(c.exp).Unix(), nil), nil, now)
				if _, ok := cache.Get([]byte("t")); ok != (c.want > 0) {
					t.Fatalf("kept at first: %v", ok)
				}
				<-time.After(c.want + 1) // ristretto keeps an entry at the very moment of its end, and not a moment longer.
				if _, ok := cache.Get([]byte("t")); ok {
					t.Errorf("still kept after %v", c.want)
				}
				// Its memory comes back as well, some ticks later.
				<-time.After(time.Minute)
				synctest.Wait()
				if s := cache.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Evicted != 0 || (s.Expired == 1) != (c.want > 0) {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// Whatever is put, the cache stays within its bound.
func TestBytesAreBounded(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{MaxBytes: MinVerdictBytes})
	verifier := newVerifier(t)
	for i := range 20_000 {
		tok := tokenNumber(i)
		c.Put(tok, verdict(fmt.Sprintf("subject-%d", i), epoch+600, nil), verifier, testNow)
		c.Get(tok)
		if i%512 == 0 {
			c.cache.Wait()
			if s := c.Stats(); s.Bytes > MinVerdictBytes {
				t.Fatalf("%d bytes after %d", s.Bytes, i)
			}
		}
	}
	c.cache.Wait()
	s := c.Stats()
	if s.Bytes > MinVerdictBytes || s.Bytes < MinVerdictBytes/2 {
		t.Errorf("%d bytes of %d", s.Bytes, MinVerdictBytes)
	}
	if s.Entries > s.Bytes/entryBytes || s.Entries < s.Bytes/(entryBytes+100) {
		t.Errorf("%d entries in %d bytes", s.Entries, s.Bytes)
	}
	if s.Evicted == 0 || s.Expired != 0 || int64(s.Evicted+s.Rejected)+s.Entries != 20_000 {
		t.Errorf("stats do not add up: %+v", s)
	}
}

// The cost of an entry is the memory that it takes, measured.
func TestCostIsWhatAnEntryTakes(t *testing.T) {
	for _, c := range []struct {
		name   string
		status func(i int) token.StatusReference
		most   float64
	}{
		{"no list", func(int) token.StatusReference { return token.StatusReference{} }, 1.25},
		{"one list for all", func(i int) token.StatusReference {
			return token.NewStatusReference("https://issuer.example/status/2025-06/1", uint64(i))
		}, 1.25},
		// Sharing a name costs more than the name where nobody shares it.
		{"a list for each", func(i int) token.StatusReference {
			return token.NewStatusReference(fmt.Sprintf("https://issuer.example/status/2025-06/%036d", i), uint64(i))
		}, 1.5},
	} {
		t.Run(c.name, func(t *testing.T) { testCost(t, c.status, c.most) })
	}
}

func testCost(t *testing.T, status func(i int) token.StatusReference, most float64) {
	t.Helper()
	const entries = 50_000
	c := newVerdicts(t, VerdictsConfig{MaxBytes: 64 << 20})
	verifier := newVerifier(t)
	before := heapInUse()
	for i := range entries {
		claims := &token.Claims{Issuer: testIssuer, ExpiresAt: epoch + 600 + int64(i%1800)}
		// One piece of memory for all strings, as Verify makes them.
		all := fmt.Sprintf("%036d%036d%036dportalloa2", i, i, i)
		claims.Subject, claims.TokenID, claims.SessionID = all[:36], all[36:72], all[72:108]
		claims.ClientID, claims.ACR = all[108:114], all[114:]
		claims.Status = status(i)
		c.Put(tokenNumber(i), token.Verified{Claims: claims}, verifier, testNow)
		if i%1000 == 0 {
			c.cache.Wait()
		}
	}
	c.cache.Wait()
	taken := heapInUse() - before
	s := c.Stats()
	if s.Entries != entries {
		t.Fatalf("%d entries of %d kept", s.Entries, entries)
	}
	t.Logf("an entry costs %d bytes and takes %d", s.Bytes/entries, taken/entries)
	if ratio := float64(taken) / float64(s.Bytes); ratio < 0.75 || ratio > most {
		t.Errorf("an entry takes %.2f times its cost", ratio)
	}
	runtime.KeepAlive(c)
}

func TestClearForgetsAndTheCacheGoesOn(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{})
	for i := range 100 {
		c.Put(tokenNumber(i), verdict("s", epoch+600, nil), nil, testNow)
	}
	c.Clear()
	for i := range 100 {
		if _, ok := c.Get(tokenNumber(i)); ok {
			t.Fatalf("token %d is still there", i)
		}
	}
	if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Evicted != 0 || s.Expired != 0 {
		t.Errorf("stats %+v", s)
	}
	put(c, tokenNumber(1), verdict("s", epoch+600, nil), nil, testNow)
	if _, ok := c.Get(tokenNumber(1)); !ok {
		t.Error("keeps nothing any more")
	}
}

func TestClosedCacheFindsAndKeepsNothing(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{})
	put(c, []byte("t"), verdict("s", epoch+600, nil), nil, testNow)
	c.Close()
	c.Close()
	c.Clear()
	c.Put([]byte("u"), verdict("s", epoch+600, nil), nil, testNow)
	for _, tok := range []string{"t", "u"} {
		if _, ok := c.Get([]byte(tok)); ok {
			t.Errorf("found %s", tok)
		}
	}
	if s := c.Stats(); s.Entries != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestVerdictsConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []VerdictsConfig{{}, {MaxBytes: -1}, {MaxBytes: MinVerdictBytes - 1}, {MaxBytes: MaxVerdictBytes + 1}, {MaxBytes: MinVerdictBytes, MaxAge: -1}} {
		if _, err := NewVerdicts(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newVerdicts(t, VerdictsConfig{MaxBytes: MinVerdictBytes})
	verifier := newVerifier(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 2_000 {
				n := (i*7 + worker) % 500
				tok := tokenNumber(n)
				v, ok := c.Get(tok)
				switch {
				case ok && v.Claims.Expand().Subject != string(tok):
					t.Errorf("%s got the claims of %s", tok, v.Claims.Expand().Subject)
				case !ok:
					c.Put(tok, verdict(string(tok), epoch+600, nil), verifier, testNow)
				}
				if worker == 0 && i%200 == 0 {
					c.Clear()
					c.Stats()
				}
			}
		})
	}
	group.Wait()
	c.Clear()
	if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Hits+s.Misses != 16_000 {
		t.Errorf("stats %+v", s)
	}
}
