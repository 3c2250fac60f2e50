package receiver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestBodiesAreBoundedWhetherAnnouncedOrNot(t *testing.T) {
	t.Parallel()
	reads := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
			http.Error(w, tooLong.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(body)
	})
	r := newRig(t, Config{MaxBodyBytes: 4, Routes: map[string]http.Handler{"/": reads}})
	for _, tc := range []struct {
		raw    string
		status int
	}{
		{post("/", "1234"), 200},
		{post("/", "12345"), 413},
		{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\n\r\n", 200},
		{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n", 400},
	} {
		if got := r.send(tc.raw); got.StatusCode != tc.status {
			t.Errorf("%q: %d %q, want %d", tc.raw, got.StatusCode, got.body, tc.status)
		}
	}
	if n := r.Stats().Requests[TooLarge]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestRequestsBeyondTheLimitAreToldToComeBack(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	waits := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	})
	r := newRig(t, Config{
		MaxRequests: 2, RetryAfter: 1500 * time.Millisecond, Routes: map[string]http.Handler{"/": waits},
	})
	var under []*bufio.Reader
	for range 2 {
		c := r.dial(nil)
		if _, err := io.WriteString(c, post("/", "")); err != nil {
			t.Fatal(err)
		}
		under = append(under, bufio.NewReader(c))
		<-entered
	}
	got := r.send(post("/", ""))
	if got.StatusCode != 503 || got.Header.Get("Retry-After") != "2" || !got.Close {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	// What needs no slot is answered all the same.
	if got := r.send(post("/unknown", "")); got.StatusCode != 404 {
		t.Errorf("%d", got.StatusCode)
	}
	if st := r.Stats(); st.InFlight != 2 || st.Requests[Overloaded] != 1 {
		t.Errorf("%+v", st)
	}
	close(leave)
	for _, c := range under {
		if got := r.read(c); got.StatusCode != 200 {
			t.Errorf("%d", got.StatusCode)
		}
	}
	r.eventually("free", func() bool { return r.Stats().InFlight == 0 })
}

func TestHandlersTimeEndsWhileItsAnswerCanStillBeWritten(t *testing.T) {
	t.Parallel()
	waits := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		<-req.Context().Done()
		if errors.Is(req.Context().Err(), context.DeadlineExceeded) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	r := newRig(t, Config{RequestTimeout: 10 * time.Millisecond, Routes: map[string]http.Handler{"/": waits}})
	if got := r.send(post("/", "")); got.StatusCode != 503 {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestSilentConnectionsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{
		HeaderTimeout: 10 * time.Millisecond, IdleTimeout: 10 * time.Millisecond, RequestTimeout: time.Hour,
		Routes: map[string]http.Handler{"/": handled(200)},
	})
	for _, begin := range []string{"", "POST / HTTP/1.1\r\nHost:", post("/", "")} {
		c := r.dial(nil)
		_, _ = io.WriteString(c, begin)
		_, err := io.ReadAll(c)
		if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() {
			t.Errorf("%q: the connection stays open", begin)
		}
	}
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxConnections: 1, Routes: map[string]http.Handler{"/": handled(200)}})
	first := r.dial(nil)
	_, _ = io.WriteString(first, post("/", ""))
	r.read(bufio.NewReader(first))
	second := r.dial(nil)
	_, _ = io.WriteString(second, post("/", ""))
	_ = second.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("it was answered beside the first")
	}
	_ = first.Close()
	_ = second.SetReadDeadline(time.Now().Add(patience))
	if got := r.read(bufio.NewReader(second)); got.StatusCode != 200 {
		t.Errorf("%d", got.StatusCode)
	}
}
