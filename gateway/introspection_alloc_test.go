//go:build !race

package gateway

import (
	"testing"
)

func TestWarmIntrospectedTokenAllocatesNothingAndAsksNobody(t *testing.T) {
	for name, c := range map[string]struct {
		more, keys string
		token      func(*portal) string
	}{
		"opaque":    {"max_age: 1h", "", func(p *portal) string { return p.opaque() }},
		"confirmed": {"max_age: 1h, tokens: all", "keys", func(p *portal) string { return p.jwt() }},
	} {
		p := newPortal(t, c.more, c.keys, setup{access: "{ sample: 1000000, refused_per_second: 0 }"})
		tok := c.token(p)
		p.warm(tok)
		asked := p.asked()
		ctx := received(t, request("GET", "/private", append(browserFields, bearer(tok))...))
		if n := testing.AllocsPerRun(1000, func() {
			if allowed, code := judge(p.Gateway, ctx); !allowed {
				t.Fatal(code)
			}
		}); n != 0 {
			t.Errorf("%s: deciding about a warm token allocates %v times", name, n)
		}
		if p.asked() != asked {
			t.Errorf("%s: the issuer was asked", name)
		}
	}
}
