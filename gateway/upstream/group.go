package upstream

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// GroupConfig describes the upstreams of one site.
type GroupConfig struct {
	// Endpoints are the upstreams. Required.
	Endpoints []Endpoint
	// MaxConnections bounds the connections to each address, idle ones
	// included. Required.
	MaxConnections int
	// MaxInFlight bounds the requests in flight at each address, tunnels
	// included. Default 0: MaxConnections alone does.
	MaxInFlight int
	// Timeouts bounds each exchange. Required.
	Timeouts Timeouts
	// Balance chooses the address of a request. Default LeastInFlight.
	Balance Balance
	// Eject, Breaker and Retry are off unless set.
	Eject   EjectConfig
	Breaker BreakerConfig
	Retry   RetryConfig
	// Health asks each address for its health while Run runs. Default nil: no
	// address is asked.
	Health *HealthConfig
	// Resolve looks names up again while Run runs. Off unless set.
	Resolve ResolveConfig
	// Dial opens connections. Default net.Dialer's.
	Dial Dialer
}

// Group is the upstreams of one site. Its methods are safe for concurrent use.
type Group struct {
	members  []*member
	pools    atomic.Pointer[[]*Pool] // never changed in place
	turn     atomic.Uint64
	balance  Balance
	timeouts Timeouts
	limits   limits
	eject    EjectConfig
	breaker  BreakerConfig
	retry    RetryConfig
	health   *HealthConfig
	resolve  ResolveConfig
	open     Dialer
	budget   *budget
	start    time.Time

	ejecting sync.Mutex // so that ejections keep within their share together
	changing sync.Mutex // so that changes of pools come one after the other
	closed   bool       // with changing held
}

// NewGroup returns a group that has opened no connection yet.
func NewGroup(cfg GroupConfig) *Group {
	g := &Group{
		balance:  cfg.Balance,
		timeouts: cfg.Timeouts,
		limits:   limits{connections: int64(cfg.MaxConnections), inFlight: int64(cfg.MaxInFlight)},
		eject:    cfg.Eject,
		breaker:  cfg.Breaker,
		retry:    cfg.Retry,
		health:   cfg.Health,
		resolve:  cfg.Resolve,
		open:     cfg.Dial,
		budget:   newBudget(cfg.Retry),
		start:    time.Now(),
	}
	if g.open == nil {
		g.open = (&net.Dialer{}).DialContext
	}
	if g.health != nil {
		g.health = g.health.complete()
	}
	if g.resolve.Resolver == nil {
		g.resolve.Resolver = net.DefaultResolver
	}
	pools := make([]*Pool, len(cfg.Endpoints))
	for i, endpoint := range cfg.Endpoints {
		m := &member{endpoint: endpoint.complete()}
		// Until its name is looked up, an upstream is one address: the name.
		m.pools = []*Pool{g.newPool(m, m.endpoint.Address)}
		g.members = append(g.members, m)
		pools[i] = m.pools[0]
	}
	g.pools.Store(&pools)
	return g
}

// member is one configured upstream and what is counted of it, whatever its
// addresses.
type member struct {
	endpoint Endpoint
	pools    []*Pool // with changing held
	drained  []*Pool // that are gone but have connections in use, with changing held
	counters
}

func (g *Group) newPool(m *member, address string) *Pool {
	p := &Pool{
		member:   m,
		address:  address,
		open:     g.open,
		limits:   g.limits,
		timeouts: g.timeouts,
		host:     []byte(m.endpoint.Host),
		shards:   newShards(),
	}
	p.group = g
	p.breaker = p.newBreaker(g.breaker, func() { m.opened.Add(1) })
	return p
}

// clock is the time since the group was made. It never goes back.
func (g *Group) clock() time.Duration { return time.Since(g.start) }

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
// An upstream that takes no connection is passed over for another, three in all,
// as nothing was sent; after that a request is sent again only as RetryConfig
// says. The errors are those of this package. After ErrRequestBody and
// ErrBodyTooLarge the client's connection is in the middle of a request: close it
// behind the answer.
func (g *Group) Do(ctx *fasthttp.RequestCtx, r *Request, done Observer) (streams bool, err error) {
	var nominated nominations
	if !nominated.collect(r.Fields) {
		return false, ErrNominations
	}
	a := attempt{pools: *g.pools.Load()}
	a.call.hint = ctx.ConnID()
	begun := time.Now()
	if g.timeouts.Total > 0 {
		a.call.until = begun.Add(g.timeouts.Total)
	}
	defer a.abandon()
	for now := begun; ; now = time.Now() {
		c, takeErr := g.take(&a, ctx, now)
		if takeErr != nil {
			if err == nil {
				err = takeErr
			}
			return false, err
		}
		reused := c.reused // c is no longer ours behind the exchange
		p := a.pool
		p.member.requests.Add(1)
		streams, err = p.exchange(ctx, r, &nominated, c, done)
		if reused && errors.Is(err, ErrClosed) && g.mayRetry(&a, r, c) {
			// The upstream was free to close what was idle.
			p.settle(&a.lease, neither)
			continue
		}
		p.settle(&a.lease, g.outcome(ctx, err, streams, a.lease.trial != nil))
		return streams, err
	}
}

// RetryAfter returns how long after now it is worth trying again behind
// ErrUnavailable; 0 is at once.
func (g *Group) RetryAfter(now time.Time) time.Duration {
	wait := time.Duration(-1)
	for _, p := range *g.pools.Load() {
		if w := max(p.wait(now.Sub(g.start)), 0); wait < 0 || w < wait {
			wait = w
		}
	}
	return max(wait, 0)
}

// Close closes the idle connections now and the others when their exchange
// ends.
func (g *Group) Close() {
	g.changing.Lock()
	defer g.changing.Unlock()
	g.closed = true
	for _, p := range *g.pools.Load() {
		p.Close()
	}
}
