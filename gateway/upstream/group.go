package upstream

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// GroupConfig describes the upstreams of one site.
type GroupConfig struct {
	// Addresses are host:port. Required.
	Addresses []string
	// MaxConnections bounds the connections to each address, idle ones
	// included. Required.
	MaxConnections int
	// Timeouts bounds each exchange. Required.
	Timeouts Timeouts
	// Dial opens connections. Required.
	Dial Dialer
}

// Group is the upstreams of one site, used in turn. Its methods are safe for
// concurrent use.
type Group struct {
	pools []*Pool
	next  atomic.Uint64
}

// NewGroup returns a group that has opened no connection yet.
func NewGroup(cfg GroupConfig) *Group {
	g := &Group{}
	for _, address := range cfg.Addresses {
		g.pools = append(g.pools, newPool(address, cfg.Dial, cfg.MaxConnections, cfg.Timeouts))
	}
	return g
}

// Do carries r to one upstream and its response into ctx.Response, without the
// fields that belong to one hop and without any that fasthttp adds by itself.
// Where the body streams it returns true and done, which may be nil, is told of
// its end, after Do has returned; otherwise the response is complete and done is
// not called. On an error ctx.Response is unspecified and nothing was written to
// the client.
//
// ctx must be of a server that streams request bodies and reads its clients
// through package wire; r's slices may alias its request.
//
// An upstream that takes no connection is passed over for the next, as nothing
// was sent; after that there is no second try. The errors are those of this
// package. After ErrRequestBody and ErrBodyTooLarge the client's connection is in
// the middle of a request: close it behind the answer.
func (g *Group) Do(ctx *fasthttp.RequestCtx, r *Request, done Observer) (streams bool, err error) {
	var nominated nominations
	if !nominated.collect(r.Fields) {
		return false, ErrNominations
	}
	n := uint64(len(g.pools))
	turn := uint64(0)
	if n > 1 {
		turn = g.next.Add(1)
	}
	hint := ctx.ConnID()
	for i := range n {
		p := g.pools[(turn+i)%n]
		c, takeErr := p.take(hint, time.Now())
		if takeErr == nil {
			return p.exchange(ctx, r, &nominated, c, done)
		}
		if err == nil || errors.Is(takeErr, ErrSaturated) {
			err = takeErr
		}
	}
	return false, err
}

// Close closes the idle connections now and the others when their exchange
// ends.
func (g *Group) Close() {
	for _, p := range g.pools {
		p.Close()
	}
}

// Stats returns the counters of each upstream, in the configured order.
func (g *Group) Stats() []Stats {
	stats := make([]Stats, len(g.pools))
	for i, p := range g.pools {
		stats[i] = p.Stats()
	}
	return stats
}
