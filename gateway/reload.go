package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

var (
	// ErrRestartNeeded means that a new configuration changes what a running
	// gateway cannot.
	ErrRestartNeeded = errors.New("cannot change while the gateway runs; restart it")
	// ErrDraining means that the gateway is on its way out.
	ErrDraining = errors.New("the gateway is draining")
)

// Reload reads the configuration again and puts it in force in one step:
// requests under way keep the one they began with. After an error nothing has
// changed. cause says who asked, for the log. What a client must wait for (the
// first keys of a new issuer) has happened when it returns.
func (g *Gateway) Reload(cause string) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	next, err := g.load()
	if err == nil {
		err = g.apply(next)
	}
	if err != nil {
		g.metrics.Reloaded(false, time.Now())
		log := g.log.With("cause", cause)
		if faults, ok := errors.AsType[*config.Faults](err); ok {
			// One line each, with its position.
			for line := range strings.SplitSeq(faults.Error(), "\n") {
				log.Error("configuration refused", "error", line)
			}
			return err
		}
		log.Error("configuration refused", "error", err.Error())
		return err
	}
	g.metrics.Reloaded(true, time.Now())
	g.log.Info("configuration reloaded", "cause", cause)
	for i, l := range g.dataListeners() {
		if l == nil {
			continue
		}
		if err := l.Reload(); err != nil {
			g.log.Error("certificate not reloaded; the one before stays", "listener", listenerName(&g.cfg.Listen[i], l), "error", err.Error())
		}
	}
	return nil
}

// apply puts next in force. The caller holds g.reloading.
func (g *Gateway) apply(next *config.Config) error {
	old := g.state.Load()
	if g.draining.Load() {
		return ErrDraining
	}
	if fields := old.cfg.NeedsRestart(next); len(fields) > 0 {
		return fmt.Errorf("%s: %w", strings.Join(fields, ", "), ErrRestartNeeded)
	}
	st, err := g.build(next, old)
	if err != nil {
		return err
	}
	err = g.firstKeys(st, old)
	if g.draining.Load() {
		err = ErrDraining
	}
	if err != nil {
		st.closeBut(old)
		g.forgetShares(st, old)
		return err
	}
	for _, w := range next.Warnings() {
		g.log.Warn("configuration", "warning", w.String())
	}
	if g.level != nil {
		var level slog.Level
		// The configuration was validated: an unknown name cannot come here.
		_ = level.UnmarshalText([]byte(next.Log.Level))
		g.level.Set(level)
	}
	g.swap(st, old)
	g.run(st, old)
	g.retired.Add(1)
	before, done := g.retiring, make(chan struct{})
	g.retiring = done
	g.running.Go(func() {
		defer close(done)
		g.retire(old, st, before)
	})
	return nil
}

// swap puts st in the place of old. Purges that were made since st was built are
// in st as well; from here on the keys are the new refreshers' alone.
func (g *Gateway) swap(st, old *state) {
	g.swapping.Lock()
	defer g.swapping.Unlock()
	for _, i := range st.issuers {
		if slices.Contains(old.issuers, i) {
			continue
		}
		if i.was != nil && i.keys != i.was.keys {
			i.keys.TakePurges(i.was.keys.Purged())
		}
		i.was = nil
	}
	// Not each predecessor: that of an issuer with the same source of keys may
	// still be in force.
	for _, was := range old.issuers {
		if was.refresher != nil && !slices.Contains(st.issuers, was) {
			was.refresher.Retire()
		}
	}
	g.state.Store(st)
	if g.receiver != nil {
		// The names of issuers make good paths.
		_ = g.receiver.SetRoutes(st.routes())
	}
	for _, i := range st.issuers {
		if i.refresher != nil {
			i.refresher.Commit()
		}
	}
}

// firstKeys fetches the keys of issuers that st has and old had not, so that
// none of their tokens is refused for want of them. An issuer that does not
// answer is a fault of the new configuration: the old one stays.
func (g *Gateway) firstKeys(st, old *state) error {
	faults := make([]error, len(st.issuers))
	var fetching sync.WaitGroup
	for n, i := range st.issuers {
		if i.refresher == nil || slices.Contains(old.issuers, i) || !i.keys.Snapshot().FetchedAt().IsZero() ||
			i.was != nil && i.was.keys == i.keys { // which has none either
			continue
		}
		fetching.Go(func() {
			ctx, cancel := context.WithTimeout(i.ctx, i.cfg.Backend.Timeout)
			defer cancel()
			if err := i.refresher.Refresh(ctx); err != nil {
				faults[n] = fmt.Errorf("issuer %s: its keys could not be fetched: %w", i.name, err)
			}
		})
	}
	fetching.Wait()
	return errors.Join(faults...)
}

// retire closes what old does not share with its successor as soon as no
// request uses it, and none uses the states before it, which may share that:
// before is closed then.
func (g *Gateway) retire(old, successor *state, before <-chan struct{}) {
	defer g.retired.Add(-1)
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for !old.users.gone() {
		select {
		case <-tick.C:
		case <-g.base.Done():
			old.closeBut(successor) // which is closed after it
			return
		}
	}
	if before != nil {
		<-before
	}
	old.closeBut(successor)
	g.swapping.Lock()
	defer g.swapping.Unlock()
	now := g.state.Load()
	g.forgetShares(old, successor)
	for _, s := range old.sites {
		if !slices.ContainsFunc(now.sites, func(n *site) bool { return n.name == s.name }) {
			g.metrics.ForgetSite(s.name)
		}
	}
}
