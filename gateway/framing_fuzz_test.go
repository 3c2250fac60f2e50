package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// FuzzGatewayAndUpstreamNeverDisagreeWhereARequestEnds sends arbitrary bytes
// through everything that is between a client's socket and an upstream's: the
// checks of package wire, fasthttp, the handler, and the heads and bodies that
// package upstream writes. Three parsers must agree: one that reads what the
// client sent, the gateway, whose answers tell what it took for a request, and a
// strict one behind it.
func FuzzGatewayAndUpstreamNeverDisagreeWhereARequestEnds(f *testing.F) {
	for _, seed := range framingSeeds() {
		f.Add(seed, []byte{})
		f.Add(seed, []byte{2, 0, 9})
	}
	m := newMemory(f)
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		if len(stream) > 64<<10 {
			t.Skip()
		}
		whole := m.judge(t, stream, nil)
		if len(cuts) > 0 {
			if cut := m.judge(t, stream, cuts); fmt.Sprint(cut) != fmt.Sprint(whole) {
				t.Fatalf("the pieces in which it came matter: %v, whole: %v", cut, whole)
			}
		}
	})
}

// framingSeeds returns streams made of the corpus: all that passes, many in one
// stream, and some of each kind that is refused. A fuzzer runs every seed before
// it begins; the whole corpus has a test of its own.
func framingSeeds() (seeds [][]byte) {
	const each, long = 4, 2 << 10
	taken := make(map[string]int)
	var stream []byte
	for _, c := range framing.Corpus() {
		raw := c.Bytes("c")
		if len(raw) > long {
			continue
		}
		if !c.Closes {
			if stream = append(stream, raw...); len(stream) > long {
				seeds = append(seeds, stream)
				stream = nil
			}
			continue
		}
		kind := fmt.Sprint(c.Rule, c.Status)
		if taken[kind]++; taken[kind] <= each {
			marker, _ := framing.Marker("m")
			seeds = append(seeds, append(raw, marker...))
		}
	}
	return append(seeds, stream, []byte(upgrade+"\r\n\x81\x00"))
}

// TestTheCorpusIsReadAlikeByAllInWhateverPieces drives the corpus through the
// gateway in memory, where a piece that was sent is a piece that is read.
func TestTheCorpusIsReadAlikeByAllInWhateverPieces(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	runs := 0
	for _, c := range framing.Corpus() {
		stream := c.Bytes("c")
		marker, _ := framing.Marker("m")
		want := slices.Repeat([]int{http.StatusOK}, len(c.Seen))
		if c.Refused() {
			want = append(want, c.Status)
		}
		if !c.Closes {
			want = append(want, http.StatusOK)
		}
		pieces := [][]byte{nil, {0}, {1}, {22, 0, 0}}
		if len(stream) > 4<<10 {
			pieces = [][]byte{nil, {255}} // The strict parser begins anew with each piece.
		}
		for _, cuts := range pieces {
			runs++
			if got := m.judge(t, append(stream, marker...), cuts); !slices.Equal(got, want) {
				t.Errorf("%s, %s, in pieces %v: answers %v, want %v", c.Rule, c.Name, cuts, got, want)
			}
		}
	}
	t.Logf("%d cases in %d runs", len(framing.Corpus()), runs)
}

const upgrade = "GET /c HTTP/1.1\r\nHost: framing.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// judge serves the stream and checks that all agree. It returns the statuses of
// the answers.
func (m *memory) judge(t *testing.T, stream, cuts []byte) (statuses []int) {
	t.Helper()
	answers, links := m.serve(stream, cuts)
	for _, l := range links {
		if l.fault != nil {
			t.Fatalf("the upstream got %q: %v", l.in, l.fault)
		}
	}
	sent, next := readAllSent(stream)
	var passed []strictRequest
	for in := bufio.NewReader(bytes.NewReader(answers)); ; {
		method := next
		if len(statuses) < len(sent) {
			method = sent[len(statuses)].method
		}
		status, closes, err := readAnswer(in, method)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("answers %q: %v", answers, err)
		}
		if n := len(statuses); status == http.StatusOK {
			if n >= len(sent) {
				t.Fatalf("%d requests were sent, and answer %d is a good one", len(sent), n+1)
			}
			passed = append(passed, sent[n])
		} else if status >= http.StatusInternalServerError && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported {
			t.Fatalf("status %d: %q", status, answers)
		}
		statuses = append(statuses, status)
		if closes {
			// Of a head that could not be read the gateway does not know that it
			// was one of HEAD; its answer then has the content that it tells of.
			rest, _ := io.ReadAll(in)
			if len(rest) > 0 && (method != http.MethodHead || status == http.StatusOK || bytes.Contains(rest, []byte("HTTP/1."))) {
				t.Fatalf("behind the end: %q", rest)
			}
		}
	}
	if len(statuses) > len(sent)+1 {
		t.Fatalf("%d requests were sent, and %d answers came", len(sent), len(statuses))
	}
	m.compare(t, passed, links)
	return statuses
}

// compare checks that the upstream read the requests that passed, and no other.
func (m *memory) compare(t *testing.T, passed []strictRequest, links []*link) {
	t.Helper()
	var read []strictRequest
	for _, l := range links {
		read = append(read, l.requests...)
		if len(l.in) > 0 && !l.closed {
			t.Fatalf("a request was not finished, and its connection was kept: %q", l.in)
		}
	}
	if len(read) != len(passed) {
		t.Fatalf("the gateway passed %d requests, the upstream read %d: %q", len(passed), len(read), read)
	}
	for i, want := range passed {
		got := read[i]
		target, _, err := wire.ParseTarget(nil, []byte(want.target))
		if err != nil {
			t.Fatalf("target %q passed: %v", want.target, err)
		}
		normal := string(target.Path)
		if target.HasQuery {
			normal += "?" + string(target.Query)
		}
		if got.method != want.method || got.target != normal || got.host != want.host || !bytes.Equal(got.body, want.body) {
			t.Fatalf("the upstream read %q, the client sent %q", got, want)
		}
	}
}

// readAllSent returns the requests of a stream, and the method of the one behind
// them that is not whole.
func readAllSent(stream []byte) (all []strictRequest, next string) {
	for {
		r, n := readSent(stream)
		if n == 0 {
			method, _, _ := bytes.Cut(bytes.TrimPrefix(stream, []byte("\r\n")), []byte(" "))
			return all, string(method)
		}
		all = append(all, r)
		stream = stream[n:]
	}
}

// readAnswer reads a final answer to its end.
func readAnswer(in *bufio.Reader, method string) (status int, closes bool, err error) {
	for {
		if _, err := in.Peek(1); err != nil {
			return 0, false, err
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return 0, false, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return 0, false, err
		}
		if resp.StatusCode != http.StatusContinue {
			return resp.StatusCode, resp.Close, nil
		}
	}
}
