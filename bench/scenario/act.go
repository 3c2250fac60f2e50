package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// endPatience bounds how long the end of an action may take, which comes whether or not the run was ended early.
const endPatience = 30 * time.Second

// actors do what a scenario says, each action in a goroutine of its own.
type actors struct {
	scenario *Scenario
	hands    Hands
	course   *course
	issuer   string // the first one's iss
	// issuerName is what the corpus calls it.
	issuerName string
	revoke     [][]stand.Revocation
	refused    []*ruling                     // what revoked tokens get
	rotated    []corpus.JWK                  // the public half of each action's new key
	undo       []func(context.Context) error // what is to be undone after the load, nil for nothing

	results []ActionResult
	running sync.WaitGroup
}

// start has the actions wait for their times. After ctx is done none begins, and those that have begun end.
func (a *actors) start(ctx context.Context) {
	a.results = make([]ActionResult, len(a.scenario.Actions))
	for i := range a.scenario.Actions {
		action := &a.scenario.Actions[i]
		a.results[i] = ActionResult{Name: action.Name, Do: action.Do, AtSeconds: action.At.Seconds()}
		a.running.Go(func() {
			select {
			case <-a.course.started:
				a.act(ctx, i)
			case <-ctx.Done():
			}
		})
	}
}

// wait returns what came of the actions, when all have ended, and what is left of them is undone.
func (a *actors) wait(ctx context.Context) []ActionResult {
	a.running.Wait()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	for i, undo := range a.undo {
		if undo == nil {
			continue
		}
		// What failed before has a reason of its own, and may have left nothing to undo.
		if err := undo(ending); err != nil && a.results[i].Done {
			a.results[i].Done, a.results[i].Error = false, fmt.Errorf("%w: %w", ErrAction, err).Error()
		}
	}
	for i, r := range a.refused {
		if r != nil {
			a.results[i].RefusedRequests = r.taken.Load()
		}
	}
	return a.results
}

// act does one action, from its beginning to its end.
func (a *actors) act(ctx context.Context, i int) {
	action, h, result := &a.scenario.Actions[i], &a.course.moments[i], &a.results[i]
	if action.Do == DoCutover {
		// It comes by itself.
		at := a.course.at(a.hands.Cutover)
		h.beginLo.Store(int64(at - action.Tolerance))
		h.beginHi.Store(int64(at + action.Tolerance))
		h.endLo.Store(int64(at - action.Tolerance))
		h.endHi.Store(int64(at + action.Tolerance))
		result.BeganSeconds, result.EndedSeconds, result.Done = at.Seconds(), at.Seconds(), true
		return
	}
	if !sleep(ctx, action.At-a.course.now()) {
		result.Error = "the load ended before"
		return
	}
	began := a.course.now()
	h.beginLo.Store(int64(began))
	result.BeganSeconds = began.Seconds()
	err := a.begin(ctx, i)
	if err == nil {
		// What failed may have happened, or a part of it; it never certainly did.
		h.beginHi.Store(int64(a.course.now()))
	}
	if action.For > 0 && err == nil && action.Do != DoRevokeFlood {
		sleep(ctx, began+action.For-a.course.now())
	}
	h.endLo.Store(int64(a.course.now()))
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	undone := a.end(ending, action)
	if undone == nil {
		h.endHi.Store(int64(a.course.now()))
	}
	err = errors.Join(err, undone)
	result.EndedSeconds = a.course.now().Seconds()
	if err != nil {
		result.Error = fmt.Errorf("%w: %w", ErrAction, err).Error()
		return
	}
	result.Done = true
}

// begin does what an action begins with, or all of it.
func (a *actors) begin(ctx context.Context, i int) error {
	switch action := &a.scenario.Actions[i]; action.Do {
	case DoIssuerFault:
		order := url.Values{"kind": {action.Kind}}
		if action.Delay > 0 {
			order.Set("delay", action.Delay.String())
		}
		if action.Kind == "refuse" { // It has to say for how long, and is of all issuers of one address.
			order.Set("for", action.For.String())
			return a.firstIssuer().Fault(ctx, order)
		}
		return a.everyIssuer(ctx, order)
	case DoRotateKey:
		key, issuer := a.rotated[i], a.hands.Issuers[a.issuerName]
		a.undo[i] = func(ctx context.Context) error { return issuer.RemoveKey(ctx, key.ID) }
		return issuer.PublishKey(ctx, key)
	case DoRevokeTokens:
		a.results[i].Revoked = int64(len(a.revoke[i]))
		return a.revokeTokens(ctx, a.revoke[i])
	case DoRevokeFlood:
		revoked, err := stand.Flood(ctx, a.hands.Admins(), a.issuer, action.PerSecond, action.For)
		a.results[i].Revoked = revoked
		return err
	case DoSlowUpstream:
		return a.hands.Machines.SlowUpstream(action.Site, action.Delay)
	case DoRollingUpdate:
		// A restart that has begun is not cut: the others would be left with a gateway less.
		whole := context.WithoutCancel(ctx)
		for replica := range a.hands.Machines.Replicas() {
			if ctx.Err() != nil {
				return errors.New("the load ended before every replica was restarted")
			}
			if err := a.hands.Machines.Restart(whole, replica); err != nil {
				return err
			}
		}
	}
	return nil
}

// end ends what lasts.
func (a *actors) end(ctx context.Context, action *Action) error {
	switch {
	case action.Do == DoIssuerFault && action.Kind != "refuse":
		return a.everyIssuer(ctx, url.Values{"kind": {"none"}})
	case action.Do == DoSlowUpstream:
		return a.hands.Machines.SlowUpstream(action.Site, 0)
	}
	return nil
}

func (a *actors) firstIssuer() stand.Control {
	for _, control := range a.hands.Issuers {
		if first := control; first.URL != "" {
			return first
		}
	}
	return stand.Control{}
}

func (a *actors) everyIssuer(ctx context.Context, order url.Values) error {
	var errs []error
	for _, control := range a.hands.Issuers {
		errs = append(errs, control.Fault(ctx, order))
	}
	return errors.Join(errs...)
}

func (a *actors) revokeTokens(ctx context.Context, tokens []stand.Revocation) error {
	var errs []error
	for _, admin := range a.hands.Admins() {
		errs = append(errs, admin.Revoke(ctx, tokens...))
	}
	return errors.Join(errs...)
}

// sleep returns false where ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
