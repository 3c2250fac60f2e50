package reject_test

import (
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func ExampleRenderer_Write() {
	renderer, err := reject.New()
	if err != nil {
		panic(err)
	}
	site, err := reject.NewSite("hanoi", "/login")
	if err != nil {
		panic(err)
	}
	var ctx fasthttp.RequestCtx
	renderer.Write(&ctx, reject.Refusal{
		Code:      reject.FromToken(token.ErrExpired),
		Site:      site,
		RequestID: []byte("01J9ZC8G4T"),
	})
	fmt.Println(ctx.Response.StatusCode())
	fmt.Println(string(ctx.Response.Header.Peek("WWW-Authenticate")))
	// Output:
	// 401
	// Bearer realm="hanoi", error="invalid_token", error_description="The login has expired. Please log in again."
}
