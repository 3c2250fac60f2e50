package listen_test

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
)

func Example() {
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		_, _ = fmt.Fprint(ctx, "from loopback: ", ctx.RemoteIP().IsLoopback())
	}}
	registry := listen.NewRegistry(listen.Config{
		MaxConnections: 1000,
		MaxPerSource:   100,
		Serve:          func(c net.Conn) { _ = server.ServeConn(c) },
	})
	listener, err := registry.Listen(context.Background(), listen.ListenerConfig{Address: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()

	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var a, b, c string
	_, _ = fmt.Fscan(res.Body, &a, &b, &c)
	fmt.Println(a, b, c)

	_ = listener.Quiesce(context.Background())
	registry.CloseIdle()
	_ = registry.Wait(context.Background())
	fmt.Println(<-served, registry.Stats().Open)
	// Output:
	// from loopback: true
	// <nil> 0
}
