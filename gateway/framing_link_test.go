package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// memory is a gateway between a client and upstreams that are all in memory,
// so that a fuzzer can drive thousands of connections a second.
type memory struct {
	*Gateway
	limits wire.Limits
}

var memoryConfig = fmt.Sprintf(`
listen: [{}]
issuers:
  - name: vneid
    issuer: https://issuer.example
    jwks: { url: https://issuer.example/jwks }
    audience: { any_of: [tthc] }
    claims: { account_kind: { claim: account_type, map: { "1": citizen } } }
limits: { header_bytes: %d, header_count: %d, target_bytes: %d }
sites:
  - name: framing
    hosts: [%s]
    upstreams: [http://upstream.example]
    issuers: [vneid]
    max_body_bytes: %d
    rules: [{ paths: ["/**"], access: public }]
verdicts: { max_bytes: 4MiB }
log: { access: { off: true } }
`, framing.HeadBytes, framing.Fields, framing.TargetBytes, framing.Host, framing.BodyBytes)

func newMemory(tb testing.TB) *memory {
	tb.Helper()
	return &memory{newPieces(tb, memoryConfig, testKeys()["ES256"]), wire.Limits{
		MaxHeadBytes: framing.HeadBytes, MaxHeaderCount: framing.Fields, MaxTargetBytes: framing.TargetBytes,
	}}
}

// serve lets one client send stream, in pieces of the sizes in cuts, and then
// end. It returns what the client got, and the connections to the upstream.
func (m *memory) serve(stream, cuts []byte) (answers []byte, links []*link) {
	// No request is under way: the upstreams are the test's to replace.
	group := upstream.NewGroup(upstream.GroupConfig{
		Endpoints:      []upstream.Endpoint{{Address: "upstream.example:80"}},
		MaxConnections: 16,
		Timeouts:       upstream.Timeouts{Connect: patience, FirstByte: patience, Idle: patience},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			links = append(links, newLink())
			return links[len(links)-1], nil
		},
	})
	defer group.Close()
	m.state.Load().sites[0].reach.group = group
	client := &sender{stream: stream, cuts: cuts}
	_ = m.server.ServeConn(wire.NewServerConn(client, m.limits))
	return client.got.Bytes(), links
}

// sender is a client's connection.
type sender struct {
	silent
	stream, cuts []byte
	piece        int
	got          bytes.Buffer
}

// Read hands out the next piece of the stream.
func (s *sender) Read(p []byte) (int, error) {
	if len(s.stream) == 0 {
		return 0, io.EOF
	}
	n := len(s.stream)
	if len(s.cuts) > 0 {
		n = min(n, 1+int(s.cuts[s.piece%len(s.cuts)]))
		s.piece++
	}
	n = copy(p, s.stream[:n])
	s.stream = s.stream[n:]
	return n, nil
}

// Write implements net.Conn.
func (s *sender) Write(p []byte) (int, error) { return s.got.Write(p) }

// link is a connection to an upstream that reads with readStrict and answers
// whatever is whole.
type link struct {
	silent
	mu       sync.Mutex
	change   *sync.Cond
	in, out  []byte
	requests []strictRequest
	fault    error // what broke the rules, for ever
	deadline time.Time
	closed   bool
}

func newLink() *link {
	l := &link{}
	l.change = sync.NewCond(&l.mu)
	return l
}

// Write implements net.Conn.
func (l *link) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, net.ErrClosed
	}
	l.in = append(l.in, p...)
	for l.fault == nil && len(l.in) > 0 {
		request, n, err := readStrict(l.in)
		if errors.Is(err, errUnfinished) {
			break
		}
		if err != nil {
			l.fault = err
			break
		}
		l.in = l.in[n:]
		l.requests = append(l.requests, request)
		l.out = append(l.out, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"...)
		if request.method != "HEAD" {
			l.out = append(l.out, "good"...)
		}
	}
	l.change.Broadcast()
	return len(p), nil
}

// Read waits for an answer, until the deadline.
func (l *link) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		left := time.Until(l.deadline)
		switch {
		case l.closed:
			return 0, net.ErrClosed
		case len(l.out) > 0:
			n := copy(p, l.out)
			l.out = l.out[n:]
			return n, nil
		case l.fault != nil:
			return 0, io.EOF
		case !l.deadline.IsZero() && left <= 0:
			return 0, os.ErrDeadlineExceeded
		}
		if l.deadline.IsZero() {
			l.change.Wait()
			continue
		}
		alarm := time.AfterFunc(left, l.change.Broadcast)
		l.change.Wait()
		alarm.Stop()
	}
}

// SetDeadline implements net.Conn.
func (l *link) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (l *link) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.change.Broadcast()
	return nil
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.change.Broadcast()
	return nil
}
