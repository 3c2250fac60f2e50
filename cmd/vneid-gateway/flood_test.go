package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	floodKids  = 100_000
	floodConns = 16
	// floodBurst and floodEvery are the configured budget for unknown keys.
	floodBurst = 3
	floodEvery = 30 * time.Second
	// floodWarmUp bounds by how much a first flood may let the process grow, of
	// whatever length it is: the tables of the verdict cache, 18 MiB at its default
	// size, are set aside at the start, and the collector lets garbage lie until
	// there is as much of it.
	floodWarmUp = 40 << 20
	// floodGrowth bounds by how much the next may: it adds nothing, but memory is
	// not had to the byte.
	floodGrowth = 8 << 20
	// floodWarm is how often the warm tokens are used each time that their cost is taken.
	floodWarm = 5_000
)

// TestFloodOfUnknownKeysReachesNeitherBackendNorMemory sends 100,000 tokens, each
// under a kid of its own, as fast as they are answered, while a citizen who is
// logged in goes on; then 100,000 more.
func TestFloodOfUnknownKeysReachesNeitherBackendNorMemory(t *testing.T) {
	t.Parallel()
	w := newFloodWorld(t)
	w.flood(t, 2*floodConns) // its connections and buffers are no part of what it may take
	quiet := w.warmCost(t)
	before, used, begun := resident(t, w.gateway.pid), cpuTime(t, w.gateway.pid), time.Now()
	w.issuer.ResetFetches()

	var served atomic.Int64
	stop := make(chan struct{})
	var citizen sync.WaitGroup
	citizen.Go(func() {
		conn, err := dialRaw(w.gateway.data)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.close()
		pace := time.NewTicker(10 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-stop:
				return
			case <-pace.C:
			}
			status, _, err := conn.do(w.warm[rand.N(len(w.warm))])
			if err != nil || status != http.StatusOK {
				t.Errorf("a warm token during the flood: %d %v", status, err)
				return
			}
			served.Add(1)
		}
	})
	w.flood(t, floodKids)
	close(stop)
	citizen.Wait()
	elapsed := time.Since(begun)
	used = cpuTime(t, w.gateway.pid) - used
	after := resident(t, w.gateway.pid)
	if after-before > floodWarmUp {
		t.Errorf("the process grew from %d to %d KiB", before>>10, after>>10)
	}
	w.flood(t, floodKids)
	again := resident(t, w.gateway.pid)
	if again-after > floodGrowth {
		t.Errorf("a second flood let the process grow from %d to %d KiB", after>>10, again>>10)
	}
	fetches, asked := w.issuer.Fetches(backend.KeySetPath), time.Since(begun)
	if most := floodBurst + int64(asked/floodEvery); fetches > most {
		t.Errorf("%d fetches in %s, more than %d", fetches, asked, most)
	}
	const absent = `vneid_gateway_unknown_key_lookups_total{issuer="vneid",outcome="absent"}`
	const spent = `vneid_gateway_unknown_key_lookups_total{issuer="vneid",outcome="budget_spent"}`
	if n := w.gateway.metric(t, absent) + w.gateway.metric(t, spent) + float64(w.shed.Load()); n < 2*floodKids {
		t.Errorf("%.0f of %d tokens came to a search", n, 2*floodKids)
	}
	// Good keys are where they were, for a token that nobody has seen, too.
	token, err := w.issuer.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	w.gateway.ask(t, token).echo(t)
	t.Logf("flood: %d kids in %.1f s (%.0f/s), %d of both floods shed, %d fetches; %d warm requests meanwhile; resident %d -> %d -> %d KiB; CPU of a warm request %.1f µs before, %.1f µs after, of any during the flood %.1f µs",
		floodKids, elapsed.Seconds(), floodKids/elapsed.Seconds(), w.shed.Load(), fetches, served.Load(), before>>10, after>>10, again>>10,
		float64(quiet.Nanoseconds())/1e3, float64(w.warmCost(t).Nanoseconds())/1e3,
		float64(used.Microseconds())/float64(floodKids+served.Load()))
}

type floodWorld struct {
	issuer  *backend.Running
	gateway *process
	warm    [][]byte
	token   corpus.Token
	sent    uint64
	shed    atomic.Int64
}

// Of what is refused, no more lies about than memory.headroom lets it.
func TestGarbageTakesNoMoreThanTheHeadroom(t *testing.T) {
	if testing.Short() {
		t.Skip("sends tens of thousands of requests")
	}
	t.Parallel()
	const headroom, kids = 64 << 20, 60_000 // some 4 KiB of garbage each
	w := newFloodWorld(t, fmt.Sprintf("VNEID_GATEWAY_MEMORY_HEADROOM=%d", headroom))
	before := resident(t, w.gateway.pid)
	w.flood(t, kids)
	after := residentPeak(t, w.gateway.pid)
	t.Logf("resident %d KiB before, up to %d KiB with %d KiB of headroom", before>>10, after>>10, headroom>>10)
	if after-before > headroom+floodWarmUp {
		t.Error("too much")
	}
	w.gateway.stop(t)
}

func newFloodWorld(t testing.TB, environment ...string) *floodWorld {
	t.Helper()
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	w := &floodWorld{}
	if w.issuer, err = backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.issuer.Close() })
	w.token = corpus.NewToken(w.issuer.Issuer(), w.issuer.Audience(), time.Now())
	config := strings.Replace(ownConfig(w.issuer.Issuer(), startSite(t).URL(), "shutdown: { delay: 0s, deadline: 5s }"), "refresh: 1s }", fmt.Sprintf(
		"refresh: 20m, unknown_key: { burst: %d, every: %s } }", floodBurst, floodEvery), 1)
	w.gateway = serve(t, config, environment...)
	w.gateway.awaitReady(t)
	for range 100 {
		token, err := w.issuer.Token(backend.Citizen2, "")
		if err != nil {
			t.Fatal(err)
		}
		w.warm = append(w.warm, rawRequest(http.MethodGet, testHost, reading, token))
	}
	w.warmCost(t)
	return w
}

// flood sends n tokens, none of them under a kid that was there before.
func (w *floodWorld) flood(t testing.TB, n int) {
	t.Helper()
	// Only the header differs; claims and signature, which nobody made, stay.
	encode := base64.RawURLEncoding.EncodeToString
	rest := "." + encode(encodeJSON(w.token.ClaimSet())) + "." + encode(make([]byte, 64))
	first := w.sent
	w.sent += uint64(n)
	var senders sync.WaitGroup
	for i := range floodConns {
		senders.Go(func() {
			conn, err := dialRaw(w.gateway.data)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { conn.close() }()
			for at := i; at < n; at += floodConns {
				header := fmt.Appendf(nil, `{"alg":"ES256","kid":"flood-%016x","typ":"at+jwt"}`, first+uint64(at))
				status, last, err := conn.do(rawRequest(http.MethodGet, testHost, reading, encode(header)+rest))
				if err == nil && status == http.StatusServiceUnavailable {
					w.shed.Add(1) // new tokens are the first that are not looked at
					status = http.StatusUnauthorized
				}
				if err != nil || status != http.StatusUnauthorized {
					t.Errorf("a token under an unknown kid: %d %v", status, err)
					return
				}
				if last {
					conn.close()
					if conn, err = dialRaw(w.gateway.data); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	senders.Wait()
}

// warmCost returns the CPU time that the process takes for a warm request.
func (w *floodWorld) warmCost(t testing.TB) time.Duration {
	t.Helper()
	conn, err := dialRaw(w.gateway.data)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	before := cpuTime(t, w.gateway.pid)
	for n := range floodWarm {
		status, _, err := conn.do(w.warm[n%len(w.warm)])
		if err != nil || status != http.StatusOK {
			t.Fatalf("a warm token: %d %v", status, err)
		}
	}
	return (cpuTime(t, w.gateway.pid) - before) / floodWarm
}

// resident returns the memory that the process holds, in bytes.
func resident(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("memory is known from /proc only:", err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
