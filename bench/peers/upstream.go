package peers

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// bodyBytes is the length of every answer's body.
const bodyBytes = 1024

// upstream is what stands behind the proxies: it answers the same to everybody, and counts.
type upstream struct {
	address string
	count   atomic.Int64
	server  *fasthttp.Server
	ended   chan struct{}
}

func startUpstream(ctx context.Context) (*upstream, error) {
	listener, err := loopback.Listen(ctx, loopback.AnyPort)
	if err != nil {
		return nil, err
	}
	u := &upstream{address: listener.Addr().String(), ended: make(chan struct{})}
	body := bytes.Repeat([]byte("."), bodyBytes)
	u.server = &fasthttp.Server{
		NoDefaultServerHeader: true,
		NoDefaultDate:         true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			u.count.Add(1)
			ctx.SetContentType("text/plain")
			ctx.SetBody(body)
		},
		Logger: silent{},
	}
	go func(l net.Listener) {
		defer close(u.ended)
		_ = u.server.Serve(l)
	}(listener)
	return u, nil
}

func (u *upstream) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = u.server.ShutdownWithContext(ctx)
	<-u.ended
}

// silent logs nothing: connections that a proxy leaves behind are no fault.
type silent struct{}

func (silent) Printf(string, ...any) {}
