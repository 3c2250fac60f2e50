package reject_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

// problem decodes a problem document and refuses unknown members.

// vietnamese checks for text with diacritics in NFC: precomposed, so without

// any combining mark.

// The sentences of the public notices, word for word.

// RFC 6750 section 3: parameters once, quoted, from the allowed characters.

// RFC 6750 section 3.1: no error code for a request without credential.

// RFC 9470 section 3.

func TestRequestIDIsValidatedBeforeUse(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		requestID:               requestID,
		strings.Repeat("a", 64): strings.Repeat("a", 64),
		strings.Repeat("a", 65): "-",
		"":                      "-",
		"a b":                   "-",
		"a\r\nX: y":             "-",
		`"><script>`:            "-",
		"đ":                     "-",
	} {
		ctx := write(t, reject.Refusal{Code: reject.RouteDenied, RequestID: []byte(id)}, "")
		if got := string(ctx.Response.Header.Peek("X-Request-Id")); got != want {
			t.Errorf("%q: field %q, want %q", id, got, want)
		}
		if p := problemOf(t, reject.Refusal{Code: reject.RouteDenied, RequestID: []byte(id)}); p.RequestID != want {
			t.Errorf("%q: member %q, want %q", id, p.RequestID, want)
		}
	}
}

func FuzzRequestID(f *testing.F) {
	for _, id := range []string{"", requestID, `"`, "<b>", "\xff", "@@0@@", "a\nb"} {
		f.Add([]byte(id))
	}
	r := renderer(f)
	form := regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	f.Fuzz(func(t *testing.T, id []byte) {
		var ctx fasthttp.RequestCtx
		r.Write(&ctx, reject.Refusal{Code: reject.TokenExpired, RequestID: id})
		var p problem
		if err := json.Unmarshal(ctx.Response.Body(), &p); err != nil || !form.MatchString(p.RequestID) {
			t.Errorf("%q: member %q, %v", id, p.RequestID, err)
		}
		if p.RequestID != string(id) && p.RequestID != "-" {
			t.Errorf("%q became %q", id, p.RequestID)
		}
	})
}

// WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text.

func TestRefusalReplacesWhatTheResponseHeld(t *testing.T) {
	t.Parallel()
	var ctx fasthttp.RequestCtx
	ctx.Response.Header.Set("Set-Cookie", "session=1")
	ctx.Response.Header.Set("X-Upstream", "secret")
	ctx.Response.SetStatusCode(200)
	ctx.SetBodyStream(strings.NewReader("half an answer"), -1)
	renderer(t).Write(&ctx, reject.Refusal{Code: reject.UpstreamTimeout})
	if ctx.Response.StatusCode() != 504 || ctx.Response.IsBodyStream() || bytes.Contains(ctx.Response.Body(), []byte("half")) {
		t.Errorf("%d %q", ctx.Response.StatusCode(), ctx.Response.Body())
	}
	if head := ctx.Response.Header.String(); strings.Contains(head, "ession") || strings.Contains(head, "pstream") {
		t.Errorf("left over: %q", head)
	}
	if ctx.Response.ConnectionClose() {
		t.Error("the connection closes without need")
	}
	ctx.SetConnectionClose()
	renderer(t).Write(&ctx, reject.Refusal{Code: reject.UpstreamTimeout})
	if !ctx.Response.ConnectionClose() {
		t.Error("a connection that was to close stays open")
	}
}

func TestRetryAfterOfTheRefusalBeatsThatOfItsCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code  reject.Code
		after int
		want  string
	}{
		{reject.RateLimited, 0, "1"},
		{reject.RateLimited, 7, "7"},
		{reject.Overloaded, 0, "60"},
		{reject.Overloaded, 5, "5"},
		{reject.TokenExpired, 0, ""},
	} {
		ctx := write(t, reject.Refusal{Code: tc.code, RetryAfter: tc.after}, "")
		if got := string(ctx.Response.Header.Peek("Retry-After")); got != tc.want {
			t.Errorf("%v after %d: %q, want %q", tc.code, tc.after, got, tc.want)
		}
	}
}

func TestCodeOutOfRangeIsWrittenAsInternalError(t *testing.T) {
	t.Parallel()
	ctx := write(t, reject.Refusal{Code: 255}, "")
	if ctx.Response.StatusCode() != 500 || !ctx.Response.ConnectionClose() {
		t.Errorf("status %d", ctx.Response.StatusCode())
	}
}

// serve runs a real server that refuses everything, and sends it raw bytes.

func serve(t *testing.T, code reject.Code, raw string) string {
	t.Helper()
	r := renderer(t)
	server := &fasthttp.Server{
		Handler:               func(ctx *fasthttp.RequestCtx) { r.Write(ctx, reject.Refusal{Code: code}) },
		ErrorHandler:          func(ctx *fasthttp.RequestCtx, err error) { r.Write(ctx, reject.Refusal{Code: reject.FromServer(err)}) },
		ReadBufferSize:        1024,
		MaxRequestBodySize:    10,
		SecureErrorLogMessage: true,
		Logger:                quiet{},
	}
	listener := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), listener.Close(), <-done); err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// RFC 9110 section 9.3.2.

func TestHeadGetsTheLengthWithoutTheContent(t *testing.T) {
	t.Parallel()
	const rest = " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	get, head := serve(t, reject.TokenExpired, "GET"+rest), serve(t, reject.TokenExpired, "HEAD"+rest)
	parsed, err := http.ReadResponse(bufio.NewReader(strings.NewReader(get)), httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil || len(body) == 0 {
		t.Fatalf("GET: %q, %v", body, err)
	}
	want := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	if !strings.HasSuffix(head, "\r\n\r\n") || !strings.Contains(head, want) || strings.Contains(head, "{") {
		t.Errorf("HEAD: %q, want %q and no content", head, want)
	}
}

// The server does this for requests that it could read, not in its ErrorHandler.

func TestHeadSkipsTheContentEvenWithoutTheServer(t *testing.T) {
	t.Parallel()
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(fasthttp.MethodHead)
	renderer(t).Write(&ctx, reject.Refusal{Code: reject.RequestMalformed})
	if !ctx.Response.SkipBody {
		t.Error("the content of a HEAD response is sent")
	}
}

func TestUnreadableRequestsAreAnsweredAndTheConnectionClosed(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 2000) + "\r\n\r\n":    "431 header_too_large",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n12345678901":          "413 body_too_large",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n":                "501 transfer_encoding_unsupported",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na": "400 request_malformed",
	} {
		answer := serve(t, reject.RouteDenied, raw)
		status, code, _ := strings.Cut(want, " ")
		if !strings.HasPrefix(answer, "HTTP/1.1 "+status+" ") || !strings.Contains(answer, `"code":"`+code+`"`) || !strings.Contains(answer, "Connection: close\r\n") {
			t.Errorf("%.60q: %q, want %s", raw, answer, want)
		}
	}
}
