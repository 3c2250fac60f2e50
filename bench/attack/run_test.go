package attack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestEveryRequestIsSentOnceAndCounted(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		var served [3]atomic.Int64
		target := serve(t, func(w http.ResponseWriter, r *http.Request) {
			served[r.URL.Path[1]-'0'].Add(1)
			w.WriteHeader([]int{200, 404, 503}[r.URL.Path[1]-'0'])
		})
		c := load(t, target.URL, 600, time.Second)
		c.Threads = 2
		c.Source = Cycle{
			at(t, target.URL, "/0", Expect{}),
			at(t, target.URL, "/1", Expect{Statuses: []int{404}}),
			at(t, target.URL, "/2", Expect{}),
		}
		r := attackOn(t, c, with)
		for i, status := range []string{"200", "404", "503"} {
			if n := served[i].Load(); n != 200 || r.Statuses[status] != 200 {
				t.Errorf("%s: %d served, %d counted, want 200", status, n, r.Statuses[status])
			}
		}
		if r.Due != 600 || r.Failed != 200 || r.Failures[FailureStatus.String()] != 200 {
			t.Errorf("%d due, failures %v, want 200 of unexpected status", r.Due, r.Failures)
		}
		if r.ConnectionsOpened != 8 || r.ConnectionsLost != 0 {
			t.Errorf("%d connections opened, %d lost, want 8 and 0", r.ConnectionsOpened, r.ConnectionsLost)
		}
	})
}

func TestAnswersAreLookedAt(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		var n atomic.Int64
		target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Verdict", []string{"allow", "deny"}[n.Add(1)%2])
			_, _ = io.WriteString(w, "some words "+strings.Repeat("x", 5000))
		})
		c := load(t, target.URL, 200, time.Second)
		c.Source = Cycle{at(t, target.URL, "/", Expect{Accept: All(HeaderIs("x-verdict", "allow"), BodyContains("words"))})}
		if r := attackOn(t, c, with); r.Failures[FailureContent.String()] != 100 || r.Failed != 100 || r.Statuses["200"] != 200 {
			t.Errorf("failures %v, statuses %v, want 100 of unexpected content", r.Failures, r.Statuses)
		}
	})
}

// raw is a target that does what it likes with a connection, after the head of each
// request.
func raw(t *testing.T, answer func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					if n, err := c.Read(buf); n == 0 || err != nil {
						return
					}
					answer(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

func TestFailureIsCountedByItsKind(t *testing.T) {
	t.Parallel()
	say := func(text string, end bool) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = io.WriteString(c, text)
			if end {
				_ = c.Close()
			}
		}
	}
	for name, c := range map[string]struct {
		answer func(net.Conn)
		want   Failure
	}{
		"closes":        {say("", true), FailureClosed},
		"cuts":          {say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", true), FailureCut},
		"says nonsense": {say("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false), FailureMalformed},
		"says too much": {say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokok", false), FailureMalformed},
		"says nothing":  {say("", false), FailureTimeout},
		"says half":     {say("HTTP/1.1 200 OK\r\n", false), FailureTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
				config := load(t, raw(t, c.answer), 20, 500*time.Millisecond)
				config.Connections, config.Timeout = 12, 500*time.Millisecond
				if r := attackOn(t, config, with); r.Due != 10 || r.Failures[c.want.String()] != 10 {
					t.Errorf("%d due, failures %v, want 10 of %v", r.Due, r.Failures, c.want)
				}
			})
		})
	}
}

func TestRequestWithoutConnectionIsGivenUpAtItsTimeout(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		// One is due every 50 µs, and it takes longer to open a connection again.
		config := load(t, raw(t, func(net.Conn) {}), 20_000, 100*time.Millisecond)
		config.Connections, config.Timeout = 1, 400*time.Millisecond
		r := attackOn(t, config, with)
		if r.Due != 2000 || r.Answered != 0 || r.Failed != 2000 || r.Failures[FailureNoConnection.String()] == 0 {
			t.Errorf("%d due, %d answered, failures %v", r.Due, r.Answered, r.Failures)
		}
		if r.WaitedForConnection < r.Failures[FailureNoConnection.String()] {
			t.Errorf("%d waited, failures %v", r.WaitedForConnection, r.Failures)
		}
		// What was given up counts with the time that it was given.
		if r.Latency.MinMicroseconds < 399_000 {
			t.Errorf("a request was given up after %v µs", r.Latency.MinMicroseconds)
		}
	})
}

func TestConnectionThatTheTargetClosesIsOpenedAgain(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
		r := attackOn(t, load(t, target.URL, 100, time.Second), with)
		if r.Failed != 0 || r.Answered != 100 || r.ConnectionsLost != 100 {
			t.Errorf("%d answered, failures %v, %d connections lost", r.Answered, r.Failures, r.ConnectionsLost)
		}
		if r.ConnectionsOpened < 100 {
			t.Errorf("%d connections opened", r.ConnectionsOpened)
		}
	})
}

func TestConnectionsAreReplacedAtTheirRate(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := serve(t, func(http.ResponseWriter, *http.Request) {})
		c := load(t, target.URL, 300, 2*time.Second)
		c.NewConnectionsPerSecond = 20
		r := attackOn(t, c, with)
		if r.Failed != 0 || r.ConnectionsOpened < 8+30 || r.ConnectionsOpened > 8+41 {
			t.Errorf("%d connections opened, failures %v, want 8 and some 40", r.ConnectionsOpened, r.Failures)
		}
	})
}

func TestInterruptedRunTellsWhatItHas(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		hold := make(chan struct{})
		var answered atomic.Int64
		target := serve(t, func(http.ResponseWriter, *http.Request) {
			if answered.Add(1) > 50 {
				<-hold
			}
		})
		t.Cleanup(func() { close(hold) })
		c := load(t, target.URL, 500, time.Hour)
		c.Timeout = MaxTimeout
		c.Interval = 50 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		c.Progress = func(Interval) {
			if answered.Load() > 50 {
				cancel()
			}
		}
		r, err := runOn(ctx, c, with)
		if err != nil {
			t.Fatal(err)
		}
		balanced(t, r)
		if !r.Interrupted || r.Answered != 50 || r.Unfinished == 0 || r.Failed != 0 {
			t.Errorf("interrupted %v, %d answered, %d unfinished, failures %v", r.Interrupted, r.Answered, r.Unfinished, r.Failures)
		}
	})
}

func TestTargetThatNobodyServesIsAnError(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if _, err := runOn(t.Context(), load(t, "http://"+l.Addr().String(), 10, time.Second), with); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v, want %v", err, ErrUnreachable)
		}
	})
}

func TestLargeRequestGoesOutWhole(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		const size = 8 << 20 // more than a socket takes at once
		target := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
		})
		c := load(t, target.URL, 10, 500*time.Millisecond)
		u := at(t, target.URL, "/", Expect{})
		head := strings.Replace(string(u.Message), "GET", "POST", 1)
		head = strings.TrimSuffix(head, "\r\n") + "Content-Length: 8388608\r\n\r\n"
		c.Source = Cycle{{Message: append([]byte(head), make([]byte, size)...)}}
		c.Timeout = time.Minute
		if r := attackOn(t, c, with); r.Statuses["200"] != 5 || r.Failed != 0 {
			t.Errorf("statuses %v, failures %v", r.Statuses, r.Failures)
		}
	})
}

func TestTLSTargetIsAttackedWithItsCertificateChecked(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	c := load(t, "http://"+s.Listener.Addr().String(), 200, 500*time.Millisecond)
	c.TLS = &tls.Config{ServerName: "example.com", RootCAs: x509.NewCertPool()}
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrUnreachable) {
		t.Errorf("without its authority: %v", err)
	}
	c.TLS.RootCAs.AddCert(s.Certificate())
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, r)
	if r.Answered != 100 || r.Failed != 0 || r.Generator.Engine != kindGoroutines || !strings.HasPrefix(r.Target, "https://") {
		t.Errorf("%d answered by %s of %s, failures %v", r.Answered, r.Generator.Engine, r.Target, r.Failures)
	}
}

func TestLoadOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"no source":          func(c *Config) { c.Source = nil },
		"no port":            func(c *Config) { c.Address = "localhost" },
		"port 0":             func(c *Config) { c.Address = "127.0.0.1:0" },
		"no duration":        func(c *Config) { c.Schedule = nil },
		"two durations":      func(c *Config) { c.Duration = time.Second },
		"negative pool":      func(c *Config) { c.Connections = -1 },
		"too large a pool":   func(c *Config) { c.Connections = MaxConnections + 1 },
		"idle threads":       func(c *Config) { c.Threads = 9 },
		"no timeout":         func(c *Config) { c.Timeout = -1 },
		"negative lateness":  func(c *Config) { c.MaxLateness = -1 },
		"negative renewal":   func(c *Config) { c.NewConnectionsPerSecond = -1 },
		"too large a body":   func(c *Config) { c.MaxBodyBytes = MaxKeptBytes + 1 },
		"too short interval": func(c *Config) { c.Interval = 1 },
		"TLS without a name": func(c *Config) { c.TLS = &tls.Config{} },
	} {
		c := load(t, "http://127.0.0.1:1", 1, time.Second)
		change(&c)
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want %v", name, err, ErrConfig)
		}
	}
}
