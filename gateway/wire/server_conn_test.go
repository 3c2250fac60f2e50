package wire

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// TestRefusedRequestReleasesNoCompleteHead reads every refused request, alone
// and behind a good one, cut in two at every byte and byte by byte.
func TestRefusedRequestReleasesNoCompleteHead(t *testing.T) {
	t.Parallel()
	good := post + "Content-Length: 5\r\n\r\nhello"
	for _, tc := range refusedRequests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, before := range []string{"", good} {
				in := before + tc.raw + good
				check := func(c *scriptedConn) {
					t.Helper()
					s := NewServerConn(c, tight)
					out, err := readAll(s)
					refusedAt(t, []byte(in), out, err, tc.reason)
					if e := s.Refusal(); e == nil || e.Reason != tc.reason || e.Status != tc.status {
						t.Fatalf("Refusal is %v, want status %d", e, tc.status)
					}
					if !strings.HasPrefix(string(out), before) {
						t.Fatalf("the good request before was not released: %q", out)
					}
					rest := string(out[len(before):])
					if len(rest) == 0 {
						t.Fatal("nothing of the refused request was released: fasthttp closes silently")
					}
					if head := strings.Index(tc.raw, "\r\n\r\n"); tc.reason != ErrBlankLines && !strings.HasPrefix(tc.raw, chnk) &&
						strings.Contains(rest, "\r\n\r\n") {
						t.Fatalf("a head that ends at %d was released whole: %q", head, rest)
					}
					reads := c.reads
					if n, again := s.Read(make([]byte, 8)); n != 0 || !errors.Is(again, err) || c.reads != reads {
						t.Fatalf("the refusal does not stick: %d, %v, %d reads more", n, again, c.reads-reads)
					}
				}
				for cut := range len(in) {
					check(&scriptedConn{data: []byte(in), cuts: []byte{byte(cut), 255, 255, 255, 255, 255, 255, 255, 255}})
				}
				check(&scriptedConn{data: []byte(in), cuts: []byte{0}})
				check(&scriptedConn{data: []byte(in)})
			}
		})
	}
}

func TestWellFormedRequestsPassUnchanged(t *testing.T) {
	t.Parallel()
	all := strings.Join(passingRequests, "")
	for cut := range 256 {
		c := &scriptedConn{data: []byte(all), cuts: []byte{byte(cut)}}
		s := NewServerConn(c, tight)
		out, err := readAll(s)
		if !errors.Is(err, io.EOF) || string(out) != all {
			t.Fatalf("pieces of %d bytes: %v after %d of %d bytes, in %q", cut+1, err, len(out), len(all), tail(out))
		}
		if s.Refusal() != nil || ErrorOf(s) != nil {
			t.Fatalf("a refusal without a cause: %v", s.Refusal())
		}
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-60):] }

func TestEveryReasonHasItsOwnCodeAndStatus(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Reasons() {
		code := r.String()
		if code == "" || seen[code] || strings.ToLower(code) != code || strings.ContainsAny(code, " -") {
			t.Errorf("reason %d has code %q", r, code)
		}
		seen[code] = true
		if s := requestRefusals[r].Status; s < 400 || s > 599 {
			t.Errorf("%v: status %d", r, s)
		}
		if s := responseRefusals[r].Status; s != 502 {
			t.Errorf("%v: status %d of a response", r, s)
		}
	}
	if got := Reason(200).String(); got != "reason_200" {
		t.Errorf("an unknown reason is %q", got)
	}
}

// TestEveryReasonIsReached keeps the tables complete.
func TestEveryReasonIsReached(t *testing.T) {
	t.Parallel()
	reached := map[Reason]bool{}
	for _, tc := range refusedRequests {
		reached[tc.reason] = true
	}
	for _, tc := range refusedResponses {
		reached[tc.reason] = true
	}
	for _, tc := range refusedTargets {
		reached[tc.reason] = true
	}
	for _, r := range Reasons() {
		if !reached[r] {
			t.Errorf("no test reaches %v", r)
		}
	}
}

func TestInputEndingInsideARequestIsUnexpectedEOF(t *testing.T) {
	t.Parallel()
	for _, raw := range passingRequests {
		from := 1
		if strings.HasPrefix(raw, "\r\n") {
			from = 3 // a blank line alone is no request
		}
		for n := from; n < len(raw); n++ {
			s := NewServerConn(&scriptedConn{data: []byte(raw[:n])}, tight)
			out, err := readAll(s)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%q ends with %v", raw[:n], err)
			}
			// After the last chunk fasthttp takes any error for the end.
			poisoned := strings.HasSuffix(raw[:n], "0\r\n") || strings.HasSuffix(raw[:n], "0\r\n\r")
			if s.endingBody() != (string(out) == raw[:n]+"X") || s.endingBody() && !poisoned {
				t.Fatalf("%q: released %q", raw[:n], out)
			}
		}
	}
}

func TestBrokenConnectionAfterTheLastChunkIsNotTheEndOfTheBody(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	s := NewServerConn(&scriptedConn{data: []byte(chnk + "1\r\na\r\n0\r\n"), end: broken}, tight)
	out, err := readAll(s)
	if !errors.Is(err, broken) || !strings.HasSuffix(string(out), "0\r\nX") {
		t.Fatalf("%q, %v", out, err)
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func TestReadingGoesOnAfterATimeout(t *testing.T) {
	t.Parallel()
	c := &scriptedConn{data: []byte(chnk + "1\r\na\r\n0\r\n"), end: timeoutError{}}
	s := NewServerConn(c, tight)
	if out, err := readAll(s); !errors.Is(err, timeoutError{}) || strings.HasSuffix(string(out), "X") {
		t.Fatalf("%q, %v", out, err)
	}
	c.data, c.end = append(c.data, "\r\n"...), nil
	if out, err := readAll(s); string(out) != "\r\n" || !errors.Is(err, io.EOF) {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestPassThroughOnlyBetweenRequests(t *testing.T) {
	t.Parallel()
	upgrade := get + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	frames := "\x81\x05hello\n\r\n"

	c := &scriptedConn{data: []byte(upgrade)}
	s := NewServerConn(c, tight)
	p := make([]byte, 1024)
	if _, err := s.Read(p[:10]); err != nil {
		t.Fatal(err)
	}
	if err := s.PassThrough(1); !errors.Is(err, ErrBusy) {
		t.Fatalf("inside the head: %v", err)
	}
	for c.offset < len(c.data) {
		if _, err := s.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PassThrough(1); err != nil {
		t.Fatal(err)
	}
	c.data = append(c.data, frames...)
	if out, err := readAll(s); string(out) != frames || !errors.Is(err, io.EOF) {
		t.Fatalf("%q, %v", out, err)
	}

	early := NewServerConn(&scriptedConn{data: []byte(upgrade + frames)}, tight)
	if _, err := early.Read(p); err != nil {
		t.Fatal(err)
	}
	if err := early.PassThrough(1); !errors.Is(err, ErrMethodInvalid) {
		t.Fatalf("a client that did not wait: %v", err)
	}
}

// A whole request behind the upgrade leaves the checks between two requests, too.
func TestPassThroughNotBehindAWholeRequestThatWasReadAhead(t *testing.T) {
	t.Parallel()
	upgrade := get + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	for ahead, want := range map[string]error{
		"":                  nil,
		get + host + "\r\n": ErrBusy,
		chnk + "0\r\n\r\n":  ErrBusy,
		"\r\n":              ErrBusy,
	} {
		s := NewServerConn(&scriptedConn{data: []byte(get + host + "\r\n" + upgrade + ahead)}, tight)
		p := make([]byte, 4096)
		for read := 0; read < len(get+host+"\r\n"+upgrade+ahead); {
			n, err := s.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			read += n
		}
		if err := s.PassThrough(2); !errors.Is(err, want) {
			t.Errorf("behind %q: %v, want %v", ahead, err, want)
		}
	}
}

func TestErrorOfLooksThroughWrappers(t *testing.T) {
	t.Parallel()
	s := NewServerConn(&scriptedConn{data: []byte("\n")}, Limits{})
	if _, err := readAll(s); err == nil {
		t.Fatal("not refused")
	}
	outer := NewClientConn(s, Limits{})
	if e := ErrorOf(s); e == nil || e.Reason != ErrBareLF || e.Status != 400 {
		t.Fatalf("%v", e)
	}
	if e := ErrorOf(outer); e != nil {
		t.Fatalf("the outermost checker does not answer: %v", e)
	}
	if e := ErrorOf(wrapper{s}); e == nil || e.Reason != ErrBareLF {
		t.Fatalf("%v", e)
	}
	if ErrorOf(nil) != nil || ErrorOf(&scriptedConn{}) != nil {
		t.Fatal("a refusal from a connection that is not checked")
	}
}

type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }
