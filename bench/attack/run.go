package attack

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

// engine sends a share of a load.
type engine interface {
	// open opens the connections, and returns the error of the last that failed if
	// not one could be opened.
	open(ctx context.Context) error
	// play sends the load from start on, and returns when every request was
	// answered or given up, or soon after the run was stopped. It closes the
	// connections.
	play(start time.Time)
	// drop closes the connections of an engine that is not to play.
	drop()
	ledger() *ledger
	// cpu returns how long the engine has used processors, once play has
	// returned, where that can be told apart from the rest of the process.
	cpu() (time.Duration, bool)
}

// run is what the engines of a run share.
type run struct {
	Config
	addresses []netip.AddrPort
	stopped   atomic.Bool
	exhausted atomic.Bool // the source has no more requests
	judge     judge       // nil: the source is not classified
}

// request is the n-th of the source. Nil ends the run.
func (r *run) request(n int64) *Request {
	request := r.Source.Request(n)
	if request == nil {
		r.exhausted.Store(true)
		r.stopped.Store(true)
	}
	return request
}

// Run makes a load and reports what came of it. It returns when every request has
// been answered or given up, or, with what there is until then, soon after ctx is
// done; with TLS, a request that is just being written is given its timeout. The error is [ErrConfig], [ErrSource], [ErrUnreachable], or that of looking
// the target's name up; whatever happens to requests is in the result.
func Run(ctx context.Context, config Config) (*Result, error) {
	return runOn(ctx, config, (*run).engines)
}

// runOn is Run on engines that are given.
func runOn(ctx context.Context, config Config, with func(*run) ([]engine, string)) (*Result, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	r := &run{Config: config}
	if c, ok := config.Source.(Classified); ok {
		r.judge = c.Judge
	}
	if r.addresses, err = resolve(ctx, config.Address); err != nil {
		return nil, err
	}
	engines, kind := with(r)
	if err := open(ctx, engines); err != nil {
		return nil, err
	}

	// Opening counts; what the connections did meanwhile is no part of the load.
	c := collector{run: r, engines: engines, total: newTally(), apart: kind == kindEpoll}
	started := time.Now()
	c.begin(started)
	if config.Begun != nil {
		config.Begun(started)
	}
	done := make(chan struct{})
	var playing sync.WaitGroup
	for _, e := range engines {
		playing.Go(func() { e.play(started) })
	}
	go func() {
		playing.Wait()
		close(done)
	}()
	interrupted := c.collect(ctx, done)
	return c.result(kind, interrupted), nil
}

// open opens the connections of all engines at once.
func open(ctx context.Context, engines []engine) error {
	errs := make([]error, len(engines))
	var opening sync.WaitGroup
	for i, e := range engines {
		opening.Go(func() { errs[i] = e.open(ctx) })
	}
	opening.Wait()
	err := ctx.Err()
	for _, e := range errs {
		if err == nil {
			err = e
		}
	}
	if err != nil {
		for _, e := range engines {
			e.drop()
		}
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}

// resolve looks up where the target is.
func resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: Address: %w", ErrConfig, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("%w: Address: port must be 1 to 65535", ErrConfig)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	addresses := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addresses[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return addresses, nil
}

// arrivals gives one engine its share of a schedule: each of some engines takes
// the requests whose number leaves its own when divided by how many they are.
type arrivals struct {
	from      *pace.Arrivals
	own, many int64

	n     int64         // the next request
	due   time.Duration // when it is due
	ended bool
}

func (c *Config) arrivals(own, many int) *arrivals {
	a := &arrivals{from: c.Schedule.Arrivals(), own: int64(own), many: int64(many)}
	a.next()
	return a
}

func (a *arrivals) next() {
	for {
		n, due, ok := a.from.Next()
		if !ok {
			// Behind all requests, so that whoever is at one is not at the end.
			a.n, a.ended = math.MaxInt64, true
			return
		}
		if n%a.many == a.own {
			a.n, a.due = n, due
			return
		}
	}
}

// share is how many of n things the own-th of many engines has.
func share(n, own, many int) int { return (n + many - 1 - own) / many }
