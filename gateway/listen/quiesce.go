package listen

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	// quiet is how long nothing may have come before a socket is closed. It
	// covers the round trip of a handshake under way.
	quiet = 200 * time.Millisecond
	// quietBound is when it is closed at the latest: a client whose SYN was
	// dropped sends it again after one second (RFC 6298 section 2).
	quietBound = 900 * time.Millisecond
	// quietTick is how often Quiesce looks.
	quietTick = 5 * time.Millisecond
)

// Quiesce closes the listener so that no connection is lost to another process
// that listens on the same address, or is about to. Closing a socket alone
// resets what waits in its queue, and handshakes under way. So first, where the
// port is shared ([ListenerConfig.ReusePort]), new ones are held off: their SYN
// is dropped, and sent again by the client's system about a second later, when
// only the other process is left to answer. Then what had begun is accepted; the
// socket is closed when nothing has come for 200 ms, after 900 ms at the latest,
// or when ctx ends. Somebody must be calling Accept meanwhile.
//
// A port of one process is closed as soon as its queue is empty: a balancer
// learns from a refusal at once that it has to look elsewhere. A socket that the
// service manager passed is closed at once: the manager's copy keeps its queue
// for the next process.
//
// After an error, [ErrFilter] or that of Close, the listener is closed
// nevertheless.
func (l *Listener) Quiesce(ctx context.Context) error {
	return l.quiesce(ctx, quiet, quietBound)
}

func (l *Listener) quiesce(ctx context.Context, quiet, bound time.Duration) error {
	raw := l.rawSocket()
	if l.cfg.Inherited != "" || raw == nil {
		return l.Close()
	}
	if !l.cfg.ReusePort {
		quiet = 0
	} else if err := holdOff(raw); err != nil {
		_ = l.Close()
		return fmt.Errorf("%w: %w", ErrFilter, err)
	}
	limit := time.NewTimer(bound)
	defer limit.Stop()
	tick := time.NewTicker(quietTick)
	defer tick.Stop()
	accepted, since := l.accepted.Load(), time.Now()
	for waiting(raw) > 0 || time.Since(since) < quiet {
		select {
		case <-tick.C:
		case <-limit.C:
			return l.Close()
		case <-ctx.Done():
			return l.Close()
		}
		if n := l.accepted.Load(); n != accepted || waiting(raw) > 0 {
			accepted, since = n, time.Now()
		}
	}
	return l.Close()
}

func (l *Listener) rawSocket() syscall.RawConn {
	if _, tcp := l.socket.(*net.TCPListener); !tcp {
		return nil
	}
	raw, err := l.socket.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
