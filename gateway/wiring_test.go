package gateway

import (
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// Each field's mechanism is tested where it lives; here, that the configured
// value reaches it.
func TestConfiguredValuesReachTheirMechanism(t *testing.T) {
	t.Parallel()
	long := "/open/" + strings.Repeat("a", 300)
	for _, c := range []struct {
		name   string
		s      setup
		target string
		token  func(*corpus.Token) // nil: no credential
		fields []string
		status int
		code   string
	}{
		{"path case counts by default", setup{}, "/OPEN/x", nil, nil, 401, "credential_missing"},
		{"ignore_path_case", setup{site: defaultSite + "\n    ignore_path_case: true"}, "/OPEN/x", nil, nil, 200, ""},
		{"ignore_path_case holds for deny", setup{site: defaultSite + "\n    ignore_path_case: true"}, "/API/Cam/x", nil, nil, 403, "route_denied"},
		{"a long target passes by default", setup{}, long, nil, nil, 200, ""},
		{"limits.target_bytes", setup{top: "limits: { target_bytes: 256 }"}, long, nil, nil, 414, "target_too_long"},
		{"limits.token_bytes", setup{top: "limits: { token_bytes: 256 }"}, "/private", func(*corpus.Token) {}, nil, 400, "token_too_large"},
		{"max_lifetime", setup{issuer: "max_lifetime: 10m"}, "/private", func(*corpus.Token) {}, nil, 401, "token_lifetime_too_long"},
		{"account_kinds refuses", setup{site: defaultSite + "\n    require: { account_kinds: [organisation] }"}, "/private", func(*corpus.Token) {}, nil, 403, "account_kind_not_allowed"},
		{"account_kinds allows", setup{site: defaultSite + "\n    require: { account_kinds: [citizen] }"}, "/private", func(*corpus.Token) {}, nil, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.s)
			fields := c.fields
			if c.token != nil {
				fields = append(fields, bearer(r.token(c.token)))
			}
			if a := r.get(c.target, fields...); a.status != c.status || a.code != c.code {
				t.Errorf("%d %s, want %d %s", a.status, a.code, c.status, c.code)
			}
		})
	}
}

func TestLoginURLIsLinkedFromThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: defaultSite + "\n    login_url: https://login.example.vn/vao"})
	a := r.get("/private", "Accept: text/html")
	if a.status != 401 || !strings.Contains(a.body, `href="https://login.example.vn/vao"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// timeouts.idle ends a body that stops coming: the client sees a connection
// that broke, never a short body that looks whole.
func TestIdleTimeoutEndsABodyThatStopsComing(t *testing.T) {
	t.Parallel()
	half := origin.Answer{Raw: []byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf"), End: origin.KeepOpen}
	r := newRig(t, setup{answer: origin.Always(half), site: defaultSite + "\n    timeouts: { idle: 100ms }"})
	conn := r.dial()
	if a, err := conn.send(openGet + "\r\n").tryAnswer("GET"); err == nil {
		t.Errorf("a whole answer: %d, %d bytes", a.status, len(a.body))
	}
	r.eventually("nothing in flight", func() bool { return r.metric("in_flight_requests") == 0 })
}

// limits.idle_timeout closes a kept connection on which nothing comes.
func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{top: "limits: { idle_timeout: 1s }"})
	conn := r.dial()
	conn.send(openGet + "\r\n").answer("GET")
	conn.wantEnd() // long before the default of 75s
}
