package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
)

const (
	// refusedWithin is the 99th percentile of the time from a revocation's
	// acknowledgement to the first refusal by the last of the nodes.
	refusedWithin = 250 * time.Millisecond
	timedEvents   = 10_000

	// startedWithin bounds a start with startedEntries revocations on disk.
	startedWithin  = 5 * time.Second
	startedEntries = 10_000_000
)

// BenchmarkFleetRevocation measures how long after its acknowledgement a revocation
// is in force on the last of three gateways, by asking each of them again and again.
// Every node takes revocations at the same time. It fails where the 99th percentile is
// above [refusedWithin].
func BenchmarkFleetRevocation(b *testing.B) {
	f := newRevocationFleet(b, "")
	var took []time.Duration
	var began time.Time
	for b.Loop() {
		tokens := f.mintMany(b, timedEvents)
		began = time.Now()
		took = f.timeRevocations(b, tokens)
	}
	rate := timedEvents / time.Since(began).Seconds()
	slices.Sort(took)
	at := func(percent int) time.Duration { return took[len(took)*percent/100] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(at(50).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(at(99).Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(rate, "events/s")
	if at(99) > refusedWithin {
		b.Errorf("p99 is %s, at most %s is allowed", at(99), refusedWithin)
	}
}

// timeRevocations revokes tokens one by one, on each node a third, and returns for
// each how long after that the last node began to refuse it.
func (f *revocationFleet) timeRevocations(b *testing.B, tokens []minted) []time.Duration {
	b.Helper()
	for _, g := range f.nodes {
		g.answersAll(b, tokens[:100], http.StatusOK)
	}
	took := make([]time.Duration, len(tokens))
	if err := f.each(func(i int) error {
		var conns [fleetNodes]*rawConn
		for n, g := range f.nodes {
			var err error
			if conns[n], err = dialRaw(g.data); err != nil {
				return err
			}
			defer conns[n].close()
		}
		for n := i; n < len(tokens); n += fleetNodes {
			request := rawRequest(http.MethodGet, "s.example", reading, tokens[n].raw)
			for _, conn := range conns {
				if status, _, err := conn.do(request); err != nil || status != http.StatusOK {
					return fmt.Errorf("before its revocation: %d, %w", status, err)
				}
			}
			if err := f.operators[i].revoke(f.nodes[i], ofTokens(tokens[n])...); err != nil {
				return err
			}
			acknowledged := time.Now()
			for _, conn := range conns {
				for status := 0; status != http.StatusUnauthorized; {
					var err error
					if status, _, err = conn.do(request); err != nil {
						return err
					}
					if time.Since(acknowledged) > patience {
						return fmt.Errorf("token %d is not refused", n)
					}
				}
			}
			took[n] = time.Since(acknowledged)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return took
}

// BenchmarkStartWithTenMillionRevocations measures how long the binary takes until it
// is ready, with all of them in a snapshot or all in the log. It fails where the
// median is above [startedWithin].
func BenchmarkStartWithTenMillionRevocations(b *testing.B) {
	if testing.Short() {
		b.Skip("writes some hundred megabytes")
	}
	for _, kept := range []string{"log", "snapshot"} {
		b.Run(kept, func(b *testing.B) {
			w := newRevocationWorld(b)
			c := revocationConfig{directory: newDirectory(b), revocation: "  max_entries: 11000000\n  log_bytes: 1GiB"}
			doomed, good := w.mint(b, nil), w.mint(b, nil)
			w.fill(b, c.directory, doomed, kept == "snapshot")
			if _, err := binary(); err != nil { // built before the clock runs
				b.Fatal(err)
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				g := w.serveReady(b, c)
				took = append(took, time.Since(began))
				b.StopTimer()
				if n := g.sum(b, "vneid_gateway_revocation_entries"); n != startedEntries {
					b.Fatalf("%v entries", n)
				}
				g.refuses(b, doomed)
				g.shows(b, good).echo(b)
				b.ReportMetric(float64(residentPeak(b, g.pid))/(1<<20), "peak-MiB")
				_ = g.signal(os.Kill)
				<-g.ended
				b.StartTimer()
			}
			slices.Sort(took)
			median := took[len(took)/2]
			b.ReportMetric(median.Seconds(), "median-s")
			b.ReportMetric(took[len(took)-1].Seconds(), "longest-s")
			if median > startedWithin {
				b.Errorf("a start took %s, at most %s is allowed", median, startedWithin)
			}
		})
	}
}

// fill writes a directory with [startedEntries] revocations, one of a token's.
func (w *revocationWorld) fill(b *testing.B, directory string, doomed minted, snapshot bool) {
	b.Helper()
	j, _, err := journal.Open(journal.Config{Dir: directory, LogBytes: 1 << 30, Store: revocation.Config{MaxEntries: startedEntries + 1}})
	if err != nil {
		b.Fatal(err)
	}
	if err := j.Add(revocation.Entry{
		Kind: revocation.KindToken, Issuer: doomed.Issuer, ID: doomed.ID, Until: time.Now().Add(time.Hour),
	}); err != nil {
		b.Fatal(err)
	}
	rng := rand.NewChaCha8([32]byte{1})
	until := uint32(time.Now().Add(24 * time.Hour).Unix())
	page := make([]revocation.Record, 0, 50_000)
	for n := 1; n < startedEntries; n++ {
		r := revocation.Record{Kind: revocation.Kinds()[n%2], Until: until}
		_, _ = rng.Read(r.Digest[:])
		if page = append(page, r); len(page) < cap(page) && n+1 < startedEntries {
			continue
		}
		if err := j.AddRecords(page); err != nil {
			b.Fatal(err)
		}
		page = page[:0]
	}
	if snapshot {
		if err := j.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
}
