package statuslist

import (
	"sync/atomic"
	"testing"
	"time"
)

// One look-up in a list of 10 million entries, by all processors at once.
func BenchmarkPeek(b *testing.B) {
	s := newSigner(b, "k")
	p := &provider{answer: serves(b, s, object{"status_list": object{"bits": 1, "lst": pack(b, make([]byte, 10_000_000/8))}})}
	cfg := goodConfig(b, p, ring(s))
	cfg.Wait = time.Minute
	l := open(b, cfg)
	if got := l.check(b, listURI, 0); got != Valid {
		b.Fatal(got)
	}
	now := time.Now()
	var start atomic.Uint64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		i := start.Add(1_234_567)
		for pb.Next() {
			i = (i*2862933555777941757 + 3037000493) // a generator of its own, so that no two look near
			if l.Peek(listURI, i%10_000_000, now) != Valid {
				b.Error("lost")
				return
			}
		}
	})
}

// What a fetched list of 10 million entries costs, 2% of them revoked.
func BenchmarkTake(b *testing.B) {
	s := newSigner(b, "k")
	data := make([]byte, 10_000_000/8)
	for i := range 200_000 {
		at := uint64(i) * 2654435761 % 10_000_000
		data[at/8] |= 1 << (at % 8)
	}
	list := s.sign(b, nil, object{
		"sub": listURI, "iat": time.Now().Unix(), "status_list": object{"bits": 1, "lst": pack(b, data)},
	})
	p := &provider{answer: serves(b, s, nil, 0)}
	l := open(b, goodConfig(b, p, ring(s)))
	b.ReportAllocs()
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		li := newList(listURI, false, time.Now())
		if changed, err := l.take(li, list); err != nil || !changed {
			b.Fatal(err)
		}
		l.cfg.Memory.release(int64(len(data)))
	}
}
