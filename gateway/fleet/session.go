package fleet

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const (
	// purgeEvery is also how often it is looked whether Redis is what it was when the session began.
	purgeEvery = 10 * time.Second
	purgeAgain = 100 * time.Millisecond
	purgeLimit = 1000
	// insistEvery is the pause after which Redis is offered again what it had no room for.
	insistEvery = time.Second
)

// errOutboxDamaged means that the outbox was found damaged while it was forwarded.
var errOutboxDamaged = fmt.Errorf("%w: frame of the outbox", ErrDamaged)

// session is a connection with Redis, from the look at what is there to the first fault. A client belongs to one
// session, so no call of it reaches a Redis that was not looked at, but for one that starts anew meanwhile.
type session struct {
	*server
	fleet *Fleet
	// fail ends the session.
	fail  context.CancelCauseFunc
	epoch string
	life  generation
	plan  plan
	// offered says that nothing is left to be offered.
	offered atomic.Bool
	// clock is Redis's clock less the time since opened.
	clock  time.Duration
	opened time.Time
}

// session connects and takes part until something fails or ctx is done.
func (f *Fleet) session(ctx context.Context) error {
	client, err := f.cfg.Redis.dial()
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // Closed twice, by whoever comes first.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &session{
		fleet: f, fail: cancel,
		server: &server{
			client: client, keys: keysUnder(f.cfg.Prefix), secret: string(f.id.secret[:]), timeout: f.cfg.Redis.Timeout,
		},
	}
	start, err := s.begin(ctx)
	if errors.Is(err, ErrSecret) || errors.Is(err, ErrVersion) {
		f.refused.Store(&err)
	}
	if err != nil {
		return err
	}
	f.refused.Store(nil)
	f.before = true
	f.counts.sessions.Add(1)
	f.counts.fault.Store(int64(ReasonNone))
	f.cfg.Log.Info("fleet: connected", "compare", s.plan.cause.String())

	group, within := errgroup.WithContext(ctx)
	// A read that waits notices only that its connection is closed.
	stop := context.AfterFunc(within, func() { _ = client.Close() })
	defer stop()
	f.current.Store(s)
	follower := &follower{session: s, at: start, lacks: s.plan.read}
	group.Go(func() error { return follower.run(within) })
	group.Go(func() error { return s.offer(within) })
	group.Go(func() error { return s.forward(within) })
	group.Go(func() error { return s.keepHouse(within) })
	err = group.Wait()
	// From here on no append of this session is acknowledged any more: the next session looks at what was.
	f.current.Store(nil)
	f.caughtUp.Store(false)
	f.debt = plan{read: follower.lacks, offer: !s.offered.Load(), cause: s.plan.cause}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// begin looks at what is there and decides what is to be done. It returns from where to follow.
func (s *session) begin(ctx context.Context) (mark, error) {
	f := s.fleet
	var err error
	if s.life, err = s.info(ctx); err != nil {
		return mark{}, err
	}
	st, err := s.open(ctx, newEpoch())
	if err != nil {
		return mark{}, err
	}
	s.opened, s.clock, s.epoch = time.Now(), st.now, st.epoch
	here := found{epoch: st.epoch, life: s.life, end: st.end, first: !f.before}
	if f.known.epoch == st.epoch && f.known.life != s.life {
		if here.anchored, err = s.holds(ctx, f.anchor()); err != nil {
			return mark{}, err
		}
	}
	s.plan = decide(f.known, here)
	if s.plan.read && s.plan.offer {
		f.forgetAppended()
	}
	if s.plan.cause != CauseNone {
		f.counts.resyncs[s.plan.cause].Add(1)
	} else {
		s.plan.cause = f.debt.cause
	}
	s.plan.read = s.plan.read || f.debt.read
	s.plan.offer = s.plan.offer || f.debt.offer
	if !s.plan.read && !s.plan.offer {
		s.plan.cause = CauseNone
	}
	s.offered.Store(!s.plan.offer)
	return f.known.at, nil
}

// send appends a message. A nil error means that it is there, and that the next session will notice if it is lost.
func (s *session) send(ctx context.Context, message []byte, node string) error {
	m, err := s.append(ctx, s.epoch, message, limits{s.fleet.cfg.StreamEntries, s.fleet.cfg.StreamAge}, node)
	if err != nil {
		if ctx.Err() == nil && !answers(err) {
			s.fail(err)
		}
		return err
	}
	s.fleet.note(m)
	if s.fleet.current.Load() != s {
		return fmt.Errorf("%w: the session ended", ErrAway)
	}
	return nil
}

// insist is send for what can wait: as long as Redis answers that it will not, the session goes on, and so does
// following.
func (s *session) insist(ctx context.Context, message []byte, node string) error {
	for {
		err := s.send(ctx, message, node)
		if err == nil || !answers(err) {
			return err
		}
		s.fleet.counts.errors[reason(err)].Add(1)
		timer := time.NewTimer(insistEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// answers reports whether Redis is there, all the same, or was not asked, and the session may go on.
func answers(err error) bool {
	r := reason(err)
	return r == ReasonMemory || r == ReasonServer || errors.Is(err, redis.ErrPoolTimeout)
}

// offer puts all that the node holds into the state, and on the stream what was not there, at a bounded rate.
func (s *session) offer(ctx context.Context) error {
	if s.offered.Load() {
		return nil
	}
	f := s.fleet
	// An empty message tells the others that this node is about to, so that they wait for it.
	if err := s.insist(ctx, f.id.encode(nil, nil), f.node); err != nil {
		return err
	}
	limit := f.pace()
	page := make([]revocation.Record, 0, maxRecords)
	var message []byte
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		if err := wait(ctx, limit, len(page)); err != nil {
			return err
		}
		message = f.id.encode(message[:0], page)
		if err := s.insist(ctx, message, f.node); err != nil {
			return err
		}
		f.counts.offered.Add(uint64(len(page)))
		page = page[:0]
		return nil
	}
	for r := range f.cfg.Records() {
		if page = append(page, r); len(page) == maxRecords {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := s.uploaded(ctx, f.node); err != nil {
		return err
	}
	s.offered.Store(true)
	f.cfg.Log.Info("fleet: offered all that this node holds", "cause", s.plan.cause.String())
	return nil
}

// pace is how fast a full comparison may be.
func (f *Fleet) pace() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(f.cfg.CompareRate), maxRecords)
}

// wait lets n records through.
func wait(ctx context.Context, limit *rate.Limiter, n int) error {
	for ; n > 0; n -= maxRecords {
		if limit.WaitN(ctx, min(n, maxRecords)) != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// forward puts what waits in the outbox on the stream, in its order.
func (s *session) forward(ctx context.Context) error {
	o := s.fleet.outbox
	for {
		message, records, err := o.head()
		switch {
		case err != nil && !errors.Is(err, ErrOutbox):
			return errOutboxDamaged
		case err != nil:
			return err
		case message == nil:
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-o.filled:
			}
			continue
		}
		if err := s.insist(ctx, message, ""); err != nil {
			return err
		}
		o.pop(message, records)
		s.fleet.counts.forwarded.Add(uint64(records))
	}
}

// keepHouse takes records that are past out of the state while nobody appends, and looks whether keys were removed or
// Redis configured to remove them.
func (s *session) keepHouse(ctx context.Context) error {
	pause := purgeEvery/2 + mathrand.N(purgeEvery) // Not all nodes at once.
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
		if err := s.same(ctx); err != nil {
			return err
		}
		n, err := s.purge(ctx, purgeLimit)
		if err != nil && !answers(err) {
			return err
		}
		if pause = purgeEvery; n == purgeLimit {
			pause = purgeAgain
		}
	}
}

// same fails if Redis is not any more what it was when the session began.
func (s *session) same(ctx context.Context) error {
	life, err := s.info(ctx)
	if err != nil {
		return err
	}
	st, err := s.open(ctx, newEpoch())
	if err != nil {
		return err
	}
	if st.epoch != s.epoch || life != s.life {
		return errEpoch
	}
	return nil
}
