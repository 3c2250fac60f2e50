package main

import (
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	// stormSlows bounds the p99 of warm requests in a storm of new tokens, as a
	// multiple of what it is without, and stormGoodput what is served in it, as a
	// part of what the gateway can serve.
	stormSlows   = 3
	stormGoodput = 0.90
	// stormFactor is how many new tokens come, as a multiple of those that there
	// is time for beside the warm requests.
	stormFactor = 2

	stormRounds    = 5
	stormRound     = time.Second     // of one kind of request alone
	stormLasts     = 3 * time.Second // most of it with the line as long as it gets
	stormRest      = 2 * time.Second // until what the last one left behind is cleared away
	stormWarmRate  = 2000            // a second
	stormWarmConns = 64
	// stormEdge is how many connections an edge before the gateway has, and
	// stormCrowd as many as the line holds. Both wait, and nobody is refused; but
	// memory is further away for a crowd, in a storm or not.
	stormEdge  = 256
	stormCrowd = 4096
	// stormShare is the least part of its processor that the gateway must have
	// had in a storm for the round to say anything, and stormLate how late the
	// clients may have been.
	stormShare = 0.9
	stormLate  = 10 * time.Millisecond
)

// BenchmarkStormOfNewTokens measures the real binary on one processor, with the
// clients and the upstream on another: warm requests alone, then beside twice
// as many new tokens as it can verify, arriving at times drawn beforehand. The
// median of the rounds counts, of those in which the gateway had its processor
// to itself. Goodput is of what it can do at full speed over a few connections,
// and bounded for an edge; for a crowd it is reported.
func BenchmarkStormOfNewTokens(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("the clients need a processor of their own")
	}
	for name, connections := range map[string]int{"edge": stormEdge, "crowd": stormCrowd} {
		b.Run(name, func(b *testing.B) {
			w := newStormWorld(b, "")
			for b.Loop() {
				w.measure(b, connections)
			}
			b.ReportMetric(0, "ns/op") // It says nothing.
		})
	}
}

type stormWorld struct {
	loop    *openLoop
	gateway *process
	issuer  *backend.Running
	key     *corpus.Key
	port    int
	warm    *loopStream
}

// newStormWorld starts a gateway on a processor of its own; more is of its
// configuration, and begins with further sites.
func newStormWorld(b *testing.B, more string) *stormWorld {
	b.Helper()
	w := &stormWorld{}
	var err error
	if w.key, err = corpus.NewKey("ES256", "storm"); err != nil {
		b.Fatal(err)
	}
	if w.issuer, err = backend.Start(b.Context(), backend.Config{Keys: []*corpus.Key{w.key}}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.issuer.Close() })
	loop, upstream := newOpenLoop(b)
	w.loop = loop
	w.gateway = serve(b, ownConfig(w.issuer.Issuer(), upstream, more+"log: { access: { off: true } }\nlimits: { requests_per_connection: 0, header_timeout: 5m, connections_per_source: 0 }\n"), "GOMAXPROCS=1")
	w.gateway.awaitReady(b)
	pinAll(b, w.gateway.pid, only(0))
	address, err := url.Parse(w.gateway.data)
	if err != nil {
		b.Fatal(err)
	}
	if w.port, err = strconv.Atoi(address.Port()); err != nil {
		b.Fatal(err)
	}
	w.warm = loop.stream(b, w.port, stormWarmConns, w.tokens(b, 500))
	w.warm.rate = stormWarmRate
	loop.run(b, 2*stormRound, 1, w.warm)
	return w
}

// tokens makes requests, each with a token of its own.
func (w *stormWorld) tokens(b *testing.B, n int) [][]byte {
	b.Helper()
	list := make([][]byte, n)
	for i := range list {
		token, err := corpus.NewToken(w.issuer.Issuer(), w.issuer.Audience(), time.Now()).Sign(w.key)
		if err != nil {
			b.Fatal(err)
		}
		list[i] = rawRequest("GET", testHost, reading, token)
	}
	return list
}

// run runs streams for a round and returns the processor time that the gateway
// took.
func (w *stormWorld) run(b *testing.B, streams ...*loopStream) time.Duration {
	b.Helper()
	return w.runFor(b, stormRound, streams...)
}

func (w *stormWorld) runFor(b *testing.B, d time.Duration, streams ...*loopStream) time.Duration {
	b.Helper()
	before := cpuTime(b, w.gateway.pid)
	w.loop.run(b, d, 1, streams...)
	return cpuTime(b, w.gateway.pid) - before
}

func (w *stormWorld) measure(b *testing.B, connections int) {
	b.Helper()
	few := w.loop.stream(b, w.port, 16, w.tokens(b, stormRounds*15_000))
	// Collections of the clients' garbage would take the gateway's processor.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	_, _, rate := w.capacity(b, few)
	rate *= stormFactor
	storm := w.loop.stream(b, w.port, connections, w.tokens(b, int(1.2*rate*stormLasts.Seconds())*stormRounds))
	storm.rate = rate
	var costsWarm, costsCold, alone, p50, p99, goodput, refusal []float64
	for range stormRounds {
		runtime.GC()
		costWarm, costCold, _ := w.capacity(b, few)
		w.runFor(b, stormRest)
		sleep := keepAwake(b, 0)
		w.run(b, w.warm)
		sleep()
		without := w.warm.quantile(0.99)
		median := w.warm.quantile(0.5)
		used := w.runFor(b, stormLasts, w.warm, storm)
		served := float64(w.warm.served)*costWarm + float64(storm.served)*costCold
		b.Logf("warm alone p50 %s p99 %s; in the storm p50 %s p99 %s, %d served, %d refused, %d else; new tokens %d served, %d refused, %d else; goodput %.0f%%; gateway %.0f%% of a processor, clients late by up to %s",
			median, without, w.warm.quantile(0.5), w.warm.quantile(0.99), w.warm.served, w.warm.refused, w.warm.other,
			storm.served, storm.refused, storm.other, 100*served/used.Seconds(), 100*used.Seconds()/stormLasts.Seconds(), w.loop.late)
		if w.warm.other+storm.other > 0 || w.warm.refused > 0 {
			b.Errorf("%d warm requests refused, %d answers of another kind", w.warm.refused, w.warm.other+storm.other)
		}
		if used.Seconds() < stormShare*stormLasts.Seconds() || w.loop.late > stormLate {
			continue
		}
		costsWarm = append(costsWarm, costWarm)
		costsCold = append(costsCold, costCold)
		alone = append(alone, without.Seconds())
		p50 = append(p50, float64(w.warm.quantile(0.5))/float64(median))
		p99 = append(p99, w.warm.quantile(0.99).Seconds())
		goodput = append(goodput, served/used.Seconds())
		if storm.refused > 0 {
			refusal = append(refusal, (used.Seconds()-served)/float64(storm.refused)/costCold)
		}
	}
	if len(p99) <= stormRounds/2 {
		b.Skip("gateway and clients did not have their processors to themselves")
	}
	slowed := middle(p99) / middle(alone)
	b.ReportMetric(middle(costsWarm)*1e6, "warm-cpu-µs")
	b.ReportMetric(middle(costsCold)*1e6, "new-cpu-µs")
	b.ReportMetric(middle(alone)*1e6, "warm-alone-p99-µs")
	b.ReportMetric(middle(p99)*1e6, "warm-storm-p99-µs")
	b.ReportMetric(slowed, "p99-ratio")
	b.ReportMetric(middle(p50), "p50-ratio")
	b.ReportMetric(middle(goodput), "goodput")
	if len(refusal) > 0 {
		b.ReportMetric(middle(refusal), "refusal-ratio")
	}
	if slowed > stormSlows {
		b.Errorf("the storm slows warm requests to %.1f times; %d is allowed", slowed, stormSlows)
	}
	if g := middle(goodput); g < stormGoodput && connections == stormEdge {
		b.Errorf("goodput is %.1f%% of capacity; %.0f%% is wanted", 100*g, 100*stormGoodput)
	}
}

// capacity measures what a warm and a new token cost at full speed, one kind at a
// time, in seconds of the gateway's own time, so that others on the machine do not
// count; and how many new ones a second there is time for beside the warm ones.
func (w *stormWorld) capacity(b *testing.B, few *loopStream) (costWarm, costCold, rate float64) {
	b.Helper()
	w.warm.rate = 0
	used := w.run(b, w.warm)
	costWarm = used.Seconds() / float64(w.warm.served)
	w.warm.rate = stormWarmRate
	used = w.run(b, few)
	costCold = used.Seconds() / float64(few.served)
	return costWarm, costCold, (1 - stormWarmRate*costWarm) / costCold
}

// middle returns the median.
func middle(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
