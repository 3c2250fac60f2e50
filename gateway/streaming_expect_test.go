package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const continuing = "HTTP/1.1 100 Continue\r\n\r\n"

// wantContinue reads the interim response.
func (c *client) wantContinue() {
	c.tb.Helper()
	got := make([]byte, len(continuing))
	for i := range got {
		b, err := c.in.ReadByte()
		if err != nil {
			c.tb.Fatalf("%q, %v", got[:i], err)
		}
		got[i] = b
	}
	if string(got) != continuing {
		c.tb.Fatalf("%q", got)
	}
}

// RFC 9110 section 10.1.1: a refusal comes instead of the 100.
func TestARequestThatWaitsIsRefusedBeforeItsBody(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    max_body_bytes: 1KiB"})
	expired := r.token(func(t *corpus.Token) { t.Expires = time.Now().Add(-time.Hour) })
	level1 := r.token(func(t *corpus.Token) { t.AccountLevel = 1 })
	good := bearer(r.token())
	for name, c := range map[string]struct {
		target, host string
		fields       []string
		status       int
		code         string
	}{
		"no credential":     {"/private", "hanoi.example", nil, 401, "credential_missing"},
		"two credentials":   {"/private", "hanoi.example", []string{good, good}, 400, "credentials_multiple"},
		"not a token":       {"/private", "hanoi.example", []string{bearer("x")}, 401, "token_malformed"},
		"expired":           {"/private", "hanoi.example", []string{bearer(expired)}, 401, "token_expired"},
		"not for this path": {"/level2/x", "hanoi.example", []string{bearer(level1)}, 403, "account_level_insufficient"},
		"removed":           {"/officer/create", "hanoi.example", []string{good}, 403, "citizen_account_creation_removed"},
		"unknown host":      {"/private", "other.example", []string{good}, 421, "host_unknown"},
		"too large":         {"/open/x", "hanoi.example", []string{"Content-Length: 1025"}, 413, "body_too_large"},
		"bad target":        {"/open/%zz", "hanoi.example", nil, 400, "target_malformed"},
		"chunked":           {"/private", "hanoi.example", []string{"Transfer-Encoding: chunked"}, 401, "credential_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t)
			before, lines := r.metric("requests_total"), len(r.log.lines("request"))
			// It waits for nothing, so that what it sends could be read as a
			// request.
			for _, ahead := range []string{"", openGet + "\r\n"} {
				head := strings.Replace(request("POST", c.target, append(c.fields, "Expect: 100-continue")...), "hanoi.example", c.host, 1)
				if !strings.Contains(head, "Content-Length") && !strings.Contains(head, "chunked") {
					head = strings.Replace(head, "Expect", "Content-Length: 1000\r\nExpect", 1)
				}
				conn := r.dial().send(head + ahead)
				a := conn.answer("POST")
				if a.status != c.status || a.code != c.code || !a.closes {
					t.Errorf("%d %s, closes %v; want %d %s", a.status, a.code, a.closes, c.status, c.code)
				}
				conn.wantEnd()
			}
			r.idle()
			r.wantMetric(before+2, "requests_total")
			if n := len(r.log.lines("request")) - lines; n != 2 {
				t.Errorf("%d lines in the log", n)
			}
		})
	}
	if r.reached() != 0 {
		t.Errorf("%d requests went on", r.reached())
	}
}

func TestARequestThatWaitsIsToldToGoOnAndCountedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := bearer(r.token())
	conn := r.dial()
	for i, framing := range []string{"Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 0"} {
		conn.send(request("POST", "/private", tok, framing, "Expect: 100-continue"))
		conn.wantContinue()
		switch i {
		case 0:
			conn.send("hello")
		case 1:
			conn.send("5\r\nhello\r\n0\r\n\r\n")
		}
		if a := conn.answer("POST"); a.status != 200 || a.closes {
			t.Errorf("%s: %d %s, closes %v", framing, a.status, a.code, a.closes)
		}
	}
	for _, got := range r.upstream.Requests() {
		if got.Err != nil || got.Values("Expect") != nil || len(got.Values("X-VNeID-Subject")) != 1 {
			t.Errorf("%v %q", got.Err, got.Lines())
		}
	}
	r.idle()
	r.wantMetric(3, "requests_total", "outcome=allowed")
	r.wantMetric(3, "requests_total")
	if n := len(r.log.lines("request")); n != 3 || r.reached() != 3 {
		t.Errorf("%d lines, %d requests went on", n, r.reached())
	}
}

func TestASiteThatObservesLetsAWaitingRequestGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    mode: observe"})
	conn := r.dial().send(request("POST", "/private", "Content-Length: 5", "Expect: 100-continue"))
	conn.wantContinue()
	if a := conn.send("hello").answer("POST"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.idle()
	r.wantMetric(1, "requests_total", "outcome=observed", "reason=credential_missing")
	r.wantMetric(1, "requests_total")
}

// RFC 9110 section 10.1.1: it cannot know what a 100 is.
func TestAClientOfHTTP10IsSentNo100(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	conn := r.dial().send(strings.Replace(request("POST", "/open/x", "Content-Length: 5", "Expect: 100-continue"), "1.1", "1.0", 1) + "hello")
	if a := conn.answer("POST"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
}

// What held when the 100 was sent need not hold when the body comes.
func TestARequestThatWaitedIsDecidedAboutAgain(t *testing.T) {
	t.Parallel()
	hook := &revocations{}
	r := newRig(t, setup{revocations: hook})
	conn := r.dial().send(request("POST", "/private", bearer(r.token()), "Content-Length: 5", "Expect: 100-continue"))
	conn.wantContinue()
	hook.revoked.Store(true)
	if a := conn.send("hello").answer("POST"); a.status != 401 || a.code != "token_revoked" {
		t.Errorf("%d %s", a.status, a.code)
	}
	r.idle()
	r.wantMetric(1, "requests_total")
	if r.reached() != 0 {
		t.Error("it went on")
	}
}

func TestAClientThatWaitsForEverIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{
		top:  "limits: { header_timeout: 100ms, min_body_rate: 1KiB, rate_grace: 100ms }",
		site: strings.TrimSpace(defaultSite) + "\n    timeouts: { idle: 1h }",
	})
	for i, framing := range []string{"Content-Length: 5", "Content-Length: 100000", "Transfer-Encoding: chunked"} {
		conn := r.dial().send(request("POST", "/open/x", framing, "Expect: 100-continue"))
		conn.wantContinue()
		if a := conn.answer("POST"); a.status != 408 || a.code != "request_timeout" || !a.closes {
			t.Errorf("%s: %d %s, closes %v", framing, a.status, a.code, a.closes)
		}
		conn.wantEnd()
		r.idle()
		r.wantMetric(float64(i+1), "requests_total", "reason=request_timeout")
		r.wantMetric(float64(i+1), "requests_total")
	}
	if n := r.reached(); n != 0 {
		t.Errorf("%d went on", n)
	}
}

func TestAPanicBeforeA100IsAnsweredAndCountedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{revocations: panicky{}})
	a := r.dial().send(request("POST", "/private", bearer(r.token()), "Content-Length: 5", "Expect: 100-continue")).answer("POST")
	if a.status != 500 || a.code != "internal_error" || !a.closes {
		t.Errorf("%d %s, closes %v", a.status, a.code, a.closes)
	}
	r.idle()
	r.wantMetric(1, "panics_total")
	r.wantMetric(1, "requests_total")
}
