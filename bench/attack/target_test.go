package attack

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func TestMain(m *testing.M) {
	// These two of fasthttp's end some seconds after their server, or never.
	goleak.VerifyTestMain(
		m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
	)
}

// bothEngines runs a test on the engine of the system and on the portable one.
func bothEngines(t *testing.T, test func(t *testing.T, with func(*run) ([]engine, string))) {
	t.Helper()
	for name, with := range map[string]func(*run) ([]engine, string){
		"system":   (*run).engines,
		"portable": func(r *run) ([]engine, string) { return []engine{newWorkers(r)}, kindGoroutines },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, with)
		})
	}
}

// serve starts a target.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// serveFast starts a target that takes little of the processors.
func serveFast(t testing.TB) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) { c.SetBodyString("ok") }}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Shutdown()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// at is a request of a target, and what it must answer.
func at(t testing.TB, target, path string, e Expect) Request {
	t.Helper()
	u, err := url.Parse(target + path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Build("", u, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Expect = e
	return r
}

// load is an open loop of a constant rate.
func load(t testing.TB, target string, perSecond float64, d time.Duration) Config {
	t.Helper()
	p, err := pace.Constant(perSecond, d)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Even()
	return Config{
		Address: target[len("http://"):], Source: Cycle{at(t, target, "/", Expect{})}, Schedule: &s, Connections: 8,
		Timeout: 5 * time.Second, MaxLateness: time.Hour,
	}
}

// attackOn runs a load, and checks that its books balance.
func attackOn(t *testing.T, c Config, with func(*run) ([]engine, string)) *Result {
	t.Helper()
	r, err := runOn(t.Context(), c, with)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, r)
	return r
}

// balanced checks that every request has come to exactly one end.
func balanced(t *testing.T, r *Result) {
	t.Helper()
	unanswered, answered, failed, series := int64(0), int64(0), int64(0), int64(0)
	for f := range failures {
		failed += r.Failures[f.String()]
		if f < FailureStatus {
			unanswered += r.Failures[f.String()]
		}
	}
	for _, n := range r.Statuses {
		answered += n
	}
	for _, i := range r.Series {
		series += i.Due
	}
	if r.Due != r.Answered+unanswered+r.Unfinished || r.Unfinished < 0 {
		t.Errorf("%d due, but %d answered, %d not, %d unfinished", r.Due, r.Answered, unanswered, r.Unfinished)
	}
	if answered != r.Answered || failed != r.Failed || series != r.Due {
		t.Errorf("%d answers of %d, %d failures of %d, %d due of %d", answered, r.Answered, failed, r.Failed, series, r.Due)
	}
	if n := r.Latency.Count; n != r.Answered+r.Failures[FailureTimeout.String()]+r.Failures[FailureNoConnection.String()] {
		t.Errorf("%d latencies of %d answers", n, r.Answered)
	}
}

// slow is a target that takes as long as its URL says, and notes how long it
// really took.
type slow struct {
	mu   sync.Mutex
	took []time.Duration
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	d, err := time.ParseDuration(r.URL.Path[1:])
	if err != nil {
		http.Error(w, "no duration", http.StatusBadRequest)
		return
	}
	<-time.After(d)
	_, _ = fmt.Fprintln(w, "waited")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, time.Since(begun))
}
