package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrCutOff means that requests were still in flight when shutdown.deadline
// had passed.
var ErrCutOff = errors.New("requests were cut off: they did not end within shutdown.deadline")

// adminGrace is how long the admin listener waits for answers under way.
const adminGrace = time.Second

// drainTime is how long a drain may take in all.
func (g *Gateway) drainTime() time.Duration {
	return *g.cfg.Shutdown.Delay + *g.cfg.Shutdown.Deadline
}

// Shutdown drains: readiness fails first; for the configured delay requests are
// still served, each on a connection that closes after it; then the listeners
// close, idle connections with them, and requests in flight have until ctx
// ends. Where some were cut off it returns ErrCutOff.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.draining.Store(true)
	g.log.Info("draining", "delay", g.cfg.Shutdown.Delay.String(), "deadline", g.cfg.Shutdown.Deadline.String())
	select {
	case <-time.After(*g.cfg.Shutdown.Delay):
	case <-ctx.Done():
	}
	err := g.server.ShutdownWithContext(ctx)
	for _, l := range g.listeners {
		// The server does not know one that it has not begun to serve.
		_ = l.Close()
	}
	if err == nil {
		// What streams to a client of HTTP/1.0 has left the server's hands.
		err = g.conns.wait(ctx)
	}
	if err != nil {
		g.log.Warn("requests cut off at the deadline", "connections", g.conns.open.Load())
		g.conns.closeAll()
		err = fmt.Errorf("%w: %s", ErrCutOff, *g.cfg.Shutdown.Deadline)
	}
	// The admin listener goes last, so that the drain can be watched; what
	// still runs there (a profile) is not waited for.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminGrace)
	defer cancel()
	_ = g.admin.Shutdown(last)
	g.close()
	g.running.Wait()
	g.log.Info("stopped")
	return err
}

func (g *Gateway) close() {
	g.stop()
	st := g.state.Load()
	for _, i := range st.issuers {
		if i.unknown != nil {
			i.unknown.Wait()
		}
		if i.introspections != nil {
			i.introspections.Close()
			i.asker.Close()
		}
	}
	for _, s := range st.sites {
		s.upstreams.Close()
	}
	st.verdicts.Close()
	st.refused.Close()
}
