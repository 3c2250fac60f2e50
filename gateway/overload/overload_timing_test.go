package overload

import (
	"net/netip"
	"testing"
	"time"
)

func BenchmarkAcquireUncontended(b *testing.B) {
	v, err := NewVerifications(VerificationsConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		if v.Acquire(now) == Admitted {
			v.Release(now, 0)
		}
	}
}

// BenchmarkAcquireInLine includes two ways through the network poller.
func BenchmarkAcquireInLine(b *testing.B) {
	v, err := NewVerifications(VerificationsConfig{Parallel: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if v.Acquire(now) == Admitted {
			v.Release(now, time.Second)
		}
	}
}

func BenchmarkEnterVerifyLeave(b *testing.B) {
	s := newTestShedder(b, ShedderConfig{})
	site := s.Site(1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if s.Enter(site) == Admitted {
				s.Verify()
				s.Leave(site)
			}
		}
	})
}

func BenchmarkArrive(b *testing.B) {
	l := rateLimits(b, RateLimitsConfig{Site: Rate{MaxPerSecond, MaxBurst}, Source: Rate{1000, 1000}})
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			l.Arrive(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), now)
		}
	})
}

func BenchmarkClient(b *testing.B) {
	l := rateLimits(b, RateLimitsConfig{Client: Rate{1000, 1000}})
	now := time.Now()
	keys := make([]*Key, 1<<16)
	for i := range keys {
		keys[i] = numbered(i)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		l.Client(keys[n%len(keys)], now)
	}
}
