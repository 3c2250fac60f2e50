package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// identityLines returns the field lines that an upstream may read as a
// statement of identity: names compared as the laxest of them do, by letters
// and digits alone.
func identityLines(request origin.Request) []string {
	var found []string
	for _, line := range request.Lines()[1:] {
		name, _, _ := strings.Cut(line, ":")
		folded := strings.Map(func(r rune) rune {
			switch {
			case r >= 'A' && r <= 'Z':
				return r + 'a' - 'A'
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
				return r
			}
			return -1
		}, name)
		if strings.HasPrefix(folded, "xvneid") {
			found = append(found, line)
		}
	}
	return found
}

// spellings returns the ways to write an identity field that some upstream
// takes for it.
func spellings() []string {
	var all []string
	for _, f := range identityFieldNames {
		for _, name := range []string{
			f.header, strings.ToLower(f.header), strings.ToUpper(f.header), strings.ReplaceAll(f.header, "-", "_"),
			strings.ReplaceAll(f.header, "-", "."), strings.ReplaceAll(f.header, "-", ""), "x_vneid-" + f.header[len("X-VNeID-"):],
			f.header + "-", "-" + f.header, "X--VNeID--" + f.header[len("X-VNeID-"):], "!" + f.header + "~", "X-VNeID",
		} {
			all = append(all, name+": forged")
		}
	}
	return all
}

const observedSite = `
    issuers: [vneid]
    mode: observe
    rules:
      - { paths: [/open/**], access: public }
      - { paths: [/level2/**], account_level: 2 }
      - { paths: [/api/cam/**], deny: route_denied }`

func TestInvariant2IdentityIsOnlyOursToState(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{top: "limits: { header_count: 200, header_bytes: 64KiB }"})
	authTime := time.Now().Add(-time.Minute)
	tok := r.token(func(t *corpus.Token) { t.Subject, t.ID, t.AuthTime = "sub\u00e9% 1", "jti-1", authTime })
	stated := []string{
		"X-VNeID-Subject: sub%C3%A9%25%201",
		"X-VNeID-Account-Kind: citizen",
		"X-VNeID-Account-Level: 2",
		"X-VNeID-Issuer: " + r.backend.Issuer(),
		"X-VNeID-Auth-Time: " + strconv.FormatInt(authTime.Unix(), 10),
		"X-VNeID-Token-Id: jti-1",
	}
	nominated := "Connection: close, X-VNeID-Subject, x-vneid-account-level, Host, X-Request-Id, X-Forwarded-For, Content-Length"
	for _, c := range []struct {
		name   string
		target string
		fields []string
		want   []string
	}{
		{"public", "/open/x", spellings(), nil},
		{"public with a token", "/open/x", append(spellings(), bearer(tok)), nil},
		{"public, nominated", "/open/x", append(spellings(), nominated), nil},
		{"verified", "/private", append(spellings(), bearer(tok)), stated},
		{"verified, nominated", "/private", append(spellings(), bearer(tok), nominated), stated},
		{"verified, warm", "/private", append(spellings(), bearer(tok)), stated},
	} {
		before := r.reached()
		if a := r.get(c.target, c.fields...); a.status != 200 {
			t.Fatalf("%s: %d %s", c.name, a.status, a.code)
		}
		got := r.upstream.Requests()[before]
		if fmt.Sprint(identityLines(got)) != fmt.Sprint(c.want) {
			t.Errorf("%s: the upstream saw %q, want %q", c.name, identityLines(got), c.want)
		}
		if len(got.Values("Host")) != 1 || len(got.Values("X-Request-Id")) != 1 || len(got.Values("Authorization")) != 0 {
			t.Errorf("%s: %q", c.name, got.Lines())
		}
	}
}

func TestInvariant2AFactThatTheTokenDoesNotGiveHasNoField(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token(func(t *corpus.Token) {
		*t = t.Organisation()
		t.Subject, t.ID, t.AuthTime = "", "", time.Time{}
	})
	if a := r.get("/private", append(spellings(), bearer(tok))...); a.status != 200 {
		t.Fatal(a.status, a.code)
	}
	want := []string{"X-VNeID-Account-Kind: organisation", "X-VNeID-Issuer: " + r.backend.Issuer()}
	if got := identityLines(r.upstream.Requests()[0]); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}

func TestInvariant2ObservedRequestsHaveNoIdentity(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: observedSite})
	for _, field := range []string{"X: y", bearer(r.faulty(corpus.Forged)), bearer(r.faulty(corpus.Expired))} {
		before := r.reached()
		if a := r.get("/private", append(spellings(), field)...); a.status != 200 {
			t.Fatal(a.status, a.code)
		}
		if got := identityLines(r.upstream.Requests()[before]); len(got) > 0 {
			t.Errorf("%q", got)
		}
	}
}

func TestInvariant2TrailersNeverBecomeFields(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	c := r.dial().send("POST /open/x HTTP/1.1\r\nHost: hanoi.example\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"5\r\nhello\r\n0\r\nX-VNeID-Subject: forged\r\n\r\nGET /open/smuggled HTTP/1.1\r\nHost: hanoi.example\r\n\r\n")
	if a := c.answer("POST"); a.status != 400 || a.code != "request_malformed" {
		t.Errorf("%d %s", a.status, a.code)
	}
	c.wantEnd()
	r.wantMetric(1, "wire_refusals_total", "reason=trailer")
	for _, request := range r.upstream.Requests() {
		if request.Err == nil || len(identityLines(request)) > 0 || strings.Contains(string(request.Body), "forged") {
			t.Errorf("the upstream took %q %q", request.Head, request.Body)
		}
	}
}

// FuzzIdentityFields: whatever fields a client sends, the upstream sees the
// gateway's identity fields and no other.
func FuzzIdentityFields(f *testing.F) {
	for _, s := range spellings() {
		f.Add(s)
	}
	f.Add("Connection: X-VNeID-Subject\r\nX-VNeID-Subject: a\r\nx_vneid_issuer: b")
	f.Add("X-VNeID-Subject : a")
	f.Add("X: a\r\n X-VNeID-Subject: b")
	f.Add("X: a\nX-VNeID-Subject: b")
	f.Add("X-VNeID\x00-Subject: b")
	f.Add("Cookie: a\r\nCoo_kie: X-VNeID-Subject: c")
	seen := make(chan origin.Request, 64)
	shared := newRig(f, setup{access: "{ off: true }", answer: recordTo(seen)})
	f.Fuzz(func(t *testing.T, fields string) {
		if strings.Contains(fields, "\r\n\r\n") || len(fields) > 4<<10 {
			t.Skip()
		}
		c := shared.on(t).dial()
		defer c.Close()
		c.send("GET /open/x HTTP/1.1\r\nHost: hanoi.example\r\nConnection: close\r\n" + fields + "\r\n\r\n")
		if a, err := c.tryAnswer("GET"); err != nil || ourFault(a.status) {
			t.Fatalf("%v %d", err, a.status)
		}
		for len(seen) > 0 {
			if got := identityLines(<-seen); len(got) > 0 {
				t.Errorf("the upstream saw %q", got)
			}
		}
	})
}

// recordTo answers well and hands on what came: a recorder's own memory is
// shorter than a fuzzer's breath.
func recordTo(seen chan<- origin.Request) func(origin.Request) origin.Answer {
	return func(request origin.Request) origin.Answer {
		seen <- request
		return origin.OK()
	}
}
