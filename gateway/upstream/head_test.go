package upstream_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// sent sends one request with these field lines through a front, and returns it
// as the upstream got it.
func sent(t *testing.T, edit func(*upstream.Request), lines ...string) origin.Request {
	t.Helper()
	recorder := record(t, origin.Always(origin.OK()))
	c := newFront(t, setup{addresses: []string{recorder.Address()}, request: edit}).client(t)
	c.send("GET /p HTTP/1.1\r\nHost: a.example\r\n" + strings.Join(append(lines, "", ""), "\r\n"))
	if resp, body, err := c.read("GET"); err != nil || resp.StatusCode != 200 || body != "good" {
		t.Fatalf("%d %q %q %v", resp.StatusCode, resp.Header, body, err)
	}
	return await(t, recorder, 1)[0]
}

func TestTheHeadIsWrittenAsRoutingSawIt(t *testing.T) {
	t.Parallel()
	got := sent(t, func(r *upstream.Request) {
		r.Path, r.Query, r.HasQuery = []byte("/a%2Fb//c"), []byte("x=%zz&y=../"), true
		r.Host = []byte("inner:8080")
		r.Own = []byte("X-VNeID-Subject: s1\r\nX-Request-Id: r1\r\n")
	}, "Accept:  */* ", "X-Empty:", "accept: text/html")
	want := "GET /a%2Fb//c?x=%zz&y=../ HTTP/1.1\r\n" +
		"Host: inner:8080\r\n" +
		"Accept: */*\r\n" +
		"X-Empty: \r\n" +
		"accept: text/html\r\n" +
		"X-Forwarded-For: 192.0.2.7\r\n" +
		"X-Forwarded-Proto: http\r\n" +
		"X-Forwarded-Host: a.example\r\n" +
		"X-VNeID-Subject: s1\r\nX-Request-Id: r1\r\n" +
		"\r\n"
	if string(got.Head) != want {
		t.Errorf("got %q\nwant %q", got.Head, want)
	}
}

func TestAnEmptyQueryStaysAnEmptyQuery(t *testing.T) {
	t.Parallel()
	got := sent(t, func(r *upstream.Request) { r.HasQuery = true })
	if line := got.Lines()[0]; line != "GET /p? HTTP/1.1" {
		t.Errorf("request line %q", line)
	}
}

// RFC 9110 section 7.6.1.
func TestFieldsOfOneHopAreRemoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  []string
	}{
		"known": {
			[]string{
				"Keep-Alive: timeout=5", "Proxy-Connection: x", "Proxy-Authorization: Basic eA==", "TE: trailers",
				"Upgrade: websocket", "HTTP2-Settings: AAA", "Proxy-Authenticate: x", "X-Kept: 1", "Proxy: http://evil.example",
			},
			[]string{"X-Kept: 1"},
		},
		"nominated":          {[]string{"Connection: X-A", "X-A: 1", "X-B: 2"}, []string{"X-B: 2"}},
		"nominated later":    {[]string{"X-A: 1", "X-B: 2", "Connection: X-A"}, []string{"X-B: 2"}},
		"odd spacing":        {[]string{"Connection: \t x-a ,,  X-B\t,", "X-A: 1", "x-b: 2", "X-C: 3"}, []string{"X-C: 3"}},
		"several fields":     {[]string{"Connection: X-A", "X-A: 1", "cOnNeCtIoN: close, X-B", "X-B: 2", "X-C: 3"}, []string{"X-C: 3"}},
		"repeated":           {[]string{"Connection: X-A", "X-A: 1", "X-a: 2"}, nil},
		"part of a name":     {[]string{"Connection: X-A", "X-AB: 1", "X: 2"}, []string{"X-AB: 1", "X: 2"}},
		"an option, no name": {[]string{"Connection: keep-alive", "X-A: 1"}, []string{"X-A: 1"}},
		"a cookie":           {[]string{"Connection: Cookie", "Cookie: a=b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := endToEnd(sent(t, nil, c.lines...)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNominationsCannotRemoveWhatTheGatewayStates(t *testing.T) {
	t.Parallel()
	trust := func(r *upstream.Request) {
		r.Own = []byte("X-VNeID-Subject: s1\r\nX-Request-Id: r1\r\n")
		r.TrustProxy = true
	}
	got := sent(t, trust, "Connection: Host, Content-Length, X-VNeID-Subject, X-Request-Id, X-Forwarded-For, Transfer-Encoding",
		"X-Forwarded-For: 198.51.100.1")
	for name, want := range map[string]string{
		"Host": "a.example", "X-VNeID-Subject": "s1", "X-Request-Id": "r1", "X-Forwarded-For": "198.51.100.1, 192.0.2.7",
	} {
		if values := got.Values(name); !slices.Equal(values, []string{want}) {
			t.Errorf("%s: %q", name, values)
		}
	}
}

func TestMoreThanSixteenNominationsAreRefused(t *testing.T) {
	t.Parallel()
	recorder := record(t, origin.Always(origin.OK()))
	f := newFront(t, setup{addresses: []string{recorder.Address()}})
	for n, refuses := range map[int]bool{16: false, 17: true} {
		c := f.client(t)
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, keep-alive\r\nConnection: " + strings.Repeat("a,", n) + "\r\n\r\n")
		resp, _, _ := c.read("GET")
		if got := refused(resp, upstream.ErrNominations); got != refuses {
			t.Errorf("%d: refused %v", n, got)
		}
	}
	if n := len(await(t, recorder, 1)); n != 1 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestIdentityFieldsPassInNoSpelling(t *testing.T) {
	t.Parallel()
	lines := []string{
		"X-VNeID-Subject: forged", "x-vneid-subject: forged", "X_VNEID_SUBJECT: forged", "X-VNeID_Account.Level: 2",
		"XVNeIDSubject: forged", "X--VNeID--Subject: forged", "X-V-N-e-I-D-Subject: forged", "_X-VNeID-Subject: forged",
		"!X#$V%&N'*e+I^`|D~Subject: forged", "X-VNeID: forged", "X-VNeID-" + strings.Repeat("Subject-", 40) + ": forged",
		"..x..v..n..e..i..d..: forged", "X-VNeI: kept",
	}
	got := sent(t, func(r *upstream.Request) { r.Own = []byte("X-VNeID-Subject: true\r\n"); r.TrustProxy = true }, lines...)
	if strings.Contains(string(got.Head), "forged") || !slices.Equal(got.Values("X-VNeID-Subject"), []string{"true"}) {
		t.Errorf("got %q", got.Head)
	}
	if !slices.Equal(got.Values("X-VNeI"), []string{"kept"}) {
		t.Errorf("another field is gone: %q", got.Head)
	}
}

func TestProxyFieldsAreBelievedFromTrustedPeersOnly(t *testing.T) {
	t.Parallel()
	lines := []string{
		"X-Forwarded-For: 198.51.100.1", "x_forwarded_for: 198.51.100.2, 198.51.100.3", "X-Forwarded-For:",
		"X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: public.example", "X-Forwarded-Port: 444",
		"Forwarded: for=198.51.100.1", "X-Real-IP: 198.51.100.1",
		"X-Forwarded-Anything: x", "X-Cluster-Client-IP: 198.51.100.1", "True-Client-IP: 198.51.100.1",
	}
	for name, c := range map[string]struct {
		edit func(*upstream.Request)
		want []string
	}{
		"untrusted": {nil, []string{
			"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.example",
		}},
		"untrusted over TLS": {func(r *upstream.Request) { r.Secure = true }, []string{
			"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example",
		}},
		"unknown peer": {func(r *upstream.Request) { r.Client = netip.Addr{} }, []string{
			"X-Forwarded-For: unknown", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.example",
		}},
		"no host": {func(r *upstream.Request) { r.ClientHost = nil }, []string{
			"X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http",
		}},
		"trusted": {func(r *upstream.Request) { r.TrustProxy = true }, []string{
			"X-Forwarded-Port: 444", "X-Real-IP: 198.51.100.1",
			"X-Forwarded-Anything: x", "X-Cluster-Client-IP: 198.51.100.1", "True-Client-IP: 198.51.100.1",
			"X-Forwarded-For: 198.51.100.1, 198.51.100.2, 198.51.100.3, 192.0.2.7",
			"X-Forwarded-Proto: https", "X-Forwarded-Host: public.example",
			"Forwarded: for=198.51.100.1, for=192.0.2.7",
		}},
		"trusted over IPv6": {func(r *upstream.Request) {
			r.TrustProxy, r.Client = true, netip.MustParseAddr("fe80::1%eth0")
		}, []string{
			"X-Forwarded-Port: 444", "X-Real-IP: 198.51.100.1",
			"X-Forwarded-Anything: x", "X-Cluster-Client-IP: 198.51.100.1", "True-Client-IP: 198.51.100.1",
			"X-Forwarded-For: 198.51.100.1, 198.51.100.2, 198.51.100.3, fe80::1",
			"X-Forwarded-Proto: https", "X-Forwarded-Host: public.example",
			`Forwarded: for=198.51.100.1, for="[fe80::1]"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sent(t, c.edit, lines...).Lines()[2:]; !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestTheNearestProxiesAreNeverLeftOutOfTheChain(t *testing.T) {
	t.Parallel()
	var lines []string
	for range 40 {
		lines = append(lines, "X-Forwarded-For: 203.0.113.9")
	}
	got := sent(t, func(r *upstream.Request) { r.TrustProxy = true }, append(lines, "X-Forwarded-For: 10.0.0.1")...)
	if value := got.Values("X-Forwarded-For")[0]; !strings.HasSuffix(value, "203.0.113.9, 10.0.0.1, 192.0.2.7") {
		t.Errorf("got %q", value)
	}
}

func TestTheCredentialGoesNoFurtherUnlessItIsToBeForwarded(t *testing.T) {
	t.Parallel()
	remove := func(r *upstream.Request) { r.CredentialCookie = []byte("sid") }
	forward := func(r *upstream.Request) {
		r.CredentialCookie, r.ForwardAuthorization, r.ForwardCookie = []byte("sid"), true, true
	}
	for name, c := range map[string]struct {
		edit  func(*upstream.Request)
		lines []string
		want  []string
	}{
		"authorization":       {nil, []string{"Authorization: Bearer x", "AUTHORIZATION: Bearer y", "Author_ization: z"}, nil},
		"forwarded":           {forward, []string{"Authorization: Bearer x", "Cookie: sid=x; a=b"}, []string{"Authorization: Bearer x", "Cookie: sid=x; a=b"}},
		"cookie":              {remove, []string{"Cookie: a=1; sid=secret; b=2"}, []string{"Cookie: a=1; b=2"}},
		"no other cookie":     {remove, []string{"Cookie: sid=secret"}, nil},
		"several fields":      {remove, []string{"Cookie: sid=secret", "Cookie: a=1", "cookie: b=2;sid=secret"}, []string{"Cookie: a=1", "cookie: b=2"}},
		"repeated":            {remove, []string{"Cookie: sid=1; a=1; sid=2; sid"}, []string{"Cookie: a=1"}},
		"quoted":              {remove, []string{`Cookie: a="x y"; sid="secret"`}, []string{`Cookie: a="x y"`}},
		"inside quotes":       {remove, []string{`Cookie: a="; sid=secret; "`}, []string{`Cookie: a="; "`}},
		"spaced":              {remove, []string{"Cookie: a=1 ;\t sid = secret;; "}, []string{"Cookie: a=1"}},
		"other name":          {remove, []string{"Cookie: SID=1; sids=2; xsid=3"}, []string{"Cookie: SID=1; sids=2; xsid=3"}},
		"no configured name":  {nil, []string{"Cookie: sid=1;a=2"}, []string{"Cookie: sid=1;a=2"}},
		"never becomes one":   {remove, []string{"Coo-kie: a=1; sid=2"}, []string{"Coo-kie: a=1"}},
		"nominated and other": {remove, []string{"Connection: cookie", "Cookie: a=1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := endToEnd(sent(t, c.edit, c.lines...)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
