package gateway

import (
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

const (
	smuggled = "GET /open/smuggled HTTP/1.1\r\nHost: hanoi.example\r\n\r\n"
	openPost = "POST /open/x HTTP/1.1\r\nHost: hanoi.example\r\n"
	openGet  = "GET /open/x HTTP/1.1\r\nHost: hanoi.example\r\n"
)

// smuggling lists requests that two parsers could read differently, with the
// reason under which each is counted.
var smuggling = []struct {
	raw    string
	status int
	reason string
}{
	{openPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "framing_conflict"},
	{openPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, "framing_conflict"},
	{openPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, "content_length_repeated"},
	{openPost + "Content-Length: 0\r\ncontent-length: 50\r\n\r\n", 400, "content_length_repeated"},
	{openPost + "Content-Length: 5, 5\r\n\r\nhello", 400, "content_length_invalid"},
	{openPost + "Content-Length: +5\r\n\r\nhello", 400, "content_length_invalid"},
	{openPost + "Content-Length: 0x5\r\n\r\nhello", 400, "content_length_invalid"},
	{openPost + "Content_Length: 5\r\n\r\nhello", 400, "framing_spelling"},
	{openPost + "Content-Length : 5\r\n\r\nhello", 400, "space_before_colon"},
	{openPost + "Content-Length:\r\n 5\r\n\r\nhello", 400, "content_length_invalid"},
	{openPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, "transfer_encoding_unsupported"},
	{openPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501, "transfer_encoding_unsupported"},
	{openPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "transfer_encoding_unsupported"},
	{openPost + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, "control_byte"},
	{openPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 400, "transfer_encoding_repeated"},
	{openPost + "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "framing_spelling"},
	{openPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "space_before_colon"},
	{openPost + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bare_lf"},
	{openPost + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bare_cr"},
	{openPost + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "obs_fold"},
	{strings.Replace(openPost, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "transfer_encoding_version"},
	{openPost + "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "trailer"},
	{openPost + "Expect: 200-maybe\r\nContent-Length: 5\r\n\r\nhello", 417, "expect"},
	{openGet + "Host: other.example\r\n\r\n", 400, "host_repeated"},
	{"GET /open/x HTTP/1.1\r\n\r\n", 400, "host_missing"},
	{"GET http://hanoi.example/open/x HTTP/1.1\r\nHost: hanoi.example\r\n\r\n", 400, "target_form"},
	{"CONNECT hanoi.example:80 HTTP/1.1\r\nHost: hanoi.example\r\n\r\n", 501, "method_refused"},
	{"TRACE /open/x HTTP/1.1\r\nHost: hanoi.example\r\n\r\n", 501, "method_refused"},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http2_preface"},
	{"GET /open/x HTTP/1.2\r\nHost: hanoi.example\r\n\r\n", 505, "version"},
	{"GET /open/x\r\n\r\n", 400, "request_line"},
	{"GET /open/x x HTTP/1.1\r\nHost: hanoi.example\r\n\r\n", 400, "request_line"},
	{"\x16\x03\x01\x02\x00\x01\x00", 400, "control_byte"},
	{openGet + "X\x00: y\r\n\r\n", 400, "control_byte"},
	{openGet + "X y: z\r\n\r\n", 400, "space_before_colon"},
	{openGet + "no colon\r\n\r\n", 400, "space_before_colon"},
	{openGet + ": empty\r\n\r\n", 400, "header_name"},
	{openGet + strings.Repeat("X: y\r\n", 200) + "\r\n", 431, "header_count"},
	{openGet + "X: " + strings.Repeat("y", 33<<10) + "\r\n\r\n", 431, "head_too_large"},
	{"GET /" + strings.Repeat("y", 9<<10) + " HTTP/1.1\r\nHost: hanoi.example\r\n\r\n", 414, "target_too_long"},
}

// malformedBodies begin well: the request may have reached the upstream, which
// must not take it for a whole one.
var malformedBodies = []struct{ body, reason string }{
	{"5\nhello\r\n0\r\n\r\n", "bare_lf"},
	{"5\r\nhelloX0\r\n\r\n", "chunk_end"},
	{"5;a=b\r\nhello\r\n0\r\n\r\n", "chunk_extension"},
	{"0x5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
	{"-5\r\nhello\r\n0\r\n\r\n", "chunk_size"},
	{"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n", "chunk_size"},
	{"5\r\nhello\r\n0\r\nX: y\r\n\r\n", "trailer"},
	{"5\r\nhello\r\n5\nhello\r\n0\r\n\r\n", "bare_lf"},
	{"5\r\nhello\r\nzz\r\n", "chunk_size"},
}

func TestInvariant3AmbiguousFramingIsRefusedAndClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, c := range smuggling {
		before := r.metric("wire_refusals_total", "reason="+c.reason)
		conn := r.dial().send(c.raw + smuggled)
		if a := conn.answer("GET"); a.status != c.status || !a.closes {
			t.Errorf("%.90q: %d %s, closes %v; want %d", c.raw, a.status, a.code, a.closes, c.status)
		}
		conn.wantEnd()
		r.wantMetric(before+1, "wire_refusals_total", "reason="+c.reason)
	}
	if n := r.reached(); n != 0 {
		t.Errorf("%d requests reached the upstream, the first %q", n, r.upstream.Requests()[0].Head)
	}
	r.wantMetric(float64(len(smuggling)), "wire_refusals_total")
	r.idle()
}

func TestInvariant3RequestsBeforeABadOneAreAnsweredAndNoneAfter(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, c := range smuggling {
		before := r.reached()
		conn := r.dial().send(openGet + "\r\n" + c.raw + smuggled)
		if a := conn.answer("GET"); a.status != 200 || a.body != "good" {
			t.Errorf("%.60q: %d %s", c.raw, a.status, a.code)
		}
		if a := conn.answer("GET"); a.status != c.status {
			t.Errorf("%.60q: %d %s, want %d", c.raw, a.status, a.code, c.status)
		}
		conn.wantEnd()
		if n := r.reached() - before; n != 1 {
			t.Errorf("%.60q: %d requests reached the upstream", c.raw, n)
		}
	}
}

func TestInvariant3BodyMalformedMidwayAbortsTheUpstream(t *testing.T) {
	t.Parallel()
	for _, c := range malformedBodies {
		t.Run(c.body, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{})
			conn := r.dial().send(openPost + "Transfer-Encoding: chunked\r\n\r\n" + c.body + smuggled)
			if a := conn.answer("POST"); a.status != 400 || a.code != "request_malformed" || !a.closes {
				t.Errorf("%d %s, closes %v", a.status, a.code, a.closes)
			}
			conn.wantEnd()
			r.wantMetric(1, "wire_refusals_total", "reason="+c.reason)
			r.idle()
			_ = r.upstream.Close()
			for _, request := range r.upstream.Requests() {
				if request.Err == nil {
					t.Errorf("the upstream took it for whole: %q", request.Body)
				}
			}
			r.wantMetric(0, "upstream_connections")
		})
	}
}

func TestInvariant3ABodyIsNeverReadAsARequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	chunked := "Transfer-Encoding: chunked\r\n\r\n" + hexadecimal(len(smuggled)) + "\r\n" + smuggled + "\r\n0\r\n\r\n"
	length := "Content-Length: " + decimal(len(smuggled)) + "\r\n\r\n" + smuggled
	token := bearer(r.token()) + "\r\n"
	for _, c := range []struct {
		name, raw string
		status    int
		passes    bool
	}{
		{"allowed POST", openPost + length, 200, true},
		{"allowed chunked POST", openPost + chunked, 200, true},
		{"allowed GET with a body", openGet + length, 200, true},
		{"allowed GET with chunks", openGet + chunked, 200, true},
		{"verified POST", "POST /private HTTP/1.1\r\nHost: hanoi.example\r\n" + token + length, 200, true},
		{"refused POST", "POST /private HTTP/1.1\r\nHost: hanoi.example\r\n" + length, 401, false},
		{"refused chunked POST", "POST /private HTTP/1.1\r\nHost: hanoi.example\r\n" + chunked, 401, false},
		{"refused GET with a body", "GET /private HTTP/1.1\r\nHost: hanoi.example\r\n" + length, 401, false},
		{"denied DELETE with chunks", "DELETE /api/cam/x HTTP/1.1\r\nHost: hanoi.example\r\n" + chunked, 403, false},
	} {
		before := r.reached()
		conn := r.dial().send(c.raw + strings.Replace(openGet, "/x", "/next", 1) + "Connection: close\r\n\r\n")
		if a := conn.answer("POST"); a.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, a.status, a.code, c.status)
		} else if !a.closes {
			if next := conn.answer("GET"); next.status != 200 {
				t.Errorf("%s: the request behind it got %d %s", c.name, next.status, next.code)
			}
		}
		conn.wantEnd()
		for _, request := range r.upstream.Requests()[before:] {
			switch {
			case strings.Contains(string(request.Head), "smuggled"):
				t.Errorf("%s: its body became a request", c.name)
			case strings.Contains(string(request.Head), "/next"):
			case !c.passes:
				t.Errorf("%s: reached the upstream", c.name)
			case string(request.Content) != smuggled:
				t.Errorf("%s: body %q", c.name, request.Content)
			}
		}
	}
}

func TestInvariant3SurplusOfAnUpstreamIsNobodysResponse(t *testing.T) {
	t.Parallel()
	poison := "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	r := newRig(t, setup{answer: origin.Always(origin.Answer{Raw: append(origin.OK().Raw, poison...)})})
	for range 5 {
		if a := r.get("/open/x"); a.status != 200 || a.body != "good" {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
}
