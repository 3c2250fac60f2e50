package upstream_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

func ExampleGroup_Do() {
	behind, err := origin.Record(context.Background(), origin.Always(origin.OK()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = behind.Close() }()
	group := upstream.NewGroup(upstream.GroupConfig{
		Endpoints:      []upstream.Endpoint{{Address: behind.Address()}},
		MaxConnections: 10,
		Timeouts:       upstream.Timeouts{Connect: time.Second, FirstByte: time.Minute, Idle: time.Minute},
		Dial:           (&net.Dialer{}).DialContext,
	})
	defer group.Close()

	server := newServer(func(ctx *fasthttp.RequestCtx) {
		header := &ctx.Request.Header
		_, err := group.Do(ctx, &upstream.Request{
			Method: header.Method(), Path: []byte("/routed"), Host: header.Host(), ClientHost: header.Host(),
			Fields:        header.RawHeaders(),
			Own:           []byte("X-VNeID-Subject: 42\r\n"),
			ContentLength: int64(header.ContentLength()),
		}, nil)
		if err != nil {
			ctx.Error("bad gateway", fasthttp.StatusBadGateway)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = server.Serve(wire.NewListener(listener, wire.Limits{})) }()
	defer func() { _ = server.Shutdown() }()

	request, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String()+"/asked", http.NoBody)
	if err != nil {
		panic(err)
	}
	request.Close = true
	request.Header.Set("X_VNeID_Subject", "1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	got := behind.Requests()[0]
	fmt.Println(string(body), got.Lines()[0], got.Values("X_VNeID_Subject"), got.Values("X-VNeID-Subject"))
	// Output: good GET /routed HTTP/1.1 [] [42]
}
