package gateway

import (
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// What follows measures the handler alone: from the head that fasthttp parsed to
// the response that it will write, with an upstream in memory.

func BenchmarkPublic(b *testing.B) {
	g, ctx := warmed(b, "ES256", "/open/x", browserFields...)
	handleAll(b, g, []*fasthttp.RequestCtx{ctx})
}

func BenchmarkWarmRS256(b *testing.B) { benchmarkWarm(b, "RS256") }
func BenchmarkWarmES256(b *testing.B) { benchmarkWarm(b, "ES256") }
func BenchmarkWarmEdDSA(b *testing.B) { benchmarkWarm(b, "EdDSA") }

func BenchmarkColdRS256(b *testing.B) { benchmarkCold(b, "RS256") }
func BenchmarkColdES256(b *testing.B) { benchmarkCold(b, "ES256") }
func BenchmarkColdEdDSA(b *testing.B) { benchmarkCold(b, "EdDSA") }

func BenchmarkRefusedWithoutCredential(b *testing.B) {
	g, _ := warmed(b, "ES256", "/private")
	handleAll(b, g, []*fasthttp.RequestCtx{received(b, request("GET", "/private", browserFields...))})
}

func benchmarkWarm(b *testing.B, alg string) {
	g, ctx := warmed(b, alg, "/private", browserFields...)
	handleAll(b, g, []*fasthttp.RequestCtx{ctx})
}

// benchmarkCold has a new token for each request, and no memory of the last.
func benchmarkCold(b *testing.B, alg string) {
	g, _ := warmed(b, alg, "/private", browserFields...)
	key := testKeys()[alg]
	const distinct = 512
	contexts := make([]*fasthttp.RequestCtx, distinct)
	for i := range contexts {
		tok, err := corpus.NewToken(piecesIssuer, "tthc", time.Now().Add(-time.Minute)).Sign(key)
		if err != nil {
			b.Fatal(err)
		}
		contexts[i] = received(b, request("GET", "/private", append(browserFields, bearer(tok))...))
	}
	st := g.state.Load()
	verdicts := st.verdicts
	b.Cleanup(verdicts.Close)
	verdicts.Clear()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if i%distinct == 0 {
			b.StopTimer()
			verdicts.Clear()
			b.StartTimer()
		}
		handleOne(b, g, contexts[i%distinct])
	}
	if hits := verdicts.Stats().Hits; hits > 1 {
		b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	}
}

func handleAll(b *testing.B, g *Gateway, contexts []*fasthttp.RequestCtx) {
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		g.handle(contexts[i%len(contexts)])
	}
	b.StopTimer()
	if status := contexts[0].Response.StatusCode(); status != 200 && status != 401 {
		b.Fatal(status)
	}
}

func handleOne(b *testing.B, g *Gateway, ctx *fasthttp.RequestCtx) {
	g.handle(ctx)
	if ctx.Response.StatusCode() != 200 {
		b.Fatal(ctx.Response.StatusCode())
	}
}
