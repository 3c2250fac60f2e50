package stand

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// upstream is what is behind a site: it answers every request with the same few bytes, after a delay where one is
// ordered. bench/origin, which echoes, would cost several times the gateway.
type upstream struct {
	server  fasthttp.Server
	listen  net.Listener
	address string
	delay   atomic.Int64 // nanoseconds
	served  atomic.Int64
	closing chan struct{}
	done    chan struct{}
}

func startUpstream(ctx context.Context, bodyBytes int) (*upstream, error) {
	listener, err := loopback.Listen(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("starting an upstream: %w", err)
	}
	u := &upstream{listen: listener, address: listener.Addr().String(), closing: make(chan struct{}), done: make(chan struct{})}
	body := bytes.Repeat([]byte("x"), bodyBytes)
	u.server = fasthttp.Server{
		NoDefaultServerHeader: true, NoDefaultDate: true, NoDefaultContentType: true, ReadBufferSize: 16 << 10,
		Handler: func(c *fasthttp.RequestCtx) {
			u.served.Add(1)
			u.wait()
			c.SetBody(body)
		},
	}
	go func() {
		defer close(u.done)
		// Serve returns when the server is shut down: there is nobody to tell.
		_ = u.server.Serve(listener)
	}()
	return u, nil
}

// wait waits for what is ordered when it begins.
func (u *upstream) wait() {
	delay := time.Duration(u.delay.Load())
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-u.closing:
	}
}

// close ends it, and waits for requests that it is answering.
func (u *upstream) close(ctx context.Context) error {
	close(u.closing)
	// fasthttp shuts nothing down that does not serve yet, and would serve from then on.
	err := u.listen.Close()
	<-u.done
	if late := u.server.ShutdownWithContext(ctx); !errors.Is(late, net.ErrClosed) {
		err = errors.Join(err, late)
	}
	return err
}
