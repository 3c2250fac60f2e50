package gateway

import (
	"strings"
	"testing"
)

// Of two fields that an upstream could take for a credential, only the one that
// was verified goes on.
func TestOnlyTheVerifiedCredentialIsForwarded(t *testing.T) {
	t.Parallel()
	const forward = "\n    forward_credential: true"
	for _, c := range []struct {
		name   string
		site   string
		fields func(tok string) []string
		target string
		want   []string // what the upstream gets of Authorization and Cookie
	}{
		{
			"header", defaultSite + forward,
			func(tok string) []string { return []string{"Authorization: Bearer " + tok, "Cookie: theme=dark"} }, "/private",
			[]string{"Bearer TOKEN", "theme=dark"},
		},
		{
			"cookie", defaultSite + forward,
			func(tok string) []string { return []string{"Cookie: session=" + tok} }, "/private",
			[]string{"session=TOKEN"},
		},
		{
			"cookie beside another scheme", defaultSite + forward,
			func(tok string) []string {
				return []string{"Authorization: Basic dXNlcjpwYXNz", "Cookie: session=" + tok}
			}, "/private",
			[]string{"session=TOKEN"},
		},
		{
			"nothing on a public route", defaultSite + forward,
			func(tok string) []string {
				return []string{"Authorization: Bearer " + tok, "Cookie: session=x; theme=dark"}
			}, "/open/x",
			[]string{"theme=dark"},
		},
		{
			"what was refused, under observe", defaultSite + forward + "\n    mode: observe",
			func(string) []string { return []string{"Authorization: Bearer nonsense"} }, "/private",
			[]string{"Bearer nonsense"},
		},
		{
			"nothing by default", defaultSite,
			func(tok string) []string { return []string{"Cookie: session=" + tok + "; theme=dark"} }, "/private",
			[]string{"theme=dark"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{site: c.site})
			tok := r.token()
			if a := r.get(c.target, c.fields(tok)...); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.code)
			}
			sent := r.upstream.Requests()[0]
			got := append(sent.Values("Authorization"), sent.Values("Cookie")...)
			want := strings.ReplaceAll(strings.Join(c.want, "|"), "TOKEN", tok)
			if strings.Join(got, "|") != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// An upstream that acts on another path or method than those of the request
// line would pass by the rules, on a trusted proxy's word, too.
func TestNoFieldNamesAnotherPathOrMethod(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{trusted: "127.0.0.0/8"})
	r.get("/open/x", "X-Original-URL: /private", "X-Rewrite-URL: /private", "X_Original_URI: /private",
		"X-Forwarded-Uri: /private", "X-Forwarded-Path: /private", "X-Original-Method: DELETE", "X-Forwarded-Method: DELETE",
		"X-HTTP-Method-Override: DELETE", "X-Forwarded-Proto: https, http")
	sent := r.upstream.Requests()[0]
	if head := string(sent.Head); strings.Contains(head, "/private") || strings.Contains(head, "DELETE") {
		t.Errorf("%s", head)
	}
	if got := sent.Values("X-Forwarded-Proto"); len(got) != 1 || got[0] != "https" {
		t.Errorf("X-Forwarded-Proto: %q", got)
	}
}
