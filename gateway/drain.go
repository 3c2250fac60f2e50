package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
)

// ErrCutOff means that requests were still in flight when shutdown.deadline
// had passed.
var ErrCutOff = errors.New("requests were cut off: they did not end within shutdown.deadline")

// adminGrace is how long the servers wait once nothing is left to wait for but
// answers of the admin listener.
const adminGrace = time.Second

// drainTime is how long a drain may take in all.
func (g *Gateway) drainTime() time.Duration {
	shutdown := &g.state.Load().cfg.Shutdown
	return *shutdown.Delay + *shutdown.Deadline
}

// Shutdown drains: readiness fails first; for the configured delay requests are
// still served, each on a connection that closes after it; then the listeners
// close, idle connections, tunnels and event streams with them, and requests in
// flight have until ctx ends. Where some were cut off it returns ErrCutOff.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.draining.Store(true)
	shutdown := g.state.Load().cfg.Shutdown
	g.log.Info("draining", "delay", shutdown.Delay.String(), "deadline", shutdown.Deadline.String())
	select {
	case <-time.After(*shutdown.Delay):
	case <-ctx.Done():
	}
	g.quiesce(ctx)
	g.conns.CloseIdle()
	// Tunnels never end by themselves; their clients are to come back elsewhere.
	err := g.tunnels.CloseAll(ctx)
	if err == nil {
		err = g.conns.Wait(ctx)
	}
	if err != nil {
		g.log.Warn("requests cut off at the deadline", "connections", g.conns.Stats().Open)
		g.conns.CloseAll()
		err = fmt.Errorf("%w: %s", ErrCutOff, *shutdown.Deadline)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminGrace)
	defer cancel()
	// Only now: fasthttp closes what is silent for a millisecond, in the middle
	// of what a client sends.
	_ = g.server.ShutdownWithContext(last)
	if g.receiver != nil {
		_ = g.receiver.Shutdown(last)
	}
	// The admin listener goes last, so that the drain can be watched; what
	// still runs there (a profile) is not waited for.
	_ = g.admin.Shutdown(last)
	g.close()
	g.log.Info("stopped")
	return err
}

// quiesce closes the listeners without losing a connection to a gateway that
// listens on the same address.
func (g *Gateway) quiesce(ctx context.Context) {
	var closing sync.WaitGroup
	for _, l := range g.dataListeners() {
		if l == nil {
			continue
		}
		closing.Go(func() {
			if err := l.Quiesce(ctx); err != nil {
				g.log.Warn("listener closed at once", "address", l.Addr().String(), "error", err.Error())
			}
		})
	}
	closing.Wait()
}

// close ends what runs in the background and waits for it, as for requests that
// were cut off: the caches go last.
func (g *Gateway) close() {
	g.stop()
	g.reloading.Lock() // a reload that has begun gives up, and none comes after it
	defer g.reloading.Unlock()
	st := g.state.Load()
	for deadline := time.Now().Add(cutOffGrace); !st.users.gone() && time.Now().Before(deadline); {
		time.Sleep(waitTick)
	}
	g.verifications.Close()
	if g.receiver != nil {
		_ = g.receiver.Shutdown(g.base) // at once, where it still runs
	}
	st.closeBut(nil)
	g.running.Wait()
	g.closeCaches()
	if err := g.closeRevocations(); err != nil {
		g.log.Error("revocations not closed in order", "error", err.Error())
	}
}

// cutOffGrace is how long handlers whose connection was closed have to return.
const cutOffGrace = 2 * time.Second

func (g *Gateway) closeCaches() {
	for _, c := range []*cache.Verdicts{g.verdicts, g.refused} {
		if c != nil {
			c.Close()
		}
	}
}
