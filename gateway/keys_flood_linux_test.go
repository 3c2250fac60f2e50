package gateway

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/gateway/heap"
)

const (
	// slowedByUnknownKeys bounds what warm tokens may cost beside pacedFlood
	// tokens a second under distinct unknown keys, as a multiple of what they
	// cost alone; and beside as many such tokens as a processor can refuse, as a
	// multiple of what they cost while as many are refused without a search.
	slowedByUnknownKeys = 1.05
	// pacedFlood is 100,000 in 10 s.
	pacedFlood = 10_000

	// Many short rounds, so that noise of the machine meets all alike. Their sum
	// counts, not their median: collections of garbage come in few of them.
	floodRounds   = 30
	floodRequests = 20_000
)

// What else the gateway is asked meanwhile.
const (
	floodNothing int32 = iota
	floodStrangers
	floodKids
	floodPaced
	floodEnd
)

// BenchmarkWarmUnderUnknownKeyFlood measures the CPU time of the thread that
// handles warm tokens: alone, beside pacedFlood tokens a second under distinct
// unknown keys, and beside as many as another processor can refuse: first of an
// issuer that nobody knows, then under unknown keys of a known issuer. Of the
// last two, the first says what it is to share the machine, as what is refused
// is parsed alike; the second adds the search for a key. It fails where the paced
// flood, or the search, costs warm tokens more than [slowedByUnknownKeys].
func BenchmarkWarmUnderUnknownKeyFlood(b *testing.B) {
	// At the pace at which a gateway collects by default.
	defer heap.Keep(128 << 20)()
	r := newRig(b, setup{access: "{ sample: 1000000, refused_per_second: 0 }"})
	r.state.Load().sites[0].reach.group.Close()
	withCannedUpstream(r.Gateway, cannedResponse)
	tok := r.token()
	r.warm(tok)
	warm := received(b, request("GET", "/private", append(browserFields, bearer(tok))...))

	var what atomic.Int32
	var flooded [floodEnd]atomic.Uint64
	var flood sync.WaitGroup
	flood.Go(func() { r.floodWith(b, &what, &flooded) })
	defer flood.Wait()
	defer what.Store(floodEnd)

	// The thread's own clock counts no other thread, and no time that it waits.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var used [floodEnd]time.Duration
	requests := 0
	for b.Loop() {
		for range floodRounds {
			for kind := range floodEnd {
				what.Store(kind)
				seen := flooded[kind].Load()
				for kind != floodNothing && flooded[kind].Load() == seen {
					runtime.Gosched()
				}
				begun := threadTime(b)
				for range floodRequests {
					handleOne(b, r.Gateway, warm)
				}
				used[kind] += threadTime(b) - begun
			}
			requests += floodRequests
		}
	}
	cost := func(kind int32) float64 { return float64(used[kind].Nanoseconds()) / float64(requests) }
	b.ReportMetric(0, "ns/op") // It says nothing.
	b.ReportMetric(cost(floodNothing), "alone-cpu-ns/req")
	b.ReportMetric(cost(floodStrangers), "strangers-cpu-ns/req")
	b.ReportMetric(cost(floodKids), "unknown-keys-cpu-ns/req")
	b.ReportMetric(float64(flooded[floodKids].Load())/float64(requests), "unknown-keys/req")
	b.ReportMetric(cost(floodPaced), "paced-cpu-ns/req")
	paced := cost(floodPaced) / cost(floodNothing)
	b.ReportMetric(paced, "paced-ratio")
	if paced > slowedByUnknownKeys {
		b.Errorf("%d unknown keys a second slow warm tokens by a factor of %.3f; %.2f is allowed", pacedFlood, paced, slowedByUnknownKeys)
	}
	elapsed := b.Elapsed().Seconds() / float64(floodEnd)
	if n := float64(flooded[floodPaced].Load()); n < pacedFlood*elapsed/2 {
		b.Skipf("only %.0f paced tokens in about %.1f s: somebody else has the processor", n, elapsed)
	}
	ratio := cost(floodKids) / cost(floodStrangers)
	b.ReportMetric(ratio, "ratio")
	if ratio > slowedByUnknownKeys {
		b.Errorf("unknown keys slow warm tokens by a factor of %.3f; %.2f is allowed", ratio, slowedByUnknownKeys)
	}
	if spent := r.metric("unknown_key_lookups_total", "outcome=budget_spent"); spent < float64(flooded[floodKids].Load())/2 {
		b.Errorf("only %v searches", spent)
	}
}

// floodWith handles requests, each with a token that was not there before, until
// what says that it is over.
func (r *rig) floodWith(b *testing.B, what *atomic.Int32, flooded *[floodEnd]atomic.Uint64) {
	encode := base64.RawURLEncoding.EncodeToString
	rest := func(issuer string) string {
		claims, err := json.Marshal(corpus.NewToken(issuer, r.backend.Audience(), time.Now()).ClaimSet())
		if err != nil {
			b.Error(err)
		}
		return "." + encode(claims) + "." + encode(make([]byte, 64))
	}
	rests := [floodEnd]string{
		floodStrangers: rest("http://127.0.0.1:1"), floodKids: rest(r.backend.Issuer()), floodPaced: rest(r.backend.Issuer()),
	}
	var due time.Time
	ctx := new(fasthttp.RequestCtx)
	ctx.Init2(silent{}, nil, false)
	head, in := strings.NewReader(""), bufio.NewReaderSize(nil, 32<<10)
	for n := uint64(0); ; n++ {
		kind := what.Load()
		switch kind {
		case floodEnd:
			return
		case floodNothing:
			// As busy as while it waits for what is due next, so that the processors
			// run alike.
			for until := time.Now().Add(time.Second / pacedFlood); time.Now().Before(until); {
			}
			continue
		case floodPaced:
			if now := time.Now(); due.Before(now.Add(-time.Millisecond)) {
				due = now
			}
			due = due.Add(time.Second / pacedFlood)
			// Neither a timer nor a sleep: the measured thread would serve them, too.
			for time.Now().Before(due) {
			}
		}
		header := fmt.Appendf(nil, `{"alg":"ES256","kid":"flood-%016x","typ":"at+jwt"}`, n)
		head.Reset(request("GET", "/private", bearer(encode(header)+rests[kind])))
		in.Reset(head)
		if err := ctx.Request.Header.Read(in); err != nil {
			b.Error(err)
			return
		}
		ctx.Response.Reset()
		r.handle(ctx)
		if ctx.Response.StatusCode() != 401 {
			b.Errorf("%d %s", ctx.Response.StatusCode(), ctx.Response.Body())
			return
		}
		flooded[kind].Add(1)
	}
}

// threadTime returns the CPU time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	const thread = 1 // RUSAGE_THREAD, getrusage(2)
	var usage syscall.Rusage
	if err := syscall.Getrusage(thread, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
