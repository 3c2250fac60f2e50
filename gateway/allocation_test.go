//go:build !race

package gateway

import "testing"

func TestHitPathAllocatesNothing(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		g, ctx := warmed(t, alg, "/private", browserFields...)
		if n := testing.AllocsPerRun(1000, func() {
			if allowed, code := judge(g, ctx); !allowed {
				t.Fatal(code)
			}
		}); n != 0 {
			t.Errorf("%s: deciding about a warm token allocates %v times", alg, n)
		}
	}
}

func TestWarmRequestAllocatesNothingUpToItsResponse(t *testing.T) {
	for _, target := range []string{"/private", "/open/x"} {
		g, ctx := warmed(t, "ES256", target, browserFields...)
		if n := testing.AllocsPerRun(1000, func() {
			ctx.Response.Reset()
			g.handle(ctx)
		}); n != 0 {
			t.Errorf("%s: the handler allocates %v times", target, n)
		}
		if status := ctx.Response.StatusCode(); status != 200 || string(ctx.Response.Body()) != "good" {
			t.Errorf("%s: %d %q", target, status, ctx.Response.Body())
		}
	}
}

func TestRefusalAllocatesNothing(t *testing.T) {
	g, _ := warmed(t, "ES256", "/private")
	for name, fields := range map[string][]string{
		"credential_missing": nil, "credentials_multiple": {bearer("a"), bearer("b")}, "credential_malformed": {"Authorization: Bearer"},
	} {
		ctx := received(t, request("GET", "/private", append(fields, browserFields...)...))
		if n := testing.AllocsPerRun(1000, func() { g.handle(ctx) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if status := ctx.Response.StatusCode(); status != 400 && status != 401 {
			t.Errorf("%s: %d", name, status)
		}
	}
}

func TestPathIsMaskedAndHostFoundWithoutAllocation(t *testing.T) {
	h := hosts{exact: map[string]*site{"a.example": {}}, suffix: map[string]*site{".gov.vn": {}}}
	values := [][]byte{[]byte("a.example"), []byte("A.Example:8080"), []byte("x.y.gov.vn."), []byte("other")}
	path, dst := []byte("/a/000123456789/b"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		for _, v := range values {
			h.find(v)
		}
		dst = appendMasked(dst[:0], path)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
