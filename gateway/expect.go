package gateway

import "github.com/valyala/fasthttp"

// expect answers a request that waits for a 100 before it sends its body (RFC
// 9110 section 10.1.1): with 100 if it would be forwarded as it stands, else at
// once with its refusal, behind which fasthttp closes the connection and nothing
// of the body is read.
//
// The handler decides again when the body has begun to come, and only it counts
// a request that is forwarded: what held when the 100 was sent need not hold any
// more.
func (g *Gateway) expect(ctx *fasthttp.RequestCtx) int {
	if g.admits(ctx) {
		return fasthttp.StatusContinue
	}
	return ctx.Response.StatusCode()
}

func (g *Gateway) admits(ctx *fasthttp.RequestCtx) bool {
	x := g.begin(ctx)
	defer x.end()
	x.rehearsal = true
	if !x.route() || !x.enter() || !x.admit() && !x.observed() {
		x.rehearsal = false
		x.answer()
		return false
	}
	return true
}
