package config

import (
	"errors"
	"testing"
)

// What is refused stands in testdata/busted_*.yaml; these are the neighbours
// that must pass.

func TestHostsThatAreServed(t *testing.T) {
	t.Parallel()
	for _, h := range []string{
		"*", "*.gov.vn", "dichvucong.hanoi.gov.vn", "localhost", "my_app", "10.0.0.1", "[::1]", "xn--dch-vcng-v6a.vn", "a-b.1.vn",
	} {
		if msg := badHostPattern(normalHost(h)); msg != "" {
			t.Errorf("%s: %s", h, msg)
		}
	}
}

func TestEqualHostsHaveOneNormalForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"A.Example.VN": "a.example.vn", "a.vn.": "a.vn", "a.vn..": "a.vn.", "*.A.vn.": "*.a.vn", "*.": "*.", "*": "*", "": "",
	} {
		if got := normalHost(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPathPatternsThatCanMatch(t *testing.T) {
	t.Parallel()
	for _, p := range []string{
		"/", "/**", "/a", "/a/", "/a/**", "/a.b/..c/...", "/a%20b", "/%E1%BA%A3/**", "/~a-b_c!$&'()+,=:@", "/A", "/%25",
	} {
		if msg := badPattern(p); msg != "" {
			t.Errorf("%s: %s", p, msg)
		}
	}
}

func TestUpstreamsThatAreDialled(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"http://10.0.0.1", "http://[::1]:8080", "http://app.internal:65535", "HTTP://my_app"} {
		if _, msg := parseUpstream(u); msg != "" {
			t.Errorf("%s: %s", u, msg)
		}
	}
}

func TestPlainHTTPIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		url   string
		allow bool
		ok    bool
	}{
		{"http://127.0.0.1:8080/jwks", false, true},
		{"http://127.9.9.9/jwks", false, true},
		{"http://[::1]/jwks", false, true},
		{"http://localhost/jwks", false, true},
		{"http://idp.localhost/jwks", false, true},
		{"http://LOCALHOST./jwks", false, true},
		{"http://localhost.example.vn/jwks", false, false},
		{"http://10.0.0.1/jwks", false, false},
		{"http://0.0.0.0/jwks", false, false},
		{"http://127.0.0.1.example.vn/jwks", false, false},
		{"http://10.0.0.1/jwks", true, true},
		{"https://10.0.0.1/jwks?a=b", false, true},
		{"HTTPS://sso.example.vn", false, true},
	} {
		is := Issuer{JWKS: JWKS{AllowPlainHTTP: test.allow}}
		if msg := is.badFetchURL(test.url); (msg == "") != test.ok {
			t.Errorf("%s, allowed %t: %q", test.url, test.allow, msg)
		}
	}
	// A proxy does not stand on our loopback.
	proxied := Issuer{Backend: Backend{ProxyURL: "http://proxy:3128"}}
	if proxied.badFetchURL("http://127.0.0.1/jwks") == "" || proxied.badFetchURL("https://127.0.0.1/jwks") != "" {
		t.Error("through a proxy, plain http to loopback is still plain http on the network")
	}
}

func TestListenersThatCannotBothBind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		hostA, portA, hostB, portB string
		want                       bool
	}{
		{"", "80", "127.0.0.1", "80", true},
		{"0.0.0.0", "80", "10.0.0.1", "80", true},
		{"::", "80", "10.0.0.1", "80", true},
		{"10.0.0.1", "80", "10.0.0.1", "80", true},
		{"10.0.0.1", "80", "10.0.0.2", "80", false},
		{"", "80", "", "81", false},
		{"", "0", "", "0", false},
		{"", "", "", "", false},
	} {
		if got := collide(test.hostA, test.portA, test.hostB, test.portB); got != test.want {
			t.Errorf("%+v: got %t", test, got)
		}
	}
}

func TestSizesAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Bytes{
		"0": 0, "1023": 1023, "1024": kib, "8KiB": 8 * kib, "8 KiB": 8 * kib, "3MiB": 3 * mib, "1024GiB": 1 << 40,
		"9223372036854775807": 1<<63 - 1,
	} {
		got, err := ParseBytes(in)
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "KiB", " 1", "1 ", "1  KiB", "-1", "+1", "1.5KiB", "8KB", "8k", "8kib", "01", "9223372036854775808", "8589934592GiB"} {
		if _, err := ParseBytes(in); !errors.Is(err, ErrBytesSyntax) {
			t.Errorf("%q: got %v", in, err)
		}
	}
	for in, want := range map[Bytes]string{0: "0", 1000: "1000", kib: "1KiB", 1536 * kib: "1536KiB", 2 * gib: "2GiB", -kib: "-1KiB"} {
		if got := in.String(); got != want {
			t.Errorf("%d: got %s, want %s", int64(in), got, want)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"0", "8KiB", "8 MiB", "1GiB", "-1", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		if again, err := ParseBytes(b.String()); b < 0 || err != nil || again != b {
			t.Fatalf("%q: %d, then %d, %v", s, b, again, err)
		}
	})
}

func TestTheNearestNameIsSuggested(t *testing.T) {
	t.Parallel()
	names := []string{"vneid", "legacy-hanoi", "lab"}
	for in, want := range map[string]string{
		"vnied": "; did you mean vneid?", "vneid2": "; did you mean vneid?", "legacy_hanoi": "; did you mean legacy-hanoi?",
		"lba": "; did you mean lab?", "xyz": "", "": "",
	} {
		if got := didYouMean(in, names); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
