package journal

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func benchJournal(b *testing.B) *Journal {
	b.Helper()
	j, _, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j
}

func randomRecords(rng *rand.ChaCha8, n int) []revocation.Record {
	records := make([]revocation.Record, n)
	for i := range records {
		records[i] = revocation.Record{Kind: revocation.Kinds()[i%3], Until: 1<<32 - 2}
		binary.LittleEndian.PutUint64(records[i].Digest[:], rng.Uint64())
		binary.LittleEndian.PutUint64(records[i].Digest[8:], rng.Uint64())
	}
	return records
}

// The goal: 10 million entries in at most 5 s, be they in a snapshot or in a log.
func BenchmarkOpen(b *testing.B) {
	const n = 10_000_000
	if testing.Short() {
		b.Skip("short")
	}
	cfg := Config{Dir: b.TempDir(), LogBytes: 1 << 30, Store: revocation.Config{MaxEntries: 11_000_000}}
	j, _, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.NewChaCha8([32]byte{1})
	for range n / 50_000 {
		if err := j.AddRecords(randomRecords(rng, 50_000)); err != nil {
			b.Fatal(err)
		}
	}
	reopen := func(b *testing.B) {
		for b.Loop() {
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			var report Report
			if j, report, err = Open(cfg); err != nil || report.Entries != n {
				b.Fatal(err, report)
			}
			b.ReportMetric(float64(j.Store().Stats().Bytes)/(1<<20), "MiB")
		}
	}
	b.Run("log", reopen)
	b.Run("snapshot-write", func(b *testing.B) {
		for b.Loop() {
			j.counters.forced.Store(true)
			if err := j.Snapshot(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("snapshot", reopen)
	_ = j.Close()
}

// One entry in each call, with so many callers at once: what a receiver of events does.
func BenchmarkAdd(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			j := benchJournal(b)
			var seed atomic.Uint64
			b.SetParallelism(callers / 2) // On a machine of two cores.
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				rng := rand.NewChaCha8([32]byte{byte(seed.Add(1))})
				for pb.Next() {
					if err := j.AddRecords(randomRecords(rng, 1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			st := j.Stats()
			b.ReportMetric(float64(st.Records)/float64(max(st.Groups, 1)), "entries/sync")
		})
	}
}
