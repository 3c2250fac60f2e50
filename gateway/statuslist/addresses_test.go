package statuslist

import (
	"errors"
	"net/url"
	"testing"
)

func TestAddressesOfListsAreHTTPSWithAPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		plain, good bool
	}{
		{"https://issuer.example/", false, true},
		{"https://issuer.example/lists/", false, true},
		{"https://issuer.example/lists/1", false, true},
		{"https://issuer.example/lists?of=1", false, true},
		{"https://issuer.example:8443/lists/", false, true},
		{"http://127.0.0.1:8080/lists/", false, true},
		{"http://[::1]/lists/", false, true},
		{"http://localhost/lists/", false, true},
		{"http://issuer.example/lists/", true, true},
		{"http://issuer.example/lists/", false, false},
		{"ftp://issuer.example/lists/", true, false},
		{"https://issuer.example", false, false},
		{"https://", false, false},
		{"https:///lists/", false, false},
		{"/lists/", false, false},
		{"", false, false},
		{"https://u:p@issuer.example/lists/", false, false},
		{"https://issuer.example/lists/#a", false, false},
		{"https://issuer.example/a/../lists/", false, false},
		{"https://issuer.example/a/%2e%2E/lists/", false, false},
		{`https://issuer.example\lists/`, false, false},
		{"https://issuer.example/lists?of=/", false, false},
		{"https://issuer.example/%zz/", false, false},
	} {
		if _, err := parseAddresses([]string{c.name}, c.plain); (err == nil) != c.good || err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := parseAddresses(nil, false); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

// A token cannot make the gateway call anybody but whom the configuration names.
func TestATokenCannotNameAnAddressThatIsNotCovered(t *testing.T) {
	t.Parallel()
	a, err := parseAddresses([]string{"https://issuer.example/lists/", "https://cdn.example:8443/one"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]bool{
		"https://issuer.example/lists/1":              true,
		"https://issuer.example/lists/2025/06?page=1": true,
		"https://issuer.example/lists/":               true,
		"https://cdn.example:8443/one":                true,

		"https://issuer.example/lists":                        false,
		"https://issuer.example/listsx/1":                     false,
		"https://issuer.example/":                             false,
		"https://issuer.example/admin":                        false,
		"http://issuer.example/lists/1":                       false,
		"HTTPS://issuer.example/lists/1":                      false,
		"https://ISSUER.example/lists/1":                      false,
		"https://issuer.example:443/lists/1":                  false,
		"https://issuer.example.evil.example/lists/1":         false,
		"https://issuer.example@evil.example/lists/1":         false,
		"https://evil.example/https://issuer.example/lists/1": false,
		"https://issuer.example/lists/../admin":               false,
		"https://issuer.example/lists/./1":                    false,
		"https://issuer.example/lists/%2e%2e/admin":           false,
		"https://issuer.example/lists/..%2fadmin":             false,
		"https://issuer.example/lists/%5c..%5cadmin":          false,
		"https://issuer.example/lists/%2E.%2fadmin":           false,
		`https://issuer.example/lists/..\admin`:               false,
		"https://issuer.example/lists/1#2":                    false,
		"https://issuer.example/lists/%zz":                    false,
		"https://cdn.example:8443/one/":                       false,
		"https://cdn.example:8443/one?x":                      false,
		"https://cdn.example:8443/on":                         false,
		"https://169.254.169.254/latest/meta-data":            false,
		"file:///etc/passwd":                                  false,
		"":                                                    false,
	} {
		if a.cover(uri) != want {
			t.Errorf("%s: %v", uri, !want)
		}
	}
	if a.lists() != 1 || !a.named("https://cdn.example:8443/one") || a.named("https://issuer.example/lists/") {
		t.Error("which of them is one list")
	}
}

func FuzzCover(f *testing.F) {
	for _, seed := range []string{
		"https://issuer.example/lists/1", "https://issuer.example/lists/%2e%2e/x", "https://issuer.example/lists/..%2fx", "x",
	} {
		f.Add(seed)
	}
	const prefix = "https://issuer.example/lists/"
	a := addresses{prefix}
	f.Fuzz(func(t *testing.T, rest string) {
		if !a.cover(prefix + rest) {
			return
		}
		u, err := url.Parse(prefix + rest)
		if err != nil || u.Scheme != "https" || u.Host != "issuer.example" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q: %+v, %v", rest, u, err)
		}
		// As a server may resolve it.
		if clean := u.JoinPath().Path; len(clean) < len("/lists") || clean[:len("/lists")] != "/lists" {
			t.Fatalf("%q leads to %q", rest, clean)
		}
	})
}
