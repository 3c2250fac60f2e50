package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// readyGateway starts an issuer, a site and a gateway with this shutdown
// section, and returns it ready, with a good token.
func readyGateway(t testing.TB, algorithm, more string, environment ...string) (gateway *process, token string) {
	t.Helper()
	key, err := corpus.NewKey(algorithm, "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	if token, err = issuer.Token(backend.Citizen2, ""); err != nil {
		t.Fatal(err)
	}
	gateway = serve(t, ownConfig(issuer.Issuer(), startSite(t).URL(), more), environment...)
	gateway.awaitReady(t)
	return gateway, token
}

// awaitInFlight returns when the gateway holds at least n requests.
func (p *process) awaitInFlight(t testing.TB, n float64) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.metric(t, "vneid_gateway_in_flight_requests") < n {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("less than %v requests in flight", n)
		}
	}
}

func TestSIGTERMDrainsWithoutOneFailedRequest(t *testing.T) {
	t.Parallel()
	const slow, fast, warmUp = 4, 8, 500
	g, token := readyGateway(t, "ES256", "shutdown: { delay: 1s, deadline: 20s }")

	var clients sync.WaitGroup
	var failures, served atomic.Int64
	once := func(c *rawConn, request []byte) (last bool) {
		status, last, err := c.do(request)
		if err != nil || status != http.StatusOK {
			failures.Add(1)
			t.Errorf("a request failed during the drain: status %d, %v", status, err)
			return true
		}
		served.Add(1)
		return last
	}
	// These are under way when the listeners close.
	for range slow {
		c, err := dialRaw(g.data)
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			defer c.close()
			once(c, rawRequest("POST", testHost, "/slow?ms=2500", token))
		})
	}
	g.awaitInFlight(t, slow)

	// These send until the balancer, which watches /readyz, looks away.
	away, warm := make(chan struct{}), make(chan struct{})
	request := rawRequest("POST", testHost, reading, token)
	for range fast {
		clients.Go(func() {
			var c *rawConn
			defer func() {
				if c != nil {
					c.close()
				}
			}()
			for failures.Load() == 0 {
				select {
				case <-away:
					return
				default:
				}
				if c == nil {
					var err error
					if c, err = dialRaw(g.data); err != nil {
						failures.Add(1)
						t.Errorf("no connection before the balancer looked away: %v", err)
						return
					}
				}
				if once(c, request) {
					c.close()
					c = nil
				}
				if served.Load() == warmUp {
					close(warm)
				}
			}
		})
	}
	select {
	case <-warm:
	case <-time.After(patience):
		t.Error("no load came about")
	}
	before := served.Load()
	if err := g.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	g.awaitStatus(t, http.StatusServiceUnavailable)
	close(away)
	clients.Wait()
	if err := g.wait(t); err != nil {
		t.Errorf("after a complete drain: %v", err)
	}
	if after := served.Load(); failures.Load() == 0 && after < before+slow {
		t.Errorf("%d requests served during the drain", after-before)
	}
}

func TestRequestsBeyondTheDeadlineAreCutOffAndTheExitStatusSaysSo(t *testing.T) {
	t.Parallel()
	g, token := readyGateway(t, "ES256", "shutdown: { delay: 0s, deadline: 200ms }")
	cut := slowRequest(t, g, token)
	if err := g.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(g.wait(t)); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered after all")
	}
	if last := g.lastLine(); !strings.Contains(last, "shutdown.deadline") {
		t.Errorf("the last line does not say why: %s", last)
	}
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	t.Parallel()
	g, token := readyGateway(t, "ES256", "shutdown: { delay: 0s, deadline: 10m }")
	cut := slowRequest(t, g, token)
	if err := g.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	g.await(t, "draining")
	if err := g.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(g.wait(t)); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if last := g.lastLine(); !strings.Contains(last, "second signal") {
		t.Errorf("the last line does not say why: %s", last)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered after all")
	}
}

// slowRequest puts a request in flight that outlasts the test; the channel
// tells how it ended.
func slowRequest(t *testing.T, g *process, token string) <-chan error {
	t.Helper()
	c, err := dialRaw(g.data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.do(rawRequest("GET", testHost, "/slow?ms=600000", token))
		ended <- err
	}()
	g.awaitInFlight(t, 1)
	return ended
}
