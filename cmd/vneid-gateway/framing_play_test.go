package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// framingGateway starts the binary in front of an upstream as the corpus wants
// it: one host, every path public, and its limits.
func framingGateway(t *testing.T, upstream string) *process {
	t.Helper()
	g := serve(t, fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
issuers:
  - name: none
    issuer: http://127.0.0.1:1
    jwks: { url: http://127.0.0.1:1/jwks }
    audience: { any_of: [none] }
    claims: { account_kind: { claim: account_type, map: { "1": citizen } } }
limits: { header_bytes: %d, header_count: %d, target_bytes: %d }
sites:
  - name: framing
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [none]
    max_body_bytes: %d
    rules: [{ paths: ["/**"], access: public }]
log: { access: { off: true } }
shutdown: { delay: 0s, deadline: 20s }
`, framing.HeadBytes, framing.Fields, framing.TargetBytes, framing.Host, upstream, framing.BodyBytes))
	return g
}

// played is one run of a case, on a connection of its own.
type played struct {
	framing.Case
	run    string // marks its requests
	split  framing.Split
	behind bool // a good request goes before it, in the same write
}

// playEach lists the runs of the corpus: in each split, and behind a good
// request.
func playEach(splits ...framing.Split) []played {
	var all []played
	for i, c := range framing.Corpus() {
		for _, split := range splits {
			all = append(all, played{c, fmt.Sprintf("%d-%s", i, split), split, false})
		}
		all = append(all, played{c, fmt.Sprintf("%d-behind", i), framing.Whole, true})
	}
	return all
}

// seen returns what the upstream is to see of a run, in order.
func (p played) seen() []marked {
	var all []marked
	if p.behind {
		_, seen := framing.Before(p.run)
		all = append(all, marked{p.run, seen})
	}
	for _, f := range p.Seen {
		all = append(all, marked{p.run, f})
	}
	if !p.Closes {
		_, seen := framing.Marker(p.run)
		all = append(all, marked{p.run, seen})
	}
	return all
}

// play sends the run, with a marker request behind it, and checks the answers.
// Whatever the case is, the connection ends by the gateway's doing.
func (p played) play(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	marker, _ := framing.Marker(p.run)
	stream := append(p.Bytes(p.run), marker...)
	var methods []string
	if p.behind {
		before, _ := framing.Before(p.run)
		stream = append(before, stream...)
		methods = append(methods, "GET")
	}
	for _, f := range p.Seen {
		methods = append(methods, f.Method)
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		for _, piece := range p.split.Writes(stream) {
			if _, err := conn.Write(piece); err != nil {
				return // The gateway may close before it has everything.
			}
		}
	})
	in := bufio.NewReader(conn)
	interim := 0
	for i, method := range methods {
		status := 200
		last := i == len(methods)-1 && !p.Refused()
		if err := p.wantAnswer(in, method, status, last && p.Closes, &interim); err != nil {
			return fmt.Errorf("answer %d: %w", i+1, err)
		}
	}
	if p.Refused() {
		if err := p.wantAnswer(in, "GET", p.Status, p.Closes, &interim); err != nil {
			return fmt.Errorf("the refusal: %w", err)
		}
	}
	if interim > 1 || interim > 0 && !p.Interim {
		return fmt.Errorf("%d interim answers", interim)
	}
	if !p.Closes {
		if err := p.wantAnswer(in, "GET", 200, true, &interim); err != nil {
			return fmt.Errorf("the marker: %w", err)
		}
	}
	rest, err := io.ReadAll(in)
	if len(rest) > 0 {
		return fmt.Errorf("behind the last answer: %.200q", rest)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("the gateway did not close the connection")
	}
	return nil
}

func (p played) wantAnswer(in *bufio.Reader, method string, status int, closes bool, interim *int) error {
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode == http.StatusContinue {
			*interim++
			continue
		}
		if resp.StatusCode != status {
			return fmt.Errorf("status %d, want %d: %.300s", resp.StatusCode, status, body)
		}
		if resp.Close != closes {
			return fmt.Errorf("status %d says that it closes: %v, want %v", status, resp.Close, closes)
		}
		return nil
	}
}

// playAll plays the runs, a few at a time.
func playAll(t *testing.T, g *process, runs []played) {
	t.Helper()
	const players = 8
	next := make(chan played)
	var playing sync.WaitGroup
	for range players {
		playing.Go(func() {
			for p := range next {
				if err := p.play(strings.TrimPrefix(g.data, "http://")); err != nil {
					t.Errorf("%s, %s (%s): %v", p.Rule, p.Name, p.run, err)
				}
			}
		})
	}
	for _, p := range runs {
		next <- p
	}
	close(next)
	playing.Wait()
}

// marked is a request as an upstream is to see it.
type marked struct {
	run string
	framing.Forward
}

// head is the head that the gateway writes for it.
func (m marked) head() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", m.Method, m.Target, m.Host)
	for _, line := range m.Fields {
		b.WriteString(line + "\r\n")
	}
	version := "1.1"
	if m.HTTP10 {
		version = "1.0"
	}
	fmt.Fprintf(&b, "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: %s\r\n", m.Host)
	fmt.Fprintf(&b, "X-Request-Id: %s\r\ntraceparent: %s\r\nVia: %s vneid-gateway\r\n", m.run, framing.Trace, version)
	switch m.Framing {
	case framing.Sized:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(m.Body))
	case framing.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case framing.None:
	}
	return b.String() + "\r\n"
}

// same checks that request is m, byte by byte.
func (m marked) same(request origin.Request) error {
	switch {
	case request.Err != nil:
		return request.Err
	case string(request.Head) != m.head():
		return fmt.Errorf("head %q, want %q", request.Head, m.head())
	case string(request.Content) != m.Body:
		return fmt.Errorf("content %.200q, want %.200q", request.Content, m.Body)
	case m.Framing == framing.Chunked && !canonical(request.Body):
		return fmt.Errorf("chunks %.200q", request.Body)
	}
	return nil
}

// canonical reports whether a chunked body is written in the one way that
// nobody misreads: sizes in lower case without leading zeros, no extension, no
// trailer.
func canonical(body []byte) bool {
	for {
		line, rest, found := bytes.Cut(body, []byte("\r\n"))
		var size int
		if _, err := fmt.Sscanf(string(line), "%x", &size); !found || err != nil || string(line) != fmt.Sprintf("%x", size) {
			return false
		}
		if size == 0 {
			return string(rest) == "\r\n"
		}
		if len(rest) < size+2 || string(rest[size:size+2]) != "\r\n" {
			return false
		}
		body = rest[size+2:]
	}
}

// goodAnswer is what the recorder says to every request.
func goodAnswer(request origin.Request) origin.Answer {
	answer := origin.OK()
	if bytes.HasPrefix(request.Head, []byte("HEAD ")) {
		answer.Raw = bytes.TrimSuffix(answer.Raw, []byte("good"))
	}
	return answer
}
