package upstream

import (
	"errors"
	"time"

	"github.com/valyala/fasthttp"
)

// attempt is what one exchange has tried so far.
type attempt struct {
	call  call
	pools []*Pool
	tried tried
	now   time.Duration
	sent  int
	dials int
	// pool is the address that was chosen last, at its index, lease the
	// permission to use it; avoid is 1 more than the index of one to use for want
	// of another only.
	pool      *Pool
	lease     lease
	at, avoid int
	// failed is the upstream that took no connection last.
	failed *member
}

// abandon ends a trial that a panic left without a result: nobody else could
// have one.
func (a *attempt) abandon() {
	if a.lease.trial != nil {
		a.pool.settle(&a.lease, neither)
	}
}

// take returns a connection to the address that is to be used next.
// The permission to use it is a.lease, which is to be settled.
func (g *Group) take(a *attempt, ctx *fasthttp.RequestCtx, now time.Time) (*conn, error) {
	var err error
	for range a.pools {
		if !a.call.until.IsZero() && !now.Before(a.call.until) {
			return nil, ErrTimeout
		}
		a.now = now.Sub(g.start)
		at, l, chooseErr := g.choose(a)
		if chooseErr != nil {
			return nil, worse(err, chooseErr)
		}
		p := a.pools[at]
		a.pool, a.at, a.lease = p, at, l
		if a.failed != nil {
			a.failed.passedOver.Add(1)
			a.failed = nil
		}
		if p.member.endpoint.SendProxy != 0 {
			a.call.from, a.call.to = ctx.RemoteAddr(), ctx.LocalAddr()
		}
		c, takeErr := p.take(&a.call, now)
		if takeErr == nil {
			// A body that streams has more to say later, but not for the trial.
			c.lease = lease{epoch: l.epoch}
			return c, nil
		}
		a.tried.add(at)
		err = worse(err, takeErr)
		switch {
		case errors.Is(takeErr, ErrTimeout):
			p.settle(&a.lease, neither)
			return nil, ErrTimeout
		case errors.Is(takeErr, ErrSaturated), errors.Is(takeErr, errLocal):
			p.settle(&a.lease, neither)
		default:
			p.settle(&a.lease, bad)
			a.failed = p.member
			if a.dials++; a.dials == maxDials {
				return nil, ErrUnreachable
			}
		}
		now = time.Now()
	}
	return nil, err
}

// worse returns which of two failures to take a connection is told: another
// upstream is worth trying again soon where one was only full.
func worse(before, now error) error {
	switch {
	case before == nil:
		return now
	case now == ErrSaturated: //nolint:errorlint // the sentinel itself
		return now
	}
	return before
}

// outcome tells what the end of an exchange, or of the head of a streamed
// response, says about its address.
func (g *Group) outcome(ctx *fasthttp.RequestCtx, err error, streams, trial bool) outcome {
	switch {
	case err == nil:
	case errors.Is(err, ErrTimeout), errors.Is(err, ErrClosed), errors.Is(err, ErrResponse):
		return bad
	default:
		return neither
	}
	status := ctx.Response.StatusCode()
	switch {
	case streams && status != fasthttp.StatusSwitchingProtocols:
		// Its body has yet to come, but not for the trial.
		if trial {
			return good
		}
		return neither
	case g.faulty(status):
		return unwell
	}
	return good
}

// faulty reports whether the status of a whole response is held against its
// address.
func (g *Group) faulty(status int) bool {
	return g.eject.GatewayErrors && status >= fasthttp.StatusBadGateway && status <= fasthttp.StatusGatewayTimeout
}
