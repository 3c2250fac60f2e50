package attack

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// parsed is what came of reading an answer.
type parsed struct {
	status    int
	body      string
	header    string
	keepAlive bool
}

// read feeds an answer to a parser in pieces of a size, as a connection that then
// is closed would.
func read(r *Request, text string, size int) (parsed, error) {
	p := parser{limit: DefaultMaxBodyBytes}
	p.reset(r)
	buf := make([]byte, size) // it is used again, as a connection's is
	whole := false
	for rest := text; len(rest) > 0; {
		n := copy(buf, rest)
		rest = rest[n:]
		var err error
		if whole, err = p.feed(buf[:n]); err != nil {
			return parsed{}, err
		}
		if whole && len(rest) > 0 {
			return parsed{}, errors.Join(ErrResponse, errors.New("bytes after its end"))
		}
	}
	if !whole && !p.closed() {
		return parsed{}, io.ErrUnexpectedEOF
	}
	x, _ := p.answer.Header("x")
	return parsed{p.answer.Status, string(p.answer.Body), string(x), p.keepAlive}, nil
}

var wanted = Request{Expect: Expect{Accept: func(*Response) bool { return true }}}

var answers = map[string]struct {
	text string
	want parsed
}{
	"with a length":         {"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "y", true}},
	"empty":                 {"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", parsed{200, "", "", true}},
	"no reason":             {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", parsed{200, "", "", true}},
	"closing":               {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "", false}},
	"of HTTP/1.0":           {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "", false}},
	"of 1.0 kept alive":     {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "", true}},
	"until close":           {"HTTP/1.1 200 OK\r\nX: y\r\n\r\nok and all the rest", parsed{200, "ok and all the rest", "y", false}},
	"in chunks":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n1\r\no\r\n00A;q=1\r\nk and more\r\n0\r\n\r\n", parsed{200, "ok and more", "y", true}},
	"with a trailer":        {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\nC: d\r\n\r\n", parsed{200, "ok", "", true}},
	"without content":       {"HTTP/1.1 204 No Content\r\n\r\n", parsed{204, "", "", true}},
	"not modified":          {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", parsed{304, "", "", true}},
	"after a 103":           {"HTTP/1.1 103 Early Hints\r\nX: no\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "y", true}},
	"with the length twice": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", parsed{200, "ok", "", true}},
}

func TestAnswerIsReadTheSameInWhateverPieces(t *testing.T) {
	t.Parallel()
	for name, c := range answers {
		for size := 1; size <= len(c.text); size++ {
			if got, err := read(&wanted, c.text, size); err != nil || got != c.want {
				t.Errorf("%s, in pieces of %d: %+v, %v, want %+v", name, size, got, err, c.want)
			}
		}
	}
}

func TestAnswerToHeadHasNoBody(t *testing.T) {
	t.Parallel()
	got, err := read(&Request{NoBody: true}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 100)
	if err != nil || got.status != 200 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := read(&Request{NoBody: true}, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 100); !errors.Is(err, ErrResponse) {
		t.Errorf("with a body: %v", err)
	}
}

func TestAnswerThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another protocol":      "SSH-2.0-OpenSSH_9.9\r\n\r\n",
		"HTTP/2":                "HTTP/2.0 200 OK\r\n\r\n",
		"no status":             "HTTP/1.1 2x0 OK\r\n\r\n",
		"a status too high":     "HTTP/1.1 600 OK\r\n\r\n",
		"a status too long":     "HTTP/1.1 2000 OK\r\n\r\n",
		"a bare line feed":      "HTTP/1.1 200 OK\nX: y\r\n\r\n",
		"a carriage return":     "HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n",
		"one in the reason":     "HTTP/1.1 200 O\rK\r\n\r\n",
		"chunks of HTTP/1.0":    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a broken chunk line":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00;\n\r\n\r\n",
		"a broken trailer":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\nC: d\r\n\r\n",
		"a folded field":        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
		"space before a colon":  "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
		"no colon":              "HTTP/1.1 200 OK\r\nX\r\n\r\n",
		"two lengths":           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
		"a list of lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
		"a signed length":       "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"a huge length":         "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nok",
		"length beside chunks":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another coding":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a chunk without size":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n0\r\n\r\n",
		"a chunk too long":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n",
		"a huge chunk":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n",
		"an endless chunk line": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", maxChunkLineBytes),
		"an endless head":       "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeadBytes),
		"an endless trailer":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", maxHeadBytes/6+1),
		"bytes after its end":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
		"another protocol's":    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"ever more to come":     strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim+1),
	} {
		for _, size := range []int{1, 7, len(text)} {
			if _, err := read(&wanted, text, size); !errors.Is(err, ErrResponse) {
				t.Errorf("%s, in pieces of %d: %v", name, size, err)
			}
		}
	}
}

func TestAnswerThatIsCutIsNotWhole(t *testing.T) {
	t.Parallel()
	for name, c := range answers {
		if name == "until close" {
			continue
		}
		for n := range len(c.text) {
			if _, err := read(&wanted, c.text[:n], 1<<10); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %d bytes of %d: %v", name, n, len(c.text), err)
			}
		}
	}
}

func TestBodyIsKeptUpToItsLimitAndCountedWhole(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"with a length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
		"in chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
	} {
		for size := 1; size < 100; size += 9 {
			p := parser{limit: 6}
			p.reset(&wanted)
			for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if _, err := p.feed(bytes.Clone(rest[:min(size, len(rest))])); err != nil {
					t.Fatal(err)
				}
			}
			if string(p.answer.Body) != "012345" || p.answer.BodyBytes != 10 {
				t.Errorf("%s: kept %q of %d bytes", name, p.answer.Body, p.answer.BodyBytes)
			}
		}
	}
}

func TestBodyOfAClassIsKeptOnlyWhereSomebodyLooksAtIt(t *testing.T) {
	t.Parallel()
	const text = " X\r\nContent-Length: 2\r\n\r\nok"
	for _, c := range []struct {
		request Request
		status  string
		kept    string
	}{
		{Request{Class: 1, Expect: Expect{Statuses: []int{200}}}, "200", ""},
		{Request{Class: 1, Expect: Expect{Statuses: []int{200}}}, "403", "ok"},
		{Request{Class: 1, Expect: Expect{Statuses: []int{403}, Accept: BodyContains("o")}}, "403", "ok"},
		{Request{Expect: Expect{Statuses: []int{200}}}, "403", ""},
	} {
		if got, err := read(&c.request, "HTTP/1.1 "+c.status+text, 7); err != nil || got.body != c.kept {
			t.Errorf("%s to class %d that expects %v: kept %q, %v", c.status, c.request.Class, c.request.Expect.Statuses, got.body, err)
		}
	}
}

// FuzzResponse holds that pieces make no difference, and that what is read as an
// answer is read by net/http as the same.
func FuzzResponse(f *testing.F) {
	for _, c := range answers {
		f.Add(c.text, 7)
	}
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 3)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 || len(text) > 1<<15 {
			return
		}
		whole, err := read(&wanted, text, max(1, len(text)))
		pieces, piecesErr := read(&wanted, text, min(size, max(1, len(text))))
		if (err == nil) != (piecesErr == nil) || err == nil && whole != pieces {
			t.Fatalf("whole: %+v, %v; in pieces of %d: %+v, %v", whole, err, size, pieces, piecesErr)
		}
		if err != nil {
			return
		}
		from := bufio.NewReader(strings.NewReader(text))
		for {
			r, err := http.ReadResponse(from, nil)
			if err != nil {
				// net/http is stricter about names and values of fields.
				return
			}
			if r.StatusCode < 200 {
				continue
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // nor does it take all chunks and trailers
			}
			if r.StatusCode != whole.status || string(body) != whole.body && len(body) <= DefaultMaxBodyBytes {
				t.Fatalf("read as %+v; net/http: %d, %q, %v", whole, r.StatusCode, body, err)
			}
			return
		}
	})
}
