package origin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func TestTheBytesOfEachRequestAreKept(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	requests := []origin.Request{
		{Head: []byte("GET /a%2Fb HTTP/1.1\r\nhOsT:  x \r\n\r\n")},
		{Head: []byte("POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\n"), Body: []byte("a\r\n\r\n"), Content: []byte("a\r\n\r\n")},
		{
			Head:    []byte("PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"),
			Body:    []byte("2;ext=1\r\nab\r\nA\r\n0123456789\r\n0\r\nT: r\r\n\r\n"),
			Content: []byte("ab0123456789"),
		},
		{Head: []byte("GET /last HTTP/1.1\r\nContent-Length: 0\r\n\r\n")},
	}
	conn := dial(t, recorder.Address())
	for _, request := range requests {
		if _, err := conn.Write(append(append([]byte(nil), request.Head...), request.Body...)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := recorder.Await(t.Context(), len(requests))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range requests {
		if string(got[i].Head) != string(want.Head) || string(got[i].Body) != string(want.Body) ||
			string(got[i].Content) != string(want.Content) || got[i].Err != nil || got[i].Conn != 0 {
			t.Errorf("%d: got %+v", i, got[i])
		}
	}
	if lines := got[0].Lines(); !reflect.DeepEqual(lines, []string{"GET /a%2Fb HTTP/1.1", "hOsT:  x "}) {
		t.Errorf("lines %q", lines)
	}
	if values := got[0].Values("Host"); !reflect.DeepEqual(values, []string{"x"}) {
		t.Errorf("values %q", values)
	}
	if n := recorder.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestARequestThatCannotBeFramedIsKeptWithItsError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"length and coding":    {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", origin.ErrFraming},
		"two lengths":          {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", origin.ErrFraming},
		"signed length":        {"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", origin.ErrFraming},
		"unknown coding":       {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", origin.ErrFraming},
		"chunk without a size": {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", origin.ErrFraming},
		"chunk beyond size":    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", origin.ErrFraming},
		"cut head":             {"POST / HTT", origin.ErrCut},
		"cut body":             {"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", origin.ErrCut},
		"cut chunk":            {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", origin.ErrCut},
		"huge head":            {"GET / HTTP/1.1\r\nA: " + strings.Repeat("a", origin.MaxHeadBytes), origin.ErrTooLarge},
		"huge body":            {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n" + strings.Repeat("a", origin.MaxBodyBytes), origin.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := record(t, func(request origin.Request) origin.Answer {
				t.Errorf("%v was answered", request.Err)
				return origin.OK()
			})
			conn := dial(t, recorder.Address()).(*net.TCPConn)
			// What is too large may meet a connection that is closed already.
			if _, err := io.WriteString(conn, c.raw); err != nil && !errors.Is(c.want, origin.ErrTooLarge) {
				t.Fatal(err)
			}
			if errors.Is(c.want, origin.ErrCut) {
				if err := conn.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			got, err := recorder.Await(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			kept := string(got[0].Head) + string(got[0].Body)
			if !errors.Is(got[0].Err, c.want) || !strings.HasPrefix(c.raw, kept) {
				t.Errorf("%v after %d bytes", got[0].Err, len(kept))
			}
			if errors.Is(c.want, origin.ErrCut) && kept != c.raw {
				t.Errorf("kept %q", kept)
			}
		})
	}
}

func TestAnswersAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	surplus := "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc"
	recorder := record(t, origin.InTurn(
		origin.Answer{Raw: []byte(surplus)},
		origin.Answer{Raw: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), End: origin.Close},
		origin.Answer{End: origin.Reset},
		origin.Answer{},
	))
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	first := dial(t, recorder.Address())
	for range 2 {
		if _, err := io.WriteString(first, request); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(first)
	if want := surplus + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"; err != nil || string(got) != want {
		t.Fatalf("%q, %v", got, err)
	}

	second := dial(t, recorder.Address())
	if _, err = io.WriteString(second, request); err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(second); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("want a reset, got %v", err)
	}

	third := dial(t, recorder.Address())
	if _, err = io.WriteString(third, request+request); err != nil {
		t.Fatal(err)
	}
	requests, err := recorder.Await(t.Context(), 5)
	if err != nil || requests[4].Conn != 2 {
		t.Fatalf("%d requests, %v", len(requests), err)
	}
	if err = recorder.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ = io.ReadAll(third); len(got) != 0 {
		t.Fatalf("silence is %q", got)
	}
}

func TestAClientThatExpectsLeaveGetsIt(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.Answer{Raw: []byte("done"), End: origin.Close}))
	conn := dial(t, recorder.Address())
	if _, err := io.WriteString(conn, "PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	leave := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, leave); err != nil || string(leave) != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("%q, %v", leave, err)
	}
	if _, err := io.WriteString(conn, "ab"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "done" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := recorder.Await(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func record(t *testing.T, answer func(origin.Request) origin.Answer) *origin.Recorder {
	t.Helper()
	recorder, err := origin.Record(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := recorder.Close(); err != nil {
			t.Error(err)
		}
	})
	return recorder
}

func TestRestWaitsUntilEveryByteWasRead(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	conn, err := net.Dial("tcp", recorder.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := recorder.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithCancel(t.Context())
	cancel()
	if err := recorder.Rest(soon); !errors.Is(err, context.Canceled) {
		t.Errorf("while a connection is open: %v", err)
	}
	if _, err := io.WriteString(conn, "GET /cut HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if err := recorder.Rest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if requests := recorder.Requests(); len(requests) != 2 || !errors.Is(requests[1].Err, origin.ErrCut) {
		t.Errorf("%v", requests)
	}
}
