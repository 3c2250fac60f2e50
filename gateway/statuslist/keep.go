package statuslist

import (
	"errors"
	"math/rand/v2"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

const (
	// firstRetry is the mean wait after a first failed fetch. It doubles until it reaches lastRetry: a backend that is
	// back is noticed within that time.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// jitter spreads the fetches of a fleet that started at one moment. Waits only become shorter: ttl is the longest
	// that a list should be used for.
	jitter = 0.1
)

// keep fetches a list when it is asked for or due, again and again, until it is idle or the lists are closed.
func (l *Lists) keep(li *list) {
	defer l.drop(li)
	retry := firstRetry
	for due := l.untilDue(li); ; {
		if !l.sleep(li, due) {
			return
		}
		f := li.takeOff()
		err := l.fetch(li)
		now := l.cfg.Now()
		li.land(f, err, now)
		if l.base.Err() != nil {
			return
		}
		due = retry
		if err == nil {
			due, retry = l.untilDue(li), firstRetry
		} else {
			retry = min(2*retry, lastRetry)
		}
	}
}

// untilDue is how long the list need not be fetched for.
func (l *Lists) untilDue(li *list) time.Duration {
	e := li.current.Load()
	if e == nil {
		return 0
	}
	return e.due.Sub(l.cfg.Now())
}

// sleep waits until the list is due in d, or asked for. It reports false when the list is not to be kept any longer.
func (l *Lists) sleep(li *list, d time.Duration) bool {
	timer := time.NewTimer(time.Duration(float64(d) * (1 - jitter*rand.Float64())))
	defer timer.Stop()
	for li.flight.Load() == nil {
		select {
		case <-l.base.Done():
			return false
		case <-timer.C:
			return !li.idle(l.cfg.IdleAfter, l.cfg.Now())
		case <-li.wake: // by who made a flight, which may be over
		}
	}
	return l.base.Err() == nil
}

// fetch brings the next edition of a list, and says what became of it.
func (l *Lists) fetch(li *list) error {
	var changed bool
	document, err := l.get(li.uri)
	if err == nil {
		giveBack, ok := l.cfg.Memory.turn(l.base)
		if !ok {
			return l.base.Err()
		}
		err = l.recovered(func() (err error) {
			changed, err = l.take(li, document.Body)
			return err
		})
		giveBack()
	}
	if err != nil && l.base.Err() != nil {
		return err
	}
	l.report(li, changed, err)
	return err
}

// get fetches a list within the budget and the bounds.
func (l *Lists) get(uri string) (identity.Document, error) {
	if !l.budget.Allow() {
		l.counters.delayed.Add(1)
		if err := l.budget.Wait(l.base); err != nil {
			return identity.Document{}, err
		}
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-l.base.Done():
		return identity.Document{}, l.base.Err()
	}
	var (
		document identity.Document
		fault    error
	)
	err := l.cfg.Breaker.Do(func() error {
		return l.recovered(func() error {
			document, fault = l.cfg.Fetcher.GetType(l.base, uri, MediaType, func(next *url.URL) bool {
				return l.covered.cover(next.String())
			})
			if ofTheList(fault) {
				return nil
			}
			return fault
		})
	})
	if err != nil {
		return identity.Document{}, err
	}
	return document, fault
}

// ofTheList reports whether a failed fetch is about that list, and not about the backend as a whole: an issuer that
// retires one list must not have the others left alone.
func ofTheList(err error) bool {
	return errors.Is(err, identity.ErrAbsent) || errors.Is(err, identity.ErrTooLarge) ||
		errors.Is(err, identity.ErrMalformed) || errors.Is(err, identity.ErrRedirect)
}

// take reads a list that was fetched, and makes it the current edition.
func (l *Lists) take(li *list, document []byte) (changed bool, err error) {
	now := l.cfg.Now()
	s, err := l.cfg.Verifier.Statement(document, l.cfg.Keys, l.rules, now)
	if err != nil {
		return false, err
	}
	c, err := contentsOf(&s, li.uri)
	if err != nil {
		return false, err
	}
	before := li.current.Load()
	var data []byte
	if before != nil {
		// Who can replay what the issuer once signed must not undo what it has signed since. Unless its key is withdrawn:
		// then it may be another who signed it.
		if s.IssuedAt < before.issued && !before.key.Withdrawn() {
			return false, ErrOlder
		}
		data = before.data
	}
	size, same, err := c.list.measure(l.cfg.MaxListBytes, data)
	if err != nil {
		return false, err
	}
	if !same {
		if !l.cfg.Memory.reserve(size) {
			return false, ErrMemory
		}
		if data, err = c.list.unpack(size); err != nil {
			l.cfg.Memory.release(size)
			return false, err
		}
	}
	li.current.Store(&edition{
		bits: c.bits, data: data, key: s.Key, fetched: now, issued: s.IssuedAt, expires: s.ExpiresAt,
		due: now.Add(l.cfg.wait(c.ttl, s.ExpiresAt, now)),
	})
	if !same && before != nil {
		l.cfg.Memory.release(int64(len(before.data)))
	}
	return before == nil || !same || before.bits != c.bits, nil
}

// recovered makes a call in a goroutine that nobody else guards: its panic would end the process.
func (l *Lists) recovered(call func() error) (err error) {
	defer func() {
		if recover() == nil {
			return
		}
		err = ErrPanic
		if l.cfg.OnPanic != nil {
			// The value may hold anything of a list: only its place is told.
			l.cfg.OnPanic(debug.Stack())
		}
	}()
	return call()
}
