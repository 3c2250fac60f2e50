package admin

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestKeyPathNamesIssuerAndKey(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		escaped, issuer, kid string
		ok                   bool
	}{
		{"/keys/vneid/sig-1", "vneid", "sig-1", true},
		{"/keys/vneid/a%2Fb", "vneid", "a/b", true},
		{"/keys/vneid/a/b", "vneid", "a/b", true},
		{"/keys/vneid/a//b/../c", "vneid", "a//b/../c", true},
		{"/keys/vneid/..", "vneid", "..", true},
		{"/keys/vneid/100%25", "vneid", "100%", true},
		{"/keys/vneid/%252F", "vneid", "%2F", true},
		{"/keys/vneid/a+b", "vneid", "a+b", true},
		{"/keys/vneid/%E1%BA%BFt%20c", "vneid", "ết c", true},
		{"/keys/h%61noi/k", "hanoi", "k", true},
		{"/keys/vneid/", "vneid", "", true},
		{"/keys/vneid/" + strings.Repeat("k", maxNameBytes), "vneid", strings.Repeat("k", maxNameBytes), true},

		{"/keys/vneid/" + strings.Repeat("k", maxNameBytes+1), "", "", false},
		{"/keys/" + strings.Repeat("i", maxNameBytes+1) + "/k", "", "", false},
		{"/keys/vneid/%", "", "", false},
		{"/keys/vneid/%zz", "", "", false},
		{"/keys/%zz/k", "", "", false},
		{"/keys/vneid", "", "", false},
		{"/keys//k", "", "", false},
		{"/keys/", "", "", false},
		{"/keys", "", "", false},
		{"/key/vneid/k", "", "", false},
		{"", "", "", false},
	} {
		issuer, kid, ok := splitKeyPath(tc.escaped)
		if issuer != tc.issuer || kid != tc.kid || ok != tc.ok {
			t.Errorf("%.80q: %q %q %v, want %q %q %v", tc.escaped, issuer, kid, ok, tc.issuer, tc.kid, tc.ok)
		}
	}
}

// Whatever a key is called, the path made for it purges it and no other, through
// everything that stands before the handler.
func FuzzKeyPathPurgesThatKey(f *testing.F) {
	for _, kid := range []string{"", "k", "/", "//", "..", "../../livez", ".", "a/b", "%", "%2F", "%25", "?q", "#f", "ế", "\x00", "a b", ";", "\xff"} {
		f.Add("vneid", kid)
	}
	f.Add("..", "..")
	f.Add("a/b", "c")
	f.Fuzz(func(t *testing.T, issuer, kid string) {
		path := keyPath(issuer, kid)
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatalf("%q is no path: %v", path, err)
		}
		keys := &fakeKeys{n: 1}
		r := httptest.NewRequest("DELETE", "/", nil)
		r.URL = u
		r.Header.Set("Authorization", "Bearer "+operatorToken)
		w := httptest.NewRecorder()
		handler(withKeys(keys, discard()), nil).ServeHTTP(w, r)
		want, status := []string{"purge", issuer, kid}, 200
		if issuer == "" || len(issuer) > maxNameBytes || len(kid) > maxNameBytes {
			want, status = nil, 404
		}
		if w.Code != status || !slices.Equal(keys.asked, want) {
			t.Errorf("%q: %d, asked %q, want %d %q", path, w.Code, keys.asked, status, want)
		}
	})
}

// What is read from any path is bounded, and leads back to the same key.
func FuzzSplitKeyPath(f *testing.F) {
	for _, path := range []string{"/keys/vneid/k", "/keys/v/%2f%25", "/keys/v/", "/keys//", "/keys/%/k", "/keys/a/b/../c"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		issuer, kid, ok := splitKeyPath(path)
		if !ok {
			if issuer != "" || kid != "" {
				t.Errorf("%q is refused, but gives %q %q", path, issuer, kid)
			}
			return
		}
		if issuer == "" || len(issuer) > maxNameBytes || len(kid) > maxNameBytes {
			t.Fatalf("%q gives %q %q", path, issuer, kid)
		}
		if i, k, ok := splitKeyPath(keyPath(issuer, kid)); !ok || i != issuer || k != kid {
			t.Errorf("%q: %q %q comes back as %q %q", path, issuer, kid, i, k)
		}
	})
}
