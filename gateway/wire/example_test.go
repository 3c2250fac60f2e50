package wire_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// A fasthttp server behind the checks answers a request that would smuggle
// another one, and closes.
func ExampleNewListener() {
	srv := &fasthttp.Server{
		// The default logger prints the head of a refused request, credentials included.
		SecureErrorLogMessage: true,
		Logger:                log.New(io.Discard, "", 0),
		Handler:               func(ctx *fasthttp.RequestCtx) { fmt.Println("handled", string(ctx.RequestURI())) },
		ErrorHandler: func(ctx *fasthttp.RequestCtx, err error) {
			var refusal *wire.Error
			if !errors.As(err, &refusal) {
				refusal = wire.ErrorOf(ctx.Conn())
			}
			if refusal == nil {
				refusal = &wire.Error{Status: fasthttp.StatusBadRequest}
			}
			ctx.Error(refusal.Reason.String(), refusal.Status)
		},
	}
	ln := fasthttputil.NewInmemoryListener()
	go func() { _ = srv.Serve(wire.NewListener(ln, wire.Limits{})) }()
	defer func() { _ = srv.Shutdown() }()

	c, _ := ln.Dial()
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n")
	fmt.Println(statusAndBody(c))
	// Output: HTTP/1.1 400 Bad Request, framing_conflict
}

func statusAndBody(c net.Conn) string {
	var resp fasthttp.Response
	if err := resp.Read(bufio.NewReader(c)); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("HTTP/1.1 %d %s, %s", resp.StatusCode(), fasthttp.StatusMessage(resp.StatusCode()), resp.Body())
}

func ExampleParseTarget() {
	buf := make([]byte, 0, 256) // kept between requests
	for _, raw := range []string{"/static/%61pp.js?v=1", "/a/./b/../c", "/static/..%2fadmin"} {
		var target wire.Target
		var err error
		target, buf, err = wire.ParseTarget(buf, []byte(raw))
		fmt.Printf("%s %q %v\n", target.Path, target.Query, err)
	}
	// Output:
	// /static/app.js "v=1" <nil>
	// /a/c "" <nil>
	//  "" wire: target_encoded_slash
}
