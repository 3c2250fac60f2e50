//go:build !race

package reject_test

import (
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

func TestWriteAllocatesNothing(t *testing.T) {
	r, site := renderer(t), hanoi(t)
	for _, accept := range []string{"", acceptPage} {
		for _, c := range reject.Codes() {
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.Set("Accept", accept)
			ref := reject.Refusal{Code: c, Site: site, RequestID: []byte(requestID), Decision: decision(c)}
			if n := testing.AllocsPerRun(20, func() { r.Write(ctx, ref) }); n != 0 {
				t.Errorf("%v, Accept %q: %v allocations, want 0", c, accept, n)
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	r, site := renderer(b), hanoi(b)
	for name, accept := range map[string]string{"problem": "*/*", "page": acceptPage} {
		b.Run(name, func(b *testing.B) {
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.Set("Accept", accept)
			ref := reject.Refusal{Code: reject.TokenExpired, Site: site, RequestID: []byte(requestID)}
			b.ReportAllocs()
			for b.Loop() {
				r.Write(ctx, ref)
			}
		})
	}
}
