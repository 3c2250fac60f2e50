package cache

import (
	"testing"
)

func benchVerdicts(b *testing.B, n int) (*Verdicts, [][]byte) {
	b.Helper()
	c := newVerdicts(b, VerdictsConfig{MaxBytes: 64 << 20})
	pair := newPair(b, "a")
	key, verifier := read(b, pair)[0], newVerifier(b)
	raws := make([][]byte, n)
	for i := range raws {
		raws[i] = append(pair.mint(b, "s", epoch+600), make([]byte, 600)...) // About 900 bytes, as real ones.
		raws[i][len(raws[i])-1], raws[i][len(raws[i])-2] = byte(i), byte(i>>8)
		put(c, raws[i], verdict("s", epoch+600, key), verifier, testNow)
	}
	return c, raws
}

func BenchmarkHit(b *testing.B) {
	c, raws := benchVerdicts(b, 1000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		v, ok := c.Get(raws[i%len(raws)])
		if !ok || v.Usable(testNow, v.Verifier) != nil {
			b.Fatal("no hit")
		}
		i++
	}
}

// What is left when the digest is known: the cache itself.
func BenchmarkHitByDigest(b *testing.B) {
	c, raws := benchVerdicts(b, 1000)
	digests := make([][32]byte, len(raws))
	for i, raw := range raws {
		digests[i] = Digest(raw)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := c.GetDigest(&digests[i%len(digests)]); !ok {
			b.Fatal("no hit")
		}
		i++
	}
}

func BenchmarkHitParallel(b *testing.B) {
	c, raws := benchVerdicts(b, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, ok := c.Get(raws[i%len(raws)]); !ok {
				b.Error("no hit")
				return
			}
		}
	})
}

func BenchmarkMissAndPut(b *testing.B) {
	c := newVerdicts(b, VerdictsConfig{MaxBytes: 8 << 20})
	verifier := newVerifier(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var digest [32]byte
		for i := uint64(0); pb.Next(); i++ {
			digest = Digest(append(digest[:], byte(i)))
			if _, ok := c.GetDigest(&digest); !ok {
				c.PutDigest(&digest, verdict("s", epoch+600, nil), verifier, testNow)
			}
		}
	})
}

func BenchmarkKeyLookup(b *testing.B) {
	var keys Keys
	replace(b, &keys, testNow, read(b, newPair(b, "a"), newPair(b, "b"))...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := keys.Key("b", "EdDSA"); err != nil {
			b.Fatal(err)
		}
	}
}
