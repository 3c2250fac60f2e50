package receiver

import (
	"sync/atomic"
	"time"
)

// Outcome is what became of a request.
type Outcome uint8

// The outcomes. Their names are fit for metric labels.
const (
	// Handled: a route's handler answered. What it answered is for its own
	// package to count.
	Handled Outcome = iota
	// NotFound: no route has the path.
	NotFound
	// WrongMethod: not a POST.
	WrongMethod
	// TooLarge: the body was announced to be too long.
	TooLarge
	// Overloaded: too many requests at a time.
	Overloaded
	// Panicked: the handler panicked.
	Panicked

	outcomes
)

var outcomeNames = [outcomes]string{"handled", "not_found", "wrong_method", "too_large", "overloaded", "panicked"}

// String returns the outcome's name.
func (o Outcome) String() string { return outcomeNames[o] }

// Outcomes returns all outcomes in their order.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomes)
	for o := range all {
		all[o] = Outcome(o)
	}
	return all
}

type counts struct {
	outcomes   [outcomes]atomic.Uint64
	handshakes atomic.Uint64
	complaints atomic.Uint64
}

// Stats is a snapshot of a server's counters.
type Stats struct {
	// Requests counts requests, by outcome.
	Requests [outcomes]uint64
	// InFlight is how many requests handlers are answering now.
	InFlight int
	// HandshakeFailures counts connections that ended in their TLS handshake: a
	// client without the right certificate, or one that speaks no TLS.
	HandshakeFailures uint64
	// Complaints counts what else net/http had to say about a connection.
	Complaints uint64
	// NotAfter is when the first of the certificates expires; zero without TLS.
	NotAfter time.Time
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	st := Stats{
		InFlight:          len(s.slots),
		HandshakeFailures: s.counts.handshakes.Load(),
		Complaints:        s.counts.complaints.Load(),
	}
	for o := range st.Requests {
		st.Requests[o] = s.counts.outcomes[o].Load()
	}
	if s.tls != nil {
		for _, at := range s.tls.NotAfter() {
			if st.NotAfter.IsZero() || at.Before(st.NotAfter) {
				st.NotAfter = at
			}
		}
	}
	return st
}
