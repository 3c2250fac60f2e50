package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// patient is asked for its health over pipes.
type patient struct {
	status atomic.Int64 // 0 is no answer, below 0 no connection
	mu     sync.Mutex
	asked  []string
	at     []time.Time
}

func (p *patient) dial(ctx context.Context, _, address string) (net.Conn, error) {
	status := p.status.Load()
	if status < 0 {
		return nil, io.ErrClosedPipe
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		req, err := http.ReadRequest(bufio.NewReader(there))
		if err != nil {
			return
		}
		p.mu.Lock()
		p.asked = append(p.asked, fmt.Sprint(address, " ", req.Method, " ", req.Host, " ", req.RequestURI))
		p.at = append(p.at, time.Now())
		p.mu.Unlock()
		if status == 0 {
			_, _ = io.Copy(io.Discard, there)
			return
		}
		if req.RequestURI == "/elsewhere" {
			status = 200
		}
		// A body without end: nobody waits for it.
		_, _ = fmt.Fprintf(there, "HTTP/1.1 %d X\r\nLocation: /elsewhere\r\n\r\n", status)
		for err == nil {
			_, err = there.Write(make([]byte, 1024))
		}
	}()
	return here, ctx.Err()
}

// checked is a group of n addresses whose health is asked for, and a way to end
// that.
func checked(n int, p *patient, change func(*GroupConfig)) (*Group, func()) {
	g := strict(n, func(c *GroupConfig) {
		c.Dial = p.dial
		c.Health = &HealthConfig{Path: "/healthz?deep=1", Interval: 10 * time.Second, Timeout: time.Second}
		if change != nil {
			change(c)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	return g, func() { cancel(); <-done; g.Close() }
}

func TestHealthChecksTakeAnAddressOutAndBringItBack(t *testing.T) {
	t.Parallel()
	for name, ill := range map[string]int64{"status": 503, "redirection": 302, "silence": 0, "no connection": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &patient{}
				p.status.Store(200)
				g, end := checked(1, p, nil)
				defer end()
				// rounds lets n checks and their time limits pass, give or take the jitter.
				next := time.Now().Add(2 * time.Second)
				rounds := func(n uint64) Stats {
					for before := g.Stats()[0].Checks; g.Stats()[0].Checks < before+n; {
						time.Sleep(100 * time.Millisecond)
					}
					return g.Stats()[0]
				}
				if s := rounds(1); s.Up != 1 || time.Now().After(next) {
					t.Fatalf("%+v", s)
				}
				p.status.Store(ill)
				if s := rounds(2); s.Up != 1 || s.FailedChecks != 2 {
					t.Fatalf("after two %+v", s)
				}
				p.status.Store(299)
				rounds(1)
				p.status.Store(ill)
				if s := rounds(2); s.Up != 1 {
					t.Fatalf("after two more %+v", s)
				}
				if s := rounds(1); s.Down != 1 || s.Up != 0 {
					t.Fatalf("after three in a row %+v", s)
				}
				a := attempt{pools: *g.pools.Load(), now: g.clock()}
				if _, _, err := g.choose(&a); err != ErrUnavailable { //nolint:errorlint // the sentinel itself
					t.Errorf("%v", err)
				}
				if d := g.RetryAfter(time.Now()); d <= 8*time.Second || d > 11*time.Second {
					t.Errorf("worth trying in %v, at the next check", d)
				}
				p.status.Store(200)
				if s := rounds(1); s.Down != 1 {
					t.Fatalf("after one good one %+v", s)
				}
				if s := rounds(1); s.Returning != 1 {
					t.Fatalf("after two %+v", s)
				}
				time.Sleep(20 * time.Second)
				if s := g.Stats()[0]; s.Up != 1 {
					t.Errorf("at last %+v", s)
				}
			})
		})
	}
}

func TestHealthChecksAskWhatIsConfiguredWithJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{}
		p.status.Store(404)
		g, end := checked(2, p, func(c *GroupConfig) {
			c.Endpoints[0].Host = "first.example"
			c.Endpoints = c.Endpoints[:1]
			c.Health.MinStatus, c.Health.MaxStatus = 400, 499
		})
		time.Sleep(200 * time.Second)
		if s := g.Stats()[0]; s.Up != 1 || s.FailedChecks != 0 || s.Checks != uint64(len(p.asked)) {
			t.Errorf("%+v, %d asked", s, len(p.asked))
		}
		end()
		synctest.Wait()
		n := len(p.asked)
		time.Sleep(time.Hour)
		if len(p.asked) != n || n < 18 || n > 23 {
			t.Errorf("%d checks, then %d", n, len(p.asked))
		}
		intervals := map[time.Duration]bool{}
		for i := range n - 1 {
			d := p.at[i+1].Sub(p.at[i])
			if intervals[d] = true; d < 9*time.Second || d > 11*time.Second {
				t.Errorf("%v between two", d)
			}
		}
		if len(intervals) < 2 {
			t.Error("no jitter")
		}
		for _, asked := range p.asked {
			if asked != "192.0.2.1:80 GET first.example /healthz?deep=1" {
				t.Errorf("%q", asked)
			}
		}
	})
}

func TestHealthChecksHaveAHostOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{}
		p.status.Store(200)
		_, end := checked(1, p, func(c *GroupConfig) { c.Health.Host = "health.example" })
		time.Sleep(5 * time.Second)
		end()
		if len(p.asked) != 1 || p.asked[0] != "192.0.2.1:80 GET health.example /healthz?deep=1" {
			t.Errorf("%q", p.asked)
		}
	})
}
