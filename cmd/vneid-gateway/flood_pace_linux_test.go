package main

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	// pacedFlood is the rate of tokens under distinct unknown keys: 100,000 in
	// 10 s. pacedSlows bounds the median time of a warm request beside them, as
	// a multiple of what it is without.
	pacedFlood  = 10_000
	pacedSlows  = 1.05
	pacedRounds = 15
)

// BenchmarkWarmBesideAHundredThousandUnknownKeys measures how long warm requests
// take the real binary, alone and beside tokens under 10,000 distinct unknown
// keys a second, the clients and the upstream on another processor. Rounds
// alternate; the median of their ratios counts, so that both sides met the same
// machine.
func BenchmarkWarmBesideAHundredThousandUnknownKeys(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("the clients need a processor of their own")
	}
	w := newStormWorld(b, "")
	requests := w.unknownKeys(b, pacedFlood*int(stormRound/time.Second)*(pacedRounds+1))
	flood := w.loop.stream(b, w.port, stormWarmConns, requests)
	flood.rate = pacedFlood
	for b.Loop() {
		var p50, p99 []float64
		for range pacedRounds {
			w.run(b, w.warm)
			alone, tail := w.warm.quantile(0.5), w.warm.quantile(0.99)
			used := w.run(b, w.warm, flood)
			p50 = append(p50, float64(w.warm.quantile(0.5))/float64(alone))
			p99 = append(p99, float64(w.warm.quantile(0.99))/float64(tail))
			b.Logf("warm alone p50 %s p99 %s; beside the flood p50 %s p99 %s, %d served, %d refused; unknown keys %d refused with 401; gateway %.0f%% of a processor, clients late by up to %s",
				alone, tail, w.warm.quantile(0.5), w.warm.quantile(0.99), w.warm.served, w.warm.refused, flood.other,
				100*used.Seconds()/stormRound.Seconds(), w.loop.late)
			if w.warm.refused+w.warm.other > 0 || flood.served > 0 {
				b.Errorf("%d warm requests not served, %d tokens under unknown keys served", w.warm.refused+w.warm.other, flood.served)
			}
		}
		b.ReportMetric(middle(p50), "p50-ratio")
		b.ReportMetric(middle(p99), "p99-ratio")
		if r := middle(p50); r > pacedSlows {
			b.Errorf("the flood slows warm requests to %.2f times; %.2f is allowed", r, pacedSlows)
		}
	}
	b.ReportMetric(0, "ns/op") // It says nothing.
}

// unknownKeys makes requests whose tokens are good but for their key, each of
// which is another.
func (w *stormWorld) unknownKeys(b *testing.B, n int) [][]byte {
	b.Helper()
	good := w.tokens(b, 1)[0]
	before, token, found := strings.Cut(string(good), "Bearer ")
	_, signed, dotted := strings.Cut(token, ".")
	if !found || !dotted {
		b.Fatal("no token in a request")
	}
	list := make([][]byte, n)
	for i := range list {
		header := fmt.Sprintf(`{"alg":"ES256","kid":"unknown-%d","typ":"at+jwt"}`, i)
		list[i] = []byte(before + "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + signed)
	}
	return list
}
