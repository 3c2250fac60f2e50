package listen

import "time"

// Refusal is why a connection was closed before it was served.
type Refusal uint8

// The reasons, in the order of their names.
const (
	// RefusedTotal: as many connections are open as may be.
	RefusedTotal Refusal = iota
	// RefusedSource: its source has as many open as it may.
	RefusedSource
	// RefusedProxyHeader: a peer that must say whose connection it passes on
	// did not, or not well-formed, or not in time.
	RefusedProxyHeader
	refusals
)

var refusalNames = [refusals]string{"total", "source", "proxy_header"}

// String returns the reason's stable code.
func (r Refusal) String() string { return refusalNames[r] }

// Stats is what a [Registry] has counted since it was made.
type Stats struct {
	// Open is the number of open connections; Parked of them are waited for
	// without a server's buffers.
	Open, Parked int64
	// Sources is the number of sources with an open connection, zero where
	// they are not bounded.
	Sources int
	// Accepted counts connections taken from the sockets, refused ones
	// included; Resumed counts returns from parking.
	Accepted, Resumed uint64
	// Refused counts by [Refusal].
	Refused [refusals]uint64
}

// Stats reads the counters.
func (r *Registry) Stats() Stats {
	s := Stats{
		Open: r.open.Load(), Parked: r.parked.Load(), Sources: r.sources.held(),
		Accepted: r.accepted.Load(), Resumed: r.resumed.Load(),
	}
	for i := range s.Refused {
		s.Refused[i] = r.refused[i].Load()
	}
	return s
}

// ListenerStats is what one [Listener] has counted since it was made.
type ListenerStats struct {
	// AcceptErrors counts failures to take a connection from the socket, for
	// want of files or memory.
	AcceptErrors uint64
	// HandshakeFailures counts failed TLS handshakes by [HandshakeFault].
	HandshakeFailures [handshakeFaults]uint64
	// ReloadFailures counts reloads that found a file of no use.
	ReloadFailures uint64
	// NotAfter is when each certificate expires, in configured order.
	NotAfter []time.Time
}

// Stats reads the counters.
func (l *Listener) Stats() ListenerStats {
	s := ListenerStats{AcceptErrors: l.acceptErrors.Load()}
	if l.tls == nil {
		return s
	}
	for i := range s.HandshakeFailures {
		s.HandshakeFailures[i] = l.tls.failures[i].Load()
	}
	s.ReloadFailures = l.tls.reloadFailures.Load()
	s.NotAfter = l.tls.notAfter()
	return s
}
