package gateway

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

func TestHostFindsTheMostSpecificSite(t *testing.T) {
	t.Parallel()
	h := hosts{exact: map[string]*site{}, suffix: map[string]*site{}}
	exact, suffix, longer, anything := &site{name: "exact"}, &site{name: "suffix"}, &site{name: "longer"}, &site{name: "any"}
	h.add("dichvucong.hanoi.gov.vn", exact)
	h.add("*.gov.vn", suffix)
	h.add("*.hanoi.gov.vn", longer)
	h.add("[2001:db8::1]", exact)
	for value, want := range map[string]*site{
		"dichvucong.hanoi.gov.vn":      exact,
		"DichVuCong.Hanoi.GOV.vn":      exact,
		"dichvucong.hanoi.gov.vn:8080": exact,
		"dichvucong.hanoi.gov.vn.":     exact,
		"dichvucong.hanoi.gov.vn.:80":  exact,
		"[2001:DB8::1]:8080":           exact,
		"[2001:db8::1]":                exact,
		"x.dichvucong.hanoi.gov.vn":    longer,
		"a.hanoi.gov.vn":               longer,
		"A.B.HANOI.gov.vn.:1":          longer,
		"hanoi.gov.vn":                 suffix,
		"x.gov.vn":                     suffix,
		"gov.vn":                       nil,
		".gov.vn":                      nil,
		"xgov.vn":                      nil,
		"dichvucong.hanoi.gov.vn.evil": nil,
		"":                             nil,
		"*.gov.vn":                     suffix,
		strings.Repeat("a", 300):       nil,
		"[2001:db8::1":                 nil,
	} {
		if got := h.find([]byte(value)); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	h.add("*", anything)
	for _, value := range []string{"gov.vn", "other.example:80", "127.0.0.1"} {
		if got := h.find([]byte(value)); got != anything {
			t.Errorf("%q: %v", value, got)
		}
	}
	if got := h.find([]byte("a.gov.vn")); got != suffix {
		t.Errorf("any beats a suffix: %v", got)
	}
}

func TestUnknownHostIsRefusedByEveryMeans(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for _, host := range []string{"other.example", "hanoi.example.evil", "127.0.0.1", "x.hanoi.example"} {
		a := r.dial().send("GET /open/x HTTP/1.1\r\nHost: " + host + "\r\n\r\n").answer("GET")
		if a.status != 421 || a.code != "host_unknown" {
			t.Errorf("%s: %d %s", host, a.status, a.code)
		}
	}
	a := r.dial().send("GET /open/x HTTP/1.0\r\n\r\n").answer("GET")
	if a.status != 421 {
		t.Errorf("HTTP/1.0 without Host: %d", a.status)
	}
	r.wantMetric(5, "requests_total", "site=-", "outcome=refused", "reason=host_unknown")
	if r.reached() != 0 {
		t.Error("reached the upstream")
	}
}

func TestPathIsForwardedAsItWasMatched(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	for target, want := range map[string]string{
		"/open/x":                  "/open/x",
		"/open/../open/x?a=b?c&d":  "/open/x?a=b?c&d",
		"/open//x?":                "/open/x?",
		"/open/%7Ex/%e1%ba%a1":     "/open/~x/%E1%BA%A1",
		"/api/cam/../../open/%2e":  "/open/",
		"/open/./x?/../api/cam":    "/open/x?/../api/cam",
		"/open/a%20b?x=%zz%2f..":   "/open/a%20b?x=%zz%2f..",
		"/%6fpen/x":                "/open/x",
		"/open/x%3Fapi":            "/open/x%3Fapi",
		"/open/X?X-Original-URL=/": "/open/X?X-Original-URL=/",
	} {
		before := r.reached()
		if a := r.get(target, "X-Original-URL: /api/cam/x", "X-Rewrite-URL: /api/cam/x"); a.status != 200 {
			t.Errorf("%s: %d %s", target, a.status, a.code)
			continue
		}
		got := r.upstream.Requests()[before]
		if line := got.Lines()[0]; line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%s: forwarded as %q", target, line)
		}
		if len(got.Values("X-Original-URL"))+len(got.Values("X-Rewrite-URL")) > 0 {
			t.Errorf("another target was forwarded beside it: %q", got.Lines())
		}
	}
}

// deniedSpellings name /api/cam/x in the ways that upstreams take for it.
var deniedSpellings = []string{
	"/api/cam", "/api/cam/", "/api/cam/x", "//api/cam/x", "/api//cam/x", "/./api/cam/x", "/open/../api/cam/x", "/open/%2e%2e/api/cam/x",
	"/open/%2E./api/cam/x", "/%61pi/cam/x", "/api/%63am/x", "/api/cam%2fx", "/api%2Fcam/x", "/api/cam;a=b/x", "/api;/cam/x",
	"/api\\cam/x", "/api%5ccam/x", "/open/..;/api/cam/x", "/api/cam%00/x", "/api/%2563am/x", "/api/cam/%c0%ae%c0%ae/x",
	"/../api/cam/x", "/api/cam/x?y", "/api/cam?y", "/api/x/../cam", "/api/cam/../cam/x", "/api/cam%3b/x", "/api/cam/.", "/api/cam/x%2e%2e",
	"/open/%252e%252e/api/cam/x", "/api/c%61m//x", "/api/cam%20/../cam/x", "/open/x/../../api/cam", "/api/cam/%2e%2e/%2e%2e/api/cam/x",
}

func TestDeniedPathIsDeniedInEverySpelling(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	for _, target := range deniedSpellings {
		a := r.get(target, bearer(tok))
		if a.status != 403 && a.status != 400 {
			t.Errorf("%s: %d %s", target, a.status, a.code)
		}
	}
	for _, request := range r.upstream.Requests() {
		t.Errorf("reached the upstream: %s", request.Lines()[0])
	}
}

// FuzzForwardedPath: for whatever target is let pass, the path that the
// upstream sees is the one that the policy judged, and no denied path is
// reached however it is spelt.
func FuzzForwardedPath(f *testing.F) {
	for _, target := range deniedSpellings {
		f.Add(target)
	}
	f.Add("/open/%7e?x")
	f.Add("/open//..//open/a%20")
	f.Add("//hanoi.example/api/cam")
	f.Add("//x://y/open")
	seen := make(chan origin.Request, 64)
	shared := newRig(f, setup{access: "{ off: true }", answer: recordTo(seen), site: `
    issuers: [vneid]
    rules:
      - { paths: [/**], access: public }
      - { paths: [/api/cam/**], deny: route_denied }`})
	rules := shared.state.Load().sites[0].policy
	f.Fuzz(func(t *testing.T, target string) {
		if strings.ContainsAny(target, "\r\n") || len(target) > 8<<10 {
			t.Skip()
		}
		c := shared.on(t).dial()
		defer c.Close()
		a, err := c.send("GET " + target + " HTTP/1.1\r\nHost: hanoi.example\r\nConnection: close\r\n\r\n").tryAnswer("GET")
		if err != nil || ourFault(a.status) {
			t.Fatalf("%q: %v %d", target, err, a.status)
		}
		parsed, _, parseErr := wire.ParseTarget(nil, []byte(target))
		if len(seen) == 0 {
			if a.status == 200 {
				t.Errorf("%q passed and reached nobody", target)
			}
			return
		}
		line := bytes.Split((<-seen).Head, []byte("\r\n"))[0]
		sent := bytes.TrimSuffix(bytes.TrimPrefix(line, []byte("GET ")), []byte(" HTTP/1.1"))
		if parseErr != nil {
			t.Fatalf("%q is no target, yet %q was sent", target, sent)
		}
		path, query, hasQuery := bytes.Cut(sent, []byte("?"))
		if !bytes.Equal(path, parsed.Path) || !bytes.Equal(query, parsed.Query) || hasQuery != parsed.HasQuery {
			t.Errorf("%q: matched %q, sent %q", target, parsed.Path, sent)
		}
		// What arrived, read as a target again, is what it was judged as.
		again, _, err := wire.ParseTarget(nil, sent)
		if err != nil || !bytes.Equal(again.Path, path) {
			t.Errorf("%q: sent %q, read as %q (%v)", target, path, again.Path, err)
		}
		if rules.Match([]byte("GET"), path).Access == policy.Deny || bytes.HasPrefix(path, []byte("/api/cam/")) {
			t.Errorf("%q: the denied path %q was reached", target, path)
		}
	})
}

// ourFault tells the statuses that say the gateway or the upstream failed.
func ourFault(status int) bool { return status == 500 || status >= 502 && status <= 504 }
