package receiver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of a test; no test passes or fails by less.
const patience = 20 * time.Second

// rig is a receiver that is served until the test ends.
type rig struct {
	*Server
	tb  testing.TB
	log *lines
}

func newRig(tb testing.TB, cfg Config) *rig {
	tb.Helper()
	r := &rig{tb: tb, log: &lines{}}
	cfg.Log = slog.New(slog.NewJSONHandler(r.log, nil))
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	var err error
	if r.Server, err = New(cfg); err != nil {
		tb.Fatal(err)
	}
	if err := r.Listen(context.Background()); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Serve() }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(r.Shutdown(ctx), <-ended); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// lines keeps what was logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (r *rig) eventually(what string, holds func() bool) {
	r.tb.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			r.tb.Fatalf("never %s: %+v\n%s", what, r.Stats(), r.log)
		case <-tick.C:
		}
	}
}

// dial returns a connection, under TLS where config is not nil.
func (r *rig) dial(config *tls.Config) net.Conn {
	r.tb.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		r.tb.Fatal(err)
	}
	if config != nil {
		c = tls.Client(c, config)
	}
	r.tb.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// reply is an answer that was read whole.
type reply struct {
	*http.Response
	body string
}

// read reads one answer.
func (r *rig) read(from *bufio.Reader) reply {
	r.tb.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.tb.Fatal(err)
	}
	return reply{response, string(body)}
}

// send sends raw bytes on a new connection and reads one answer.
func (r *rig) send(raw string) reply {
	r.tb.Helper()
	c := r.dial(nil)
	if _, err := io.WriteString(c, raw); err != nil {
		r.tb.Fatal(err)
	}
	return r.read(bufio.NewReader(c))
}

// post returns a request as it goes over the wire.
func post(path, body string) string {
	var b strings.Builder
	request, err := http.NewRequest(http.MethodPost, "http://receiver.example"+path, strings.NewReader(body))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if err := request.Write(&b); err != nil {
		panic("BUG: " + err.Error())
	}
	return b.String()
}

func handled(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}
