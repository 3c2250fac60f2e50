package admin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// pipe is a listener with one client.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipe) Close() error   { close(p.closed); return nil }
func (p pipe) Addr() net.Addr { return &net.TCPAddr{} }

// over sends the head of a call, then body, to a listener in the test's bubble and
// returns the answer.
func over(t *testing.T, cfg Config, body string, length int) (status int, answer []byte, took time.Duration) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	ln := pipe{make(chan net.Conn, 1), make(chan struct{})}
	ln.conns <- server
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	begun := time.Now()
	_, _ = fmt.Fprintf(client, "POST /revocations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		operatorToken, length, body)
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	took = time.Since(begun)
	answer, err = io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close(), client.Close(), s.Shutdown(context.WithoutCancel(t.Context())), <-served); err != nil {
		t.Error(err)
	}
	return response.StatusCode, answer, took
}

const oneRevocation = `{"issuer":"vneid","jti":"j","reason":"r"}`

func TestBodyThatDoesNotArriveIsNotWaitedForLongerThanItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		status, answer, took := over(t, withRevocations(&fakeIntake{}, discard()), oneRevocation, len(oneRevocation)+1)
		if status != 400 || !bytes.Contains(answer, []byte(codeInvalid)) || took != arrivalTimeout {
			t.Errorf("%d %s after %v", status, answer, took)
		}
	})
}

// slow takes its time, or as much as it is given.
type slow time.Duration

func (s slow) Accept(ctx context.Context, _ ...revocation.Entry) error {
	select {
	case <-time.After(time.Duration(s)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Whoever has sent a body may wait for the disk for longer than that body could
// have taken to arrive.
func TestIntakeMayTakeLongerThanTheBodyMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		status, answer, took := over(t, withRevocations(slow(2*arrivalTimeout), discard()), oneRevocation, len(oneRevocation))
		if status != 200 || took != 2*arrivalTimeout {
			t.Errorf("%d %s after %v", status, answer, took)
		}
	})
}

func TestIntakeIsNotWaitedForLongerThanItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		status, answer, took := over(t, withRevocations(slow(time.Hour), discard()), oneRevocation, len(oneRevocation))
		if status != 503 || took != acceptTimeout {
			t.Errorf("%d %s after %v", status, answer, took)
		}
	})
}
