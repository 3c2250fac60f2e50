package stand

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// SlowUpstream has the upstream of a site, or of every site where site is "", answer after delay; 0 ends that. Requests
// that it is answering are not slowed.
func (s *Stand) SlowUpstream(site string, delay time.Duration) error {
	found := false
	for i := range s.layout.Sites {
		if site == "" || site == s.layout.Sites[i].Name {
			s.upstreams[i].delay.Store(int64(delay))
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%w: the corpus has no site %q", ErrOrder, site)
	}
	return nil
}

// Served returns how many requests reached the upstreams so far.
func (s *Stand) Served() (n int64) {
	for _, u := range s.upstreams {
		n += u.served.Load()
	}
	return n
}

// Revoke revokes tokens at every replica. When it returns nil, all are in force.
func (s *Stand) Revoke(ctx context.Context, revocations ...Revocation) error {
	return each(s.Admins(), func(a Admin) error { return a.Revoke(ctx, revocations...) })
}

// Flood revokes tokens that nobody has, so many a second, at every one of some gateways, until ctx is done or it has
// lasted so long, and a last call more. It returns how many every gateway took.
func Flood(ctx context.Context, gateways []Admin, issuer string, perSecond float64, lasting time.Duration) (revoked int64, err error) {
	const calls = 10 // a second
	tick := time.NewTicker(time.Second / calls)
	defer tick.Stop()
	end := time.NewTimer(lasting)
	defer end.Stop()
	begin := time.Now()
	for last := false; !last; {
		elapsed := lasting
		select {
		case <-ctx.Done():
			return revoked, nil
		case now := <-tick.C:
			elapsed = min(now.Sub(begin), lasting)
		case <-end.C:
			last = true
		}
		// What a slow gateway made late is made up for, up to the bound of a call.
		due := int64(perSecond*elapsed.Seconds()) - revoked
		batch := make([]Revocation, min(max(due, 0), MaxRevocations))
		if len(batch) == 0 {
			continue
		}
		for i := range batch {
			batch[i] = Revocation{Issuer: issuer, ID: rand.Text()}
		}
		err := each(gateways, func(a Admin) error { return a.Revoke(ctx, batch...) })
		if ctx.Err() != nil {
			return revoked, nil // The call was cut, not refused.
		}
		if err != nil {
			return revoked, err
		}
		revoked += int64(len(batch))
	}
	return revoked, nil
}

// each calls all gateways at once.
func each(gateways []Admin, call func(Admin) error) error {
	errs := make([]error, len(gateways))
	var calls sync.WaitGroup
	for i, a := range gateways {
		calls.Go(func() { errs[i] = call(a) })
	}
	calls.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}
