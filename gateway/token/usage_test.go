package token

import (
	"sync"
	"testing"
	"time"
)

func TestUsesAreCountedExactlyWhoeverCounts(t *testing.T) {
	t.Parallel()
	var k Key
	if got := k.Usage(); got != (Usage{}) {
		t.Errorf("unused: %+v", got)
	}
	const workers, uses = 8, 5000
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for n := range uses {
				k.Use(&Claims{ExpiresAt: epoch + int64(n*workers+w)}, byte(n*31+w), epoch+int64(n))
				_ = k.Usage()
			}
		})
	}
	working.Wait()
	got := k.Usage()
	if got.Tokens != workers*uses || got.LatestExpiry != epoch+workers*uses-1 {
		t.Errorf("%+v", got)
	}
	if got.FirstSeen < epoch || got.FirstSeen >= epoch+uses || got.LastSeen < got.FirstSeen || got.LastSeen > epoch+uses-1 {
		t.Errorf("seen from %d to %d", got.FirstSeen, got.LastSeen)
	}
}

func TestUsageNeverGoesBack(t *testing.T) {
	t.Parallel()
	var k Key
	for _, use := range []struct{ now, exp int64 }{{100, 900}, {200, 800}, {150, 700}} {
		k.Use(&Claims{ExpiresAt: use.exp}, 0, use.now)
	}
	if got, want := k.Usage(), (Usage{Tokens: 3, FirstSeen: 100, LastSeen: 200, LatestExpiry: 900}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func BenchmarkUse(b *testing.B) {
	var k Key
	c := &Claims{ExpiresAt: time.Now().Add(time.Hour).Unix()}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		now := time.Now().Unix()
		for stripe := byte(0); pb.Next(); stripe++ {
			k.Use(c, stripe, now)
		}
	})
}
