package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// message is what a parser made of one request, and where in the stream it ended.
type message struct {
	method, target, host, body string
	end                        int
}

// countingReader counts what was read through it.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// parseAll parses requests from a checked stream until parse fails.
func parseAll(data, cuts []byte, lim Limits, parse func(*bufio.Reader) (message, error)) ([]message, error) {
	counted := &countingReader{r: NewServerConn(&scriptedConn{data: data, cuts: cuts}, lim)}
	br := bufio.NewReaderSize(counted, 2*lim.MaxHeadBytes)
	var all []message
	for {
		m, err := parse(br)
		if err != nil {
			return all, err
		}
		m.end = counted.n - br.Buffered()
		all = append(all, m)
	}
}

func parseFasthttp(stream bool) func(*bufio.Reader) (message, error) {
	return func(br *bufio.Reader) (message, error) {
		var req fasthttp.Request
		if err := req.Header.Read(br); err != nil {
			return message{}, err
		}
		m := message{
			method: string(req.Header.Method()),
			target: string(req.Header.RequestURI()),
			host:   string(req.Header.Host()),
		}
		if !stream {
			err := req.ContinueReadBody(br, 0, false)
			m.body = string(req.Body())
			return m, err
		}
		if err := req.ContinueReadBodyStream(br, 1<<20, false); err != nil {
			return m, err
		}
		if req.BodyStream() == nil {
			return m, nil
		}
		body, err := io.ReadAll(req.BodyStream())
		m.body = string(body)
		return m, err
	}
}

func parseNetHTTP(br *bufio.Reader) (message, error) {
	if b, err := br.Peek(2); err == nil && string(b) == "\r\n" {
		// net/http does not skip the blank line of RFC 9112 section 2.2.
		if _, err := br.Discard(2); err != nil {
			return message{}, err
		}
	}
	req, err := http.ReadRequest(br)
	if err != nil {
		return message{}, err
	}
	body, err := io.ReadAll(req.Body)
	return message{method: req.Method, target: req.RequestURI, host: req.Host, body: string(body)}, err
}

// ends returns where the checker itself sees requests end.
func ends(data []byte, lim Limits) []int {
	f := framer{lim: lim}
	f.begin()
	var all []int
	for i := range data {
		if _, reason := f.scan(data[i : i+1]); reason != noReason {
			break
		}
		if f.state == stStart {
			all = append(all, i+1)
		}
	}
	return all
}

func FuzzRequestsAreReadTheSameByAll(f *testing.F) {
	for _, tc := range refusedRequests {
		f.Add([]byte(tc.raw+get+host+"\r\n"), []byte{3, 200})
		f.Add([]byte(post+"Content-Length: 5\r\n\r\nhello"+tc.raw+get+host+"\r\n"), []byte{255})
	}
	f.Add([]byte(strings.Join(passingRequests, "")), []byte{})
	f.Add([]byte(strings.Join(passingRequests, "")), []byte{0})
	lim := Limits{MaxHeadBytes: 2048, MaxHeaderCount: 50, MaxTargetBytes: 512, MaxBodyBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		out, refusal := readAll(NewServerConn(&scriptedConn{data: data, cuts: cuts}, lim))
		whole, wholeErr := readAll(NewServerConn(&scriptedConn{data: data}, lim))
		if !bytes.Equal(out, whole) || !errors.Is(refusal, wholeErr) {
			t.Fatalf("the split changes the result: %q, %v; whole: %q, %v", out, refusal, whole, wholeErr)
		}
		want := ends(data, lim)

		buffered, bufferedErr := parseAll(data, cuts, lim, parseFasthttp(false))
		streamed, streamedErr := parseAll(data, cuts, lim, parseFasthttp(true))
		if len(buffered) != len(want) {
			t.Fatalf("fasthttp reads %d requests, the checker %d: %v, refusal %v", len(buffered), len(want), bufferedErr, refusal)
		}
		if !slices.Equal(buffered, streamed) {
			t.Fatalf("fasthttp, buffered: %+v\nstreamed: %+v (%v)", buffered, streamed, streamedErr)
		}
		for i, m := range buffered {
			if m.end != want[i] {
				t.Fatalf("request %d ends at %d for fasthttp, at %d for the checker", i, m.end, want[i])
			}
		}

		standard, standardErr := parseAll(data, cuts, lim, parseNetHTTP)
		if badTarget := new(url.Error); errors.As(standardErr, &badTarget) {
			buffered = buffered[:min(len(standard), len(buffered))]
		}
		if !slices.Equal(standard, buffered) {
			t.Fatalf("net/http: %+v (%v)\nfasthttp: %+v", standard, standardErr, buffered)
		}
	})
}

// responseOf reads one final response the way net/http does.
func responseOf(br *bufio.Reader, method string) (status int, body []byte, err error) {
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return 0, nil, err
		}
		if resp.StatusCode < 200 && resp.StatusCode != 101 {
			continue
		}
		if resp.StatusCode == 101 {
			return 101, nil, nil
		}
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}
}

func FuzzResponsesAreReadTheSameByAll(f *testing.F) {
	methods := []string{"GET", "HEAD", "POST", "CONNECT"}
	for _, tc := range refusedResponses {
		f.Add([]byte(tc.raw), []byte{3, 200}, byte(0), false)
	}
	for _, x := range passingExchanges {
		f.Add([]byte(x.raw), []byte{}, byte(0), x.upgrade)
		f.Add([]byte(x.raw), []byte{0}, byte(1), false)
	}
	f.Add([]byte(ok+"\r\nabc"), []byte{}, byte(0), false)
	f.Add([]byte("HTTP/1.1 101 S\r\nUpgrade: a\r\n\r\nabc"), []byte{}, byte(0), true)
	lim := Limits{MaxHeadBytes: 2048, MaxHeaderCount: 50, MaxBodyBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, data, cuts []byte, kind byte, upgrade bool) {
		method := methods[int(kind)%len(methods)]
		open := func(cuts []byte) *ClientConn {
			k := NewClientConn(&scriptedConn{data: data, cuts: cuts}, lim)
			if err := k.Expect([]byte(method), upgrade); err != nil {
				t.Fatal(err)
			}
			return k
		}
		k := open(cuts)
		out, err := readAll(k)
		whole, wholeErr := readAll(open(nil))
		if !bytes.Equal(out, whole) || !errors.Is(err, wholeErr) {
			t.Fatalf("the split changes the result: %q, %v; whole: %q, %v", out, err, whole, wholeErr)
		}
		complete := errors.Is(err, io.EOF) || errors.Is(err, ErrSurplus)
		if k.state == stPass {
			return
		}

		counted := &countingReader{r: open(cuts)}
		br := bufio.NewReaderSize(counted, 8192)
		status, body, stdErr := responseOf(br, method)
		if stdErr != nil && strings.Contains(stdErr.Error(), "bad trailer key") {
			return
		}
		if complete != (stdErr == nil) {
			t.Fatalf("net/http: %d, %q, %v; the checker: %v after %q", status, body, stdErr, err, out)
		}
		if !complete {
			return
		}
		if end := counted.n - br.Buffered(); end != len(out) {
			t.Fatalf("net/http ends at %d, the checker at %d", end, len(out))
		}

		var resp fasthttp.Response
		resp.SkipBody = method == "HEAD"
		fr := bufio.NewReaderSize(open(cuts), 8192)
		if ferr := resp.Read(fr); ferr != nil {
			// fasthttp allows fewer interim responses and fewer trailer names.
			if ferr.Error() == "too many interim responses" || strings.Contains(ferr.Error(), "trailer") || strings.Contains(ferr.Error(), "interim") {
				return
			}
			t.Fatalf("fasthttp: %v", ferr)
		}
		if resp.StatusCode() != status || !bytes.Equal(resp.Body(), body) {
			t.Fatalf("fasthttp: %d, %q; net/http: %d, %q", resp.StatusCode(), resp.Body(), status, body)
		}
	})
}
