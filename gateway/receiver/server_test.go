package receiver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPathsAreComparedByteForByte(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Routes: map[string]http.Handler{"/events/push": handled(202), "/": handled(200)}})
	for _, tc := range []struct {
		target string
		status int
	}{
		{"/events/push", 202},
		{"/events/push?logout_token=x", 202},
		{"/", 200},
		{"/events/push/", 404},
		{"/events//push", 404},
		{"//events/push", 404},
		{"/events/../events/push", 404},
		{"/events/%70ush", 404},
		{"/Events/push", 404},
		{"/events", 404},
		{"/events/push;x", 404},
		{"*", 404},
	} {
		got := r.send("POST " + tc.target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		if got.StatusCode != tc.status || got.Header.Get("Location") != "" {
			t.Errorf("%s: %d, want %d; Location %q", tc.target, got.StatusCode, tc.status, got.Header.Get("Location"))
		}
		if tc.status == 404 && (got.body != `{"error":"no such path"}`+"\n" || got.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: %q", tc.target, got.body)
		}
	}
	if st := r.Stats(); st.Requests[Handled] != 3 || st.Requests[NotFound] != 9 {
		t.Errorf("%+v", st)
	}
}

func TestOnlyPOSTIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Routes: map[string]http.Handler{"/logout": handled(200)}})
	for _, method := range []string{"GET", "PUT", "OPTIONS", "DELETE", "TRACE", "post"} {
		got := r.send(method + " /logout HTTP/1.1\r\nHost: x\r\n\r\n")
		if got.StatusCode != 405 || got.Header.Get("Allow") != "POST" || got.body != `{"error":"only POST is taken here"}`+"\n" {
			t.Errorf("%s: %d %q %q", method, got.StatusCode, got.Header.Get("Allow"), got.body)
		}
	}
	if got := r.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"); got.StatusCode != 404 {
		t.Errorf("OPTIONS *: %d", got.StatusCode)
	}
	if n := r.Stats().Requests[WrongMethod]; n != 6 {
		t.Errorf("counted %d", n)
	}
}

func TestEveryAnswerForbidsSniffingAndStoring(t *testing.T) {
	t.Parallel()
	panics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Left-Over", "x")
		panic("x")
	})
	r := newRig(t, Config{Routes: map[string]http.Handler{"/ok": handled(204), "/panics": panics}})
	for _, raw := range []string{
		post("/ok", ""), post("/unknown", ""), post("/panics", ""), "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		got := r.send(raw)
		if got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Cache-Control") != "no-store" ||
			got.Header.Get("X-Left-Over") != "" {
			t.Errorf("%d %v", got.StatusCode, got.Header)
		}
	}
}

func TestPanicIsA500AndItsValueIsNotLogged(t *testing.T) {
	t.Parallel()
	late := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic("a secret value")
	})
	early := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret value") })
	aborts := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	r := newRig(t, Config{
		MaxRequests: 1, Routes: map[string]http.Handler{"/early": early, "/late": late, "/aborts": aborts, "/ok": handled(200)},
	})
	if got := r.send(post("/early", "")); got.StatusCode != 500 || got.body != `{"error":"internal error"}`+"\n" {
		t.Errorf("%d %q", got.StatusCode, got.body)
	}
	// An answer that has begun cannot become another: it must not look whole.
	c := r.dial(nil)
	_, _ = io.WriteString(c, post("/late", ""))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the answer looks whole")
	}
	_ = response.Body.Close()
	c = r.dial(nil)
	_, _ = io.WriteString(c, post("/aborts", ""))
	if _, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("aborted: %v", err)
	}
	if got := r.send(post("/ok", "")); got.StatusCode != 200 {
		t.Errorf("a slot was lost: %d", got.StatusCode)
	}
	if n := r.Stats().Requests[Panicked]; n != 2 {
		t.Errorf("counted %d", n)
	}
	if said := r.log.String(); strings.Contains(said, "secret") || !strings.Contains(said, "server_test.go") {
		t.Error(said)
	}
}

func TestRoutesAreReplacedAtOnceAndRequestsUnderWayKeepTheirs(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	old := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		w.WriteHeader(http.StatusAccepted)
	})
	r := newRig(t, Config{Routes: map[string]http.Handler{"/a": old}})
	c := r.dial(nil)
	_, _ = io.WriteString(c, post("/a", ""))
	<-entered
	given := map[string]http.Handler{"/b": handled(200)}
	if err := r.SetRoutes(given); err != nil {
		t.Fatal(err)
	}
	given["/c"] = handled(200) // The map stays the caller's.
	for path, status := range map[string]int{"/a": 404, "/b": 200, "/c": 404} {
		if got := r.send(post(path, "")); got.StatusCode != status {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	close(leave)
	if got := r.read(bufio.NewReader(c)); got.StatusCode != 202 {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestRouteThatNoRequestCanHaveIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Routes: map[string]http.Handler{"/a": handled(200)}})
	for _, bad := range []map[string]http.Handler{
		{"": handled(200)}, {"a": handled(200)}, {"/a b": handled(200)}, {"/a?b": handled(200)}, {"/đ": handled(200)}, {"/b": nil},
	} {
		if err := r.SetRoutes(bad); !errors.Is(err, ErrRoute) {
			t.Errorf("%v: %v", bad, err)
		}
		if _, err := New(Config{Routes: bad, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrRoute) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if got := r.send(post("/a", "")); got.StatusCode != 200 {
		t.Errorf("the routes from before are gone: %d", got.StatusCode)
	}
}

func TestShutdownWaitsForRequestsUnderWay(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	waits := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	r := newRig(t, Config{Routes: map[string]http.Handler{"/": waits}})
	c := r.dial(nil)
	_, _ = io.WriteString(c, post("/", ""))
	<-entered
	down := make(chan error, 1)
	go func() { down <- r.Shutdown(t.Context()) }()
	r.eventually("closed", func() bool {
		late, err := net.Dial("tcp", r.Addr().String())
		if err == nil {
			_ = late.Close()
		}
		return err != nil
	})
	close(leave)
	if got := r.read(bufio.NewReader(c)); got.StatusCode != 200 {
		t.Errorf("%d", got.StatusCode)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownThatRunsOutOfTimeClosesConnections(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	waits := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		close(entered)
		<-req.Context().Done()
	})
	r := newRig(t, Config{RequestTimeout: time.Hour, Routes: map[string]http.Handler{"/": waits}})
	c := r.dial(nil)
	_, _ = io.WriteString(c, post("/", ""))
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	r.eventually("free", func() bool { return r.Stats().InFlight == 0 })
}

func TestShutdownBeforeServeClosesTheSocket(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Address: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); !errors.Is(err, ErrNotListening) || s.Addr() != nil {
		t.Errorf("%v", err)
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.socket.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it still listens: %v", err)
	}
	if err := s.Serve(); err != nil {
		t.Errorf("serving after the end: %v", err)
	}
}

func TestOutcomesHaveDifferentNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range Outcomes() {
		if name := o.String(); name == "" || seen[name] {
			t.Errorf("%d: %q", o, name)
		} else {
			seen[name] = true
		}
	}
}
