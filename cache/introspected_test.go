package cache

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestCheckedWithinCountsFromWhenTheIssuerWasAsked(t *testing.T) {
	t.Parallel()
	v := &Verdict{Checked: testNow.UnixNano()}
	for after, want := range map[time.Duration]bool{
		0: true, time.Minute - 1: true, time.Minute: false, time.Hour: false,
		-time.Minute + 1: true, -time.Minute: false, // The clock was set back.
	} {
		if got := v.CheckedWithin(time.Minute, testNow.Add(after)); got != want {
			t.Errorf("after %v: %v", after, got)
		}
	}
	if (&Verdict{}).CheckedWithin(time.Minute, time.Unix(0, 0)) {
		t.Error("an issuer that was never asked")
	}
}

func TestCheckedVerdictKeepsWhenTheIssuerWasAsked(t *testing.T) {
	t.Parallel()
	c, verifier := newVerdicts(t, VerdictsConfig{}), newVerifier(t)
	digest := Digest([]byte("opaque"))
	returned := c.PutChecked(&digest, verdict("s", epoch+600, nil), verifier, testNow.Add(-time.Second), testNow)
	c.cache.Wait()
	got, ok := c.GetDigest(&digest)
	if !ok || got != returned || got.Checked != testNow.Add(-time.Second).UnixNano() || got.Usable(testNow, verifier) != nil {
		t.Fatalf("%+v, %v", got, ok)
	}
	// A verdict that is not kept is returned all the same.
	if v := c.PutChecked(&digest, verdict("s", epoch, nil), verifier, testNow, testNow); v.Claims.Expand().ExpiresAt != epoch {
		t.Errorf("%+v", v)
	}
}

func TestRefusalIsKeptForItsTimeAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewVerdicts(VerdictsConfig{MaxBytes: MinVerdictBytes})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		verifier, digest := newVerifier(t), Digest([]byte("unknown"))
		c.PutRefused(&digest, token.ErrInactive, verifier, time.Now(), 10*time.Second)
		c.cache.Wait()
		v, ok := c.GetDigest(&digest)
		if !ok || !errors.Is(v.Usable(time.Now(), verifier), token.ErrInactive) {
			t.Fatalf("%+v, %v", v, ok)
		}
		if s := c.Stats(); s.Entries != 1 || s.Bytes != entryBytes {
			t.Errorf("%+v", s)
		}
		<-time.After(10*time.Second + 1)
		if _, ok := c.GetDigest(&digest); ok {
			t.Error("kept beyond its time")
		}
		c.PutRefused(&digest, token.ErrInactive, verifier, time.Now(), 0)
		c.cache.Wait()
		if _, ok := c.GetDigest(&digest); ok {
			t.Error("kept for no time")
		}
	})
}

// A revoked token must not come back from the cache: neither what is in it goes on being found, nor what is still on
// its way into it.
func TestForgottenVerdictIsNotFoundAgain(t *testing.T) {
	t.Parallel()
	c, verifier := newVerdicts(t, VerdictsConfig{}), newVerifier(t)
	for i := range 500 {
		tok := tokenNumber(i)
		digest := Digest(tok)
		c.PutDigest(&digest, verdict("s", epoch+600, nil), verifier, testNow)
		if i%2 == 0 {
			c.cache.Wait()
		}
		c.Forget(&digest)
		if _, ok := c.GetDigest(&digest); ok {
			t.Fatalf("verdict %d is still there", i)
		}
	}
	c.cache.Wait()
	if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Hits != 0 {
		t.Errorf("stats %+v", s)
	}
	c.Close()
	digest := Digest(nil)
	c.Forget(&digest)
}

// The cost of a refusal is the memory that it takes, measured: again where what other tests left behind was freed in the
// middle of it.
func TestCostIsWhatARefusalTakes(t *testing.T) {
	var ratio float64
	for range 4 {
		if ratio = refusalTakes(t); ratio >= 0.75 && ratio <= 1.25 {
			return
		}
	}
	t.Errorf("a refusal takes %.2f times its cost", ratio)
}

// refusalTakes fills a cache with refusals and returns what they take as a multiple of what they are said to.
func refusalTakes(t *testing.T) float64 {
	t.Helper()
	const entries = 50_000
	c := newVerdicts(t, VerdictsConfig{MaxBytes: 64 << 20})
	verifier := newVerifier(t)
	before := heapInUse()
	for i := range entries {
		digest := Digest(fmt.Appendf(nil, "random-%d", i))
		c.PutRefused(&digest, token.ErrInactive, verifier, testNow, time.Hour+time.Duration(i%1800)*time.Second)
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
	t.Logf("a refusal costs %d bytes and takes %d", s.Bytes/entries, taken/entries)
	c.Close()
	return float64(taken) / float64(s.Bytes)
}
