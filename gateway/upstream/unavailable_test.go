package upstream_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// unavailable is a group of which every breaker is open.
func unavailable(tb testing.TB, n int) *exchanger {
	tb.Helper()
	cfg := upstream.GroupConfig{
		MaxConnections: 10, Timeouts: patient,
		Breaker: upstream.BreakerConfig{After: 1, For: time.Hour},
	}
	for range n {
		cfg.Endpoints = append(cfg.Endpoints, upstream.Endpoint{Address: unreachable(tb)})
	}
	group := upstream.NewGroup(cfg)
	tb.Cleanup(group.Close)
	e := newExchanger(tb, group)
	for range n {
		if _, err := group.Do(&e.ctx, &e.r, nil); errors.Is(err, upstream.ErrUnavailable) {
			break
		}
	}
	return e
}

func TestWithoutAnyUpstreamARequestIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 10} {
		e := unavailable(t, n)
		before := e.group.Stats()
		if _, err := e.group.Do(&e.ctx, &e.r, nil); !errors.Is(err, upstream.ErrUnavailable) {
			t.Errorf("%d upstreams: %v", n, err)
		}
		after := e.group.Stats()
		for i := range after {
			if after[i] != before[i] || after[i].BreakerOpen != 1 {
				t.Errorf("%+v behind %+v", after[i], before[i])
			}
		}
		if d := e.group.RetryAfter(time.Now()); d <= 0 || d > time.Hour {
			t.Errorf("worth trying in %v", d)
		}
	}
}

func TestGatewayErrorsCountAsFailuresWhereAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status string
		asked  bool
		want   uint64
	}{
		{"500 X", true, 0},
		{"501 X", true, 0},
		{"502 X", true, 3},
		{"503 X", true, 3},
		{"504 X", true, 3},
		{"505 X", true, 0},
		{"404 X", true, 0},
		{"502 X", false, 0},
	} {
		// The latter is streamed.
		for _, body := range []string{"Content-Length: 0\r\n\r\n", "Content-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000)} {
			recorder := record(t, origin.Always(answer("HTTP/1.1 "+c.status+"\r\n"+body)))
			f := newFront(t, setup{addresses: []string{recorder.Address()}, config: func(g *upstream.GroupConfig) {
				g.Eject.GatewayErrors = c.asked
				g.Breaker = upstream.BreakerConfig{After: 3, For: time.Hour}
			}})
			client := f.client(t)
			for range 3 {
				client.get("/")
				f.rested(t)
			}
			if s := f.group.Stats()[0]; s.Failures != c.want || s.Requests != 3 || s.BreakerOpened != 0 {
				t.Errorf("%s: %+v", c.status, s)
			}
		}
	}
}

// What an upstream answers for one route that it limits (nginx's limit_req, say)
// must not keep the others from a site's only upstream.
func TestAStatusNeverOpensTheBreaker(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"at once":  "Content-Length: 0\r\n\r\n",
		"streamed": "Content-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limited := answer("HTTP/1.1 503 Limited\r\n" + body)
			recorder := record(t, func(r origin.Request) origin.Answer {
				if strings.HasPrefix(r.Lines()[0], "GET /limited ") {
					return limited
				}
				return origin.OK()
			})
			f := newFront(t, setup{addresses: []string{recorder.Address()}, config: func(g *upstream.GroupConfig) {
				g.Eject = upstream.EjectConfig{After: 2, GatewayErrors: true, Base: time.Hour, Max: time.Hour, Percent: 100}
				g.Breaker = upstream.BreakerConfig{After: 3, For: time.Hour}
			}})
			client := f.client(t)
			for range 30 {
				if resp, _ := client.get("/limited"); resp.StatusCode != 503 {
					t.Fatalf("%d", resp.StatusCode)
				}
				f.rested(t)
			}
			if resp, _ := client.get("/"); resp.StatusCode != 200 {
				t.Errorf("another route: %d", resp.StatusCode)
			}
			if s := f.group.Stats()[0]; s.Failures != 30 || s.Up != 1 || s.BreakerOpened != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The head of a 503 is no proof that the upstream is well enough to send it all.
func TestABodyThatBreaksOffOpensTheBreakerWhateverItsStatus(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(closing("HTTP/1.1 503 X\r\nContent-Length: 100000\r\n\r\npart")))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, config: func(g *upstream.GroupConfig) {
		g.Eject.GatewayErrors = true
		g.Breaker = upstream.BreakerConfig{After: 3, For: time.Hour}
	}})
	for range 3 {
		c := f.client(t)
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, _ = c.raw()
	}
	f.ended(t, 3)
	if s := f.group.Stats()[0]; s.Failures != 3 || s.BreakerOpen != 1 {
		t.Errorf("%+v", s)
	}
}

func TestABodyThatBreaksOffIsAFailureAndAClientThatLeavesIsNone(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(closing("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\npart")))
	f := newFront(t, setup{addresses: []string{recorder.Address()}, config: func(g *upstream.GroupConfig) {
		g.Breaker = upstream.BreakerConfig{After: 3, For: time.Hour}
	}})
	for range 3 {
		c := f.client(t)
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, _ = c.raw()
	}
	f.ended(t, 3)
	if s := f.group.Stats()[0]; s.Failures != 3 || s.BreakerOpen != 1 {
		t.Errorf("%+v", s)
	}

	endless := record(t, origin.Always(answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")))
	f = newFront(t, setup{addresses: []string{endless.Address()}, config: func(g *upstream.GroupConfig) {
		g.Breaker = upstream.BreakerConfig{After: 1, For: time.Hour}
	}})
	c := f.client(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.head("GET")
	endByReset(c.Conn)
	f.ended(t, 1)
	if s := f.group.Stats()[0]; s.Failures != 0 || s.Up != 1 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkUnavailable(b *testing.B) {
	e := unavailable(b, 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.group.Do(&e.ctx, &e.r, nil); !errors.Is(err, upstream.ErrUnavailable) {
			b.Fatal(err)
		}
	}
}
