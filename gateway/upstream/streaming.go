package upstream

import (
	"bytes"
	"time"
)

// Streaming says what is special about the exchanges of a site that last. It is
// not changed once requests use it; they may share it. The zero value, and nil,
// upgrade nothing and ask for no rate.
type Streaming struct {
	// Upgrades are the protocols that a client may change to, in the spelling in
	// which upstreams are to see them. HTTP in another version is none, whatever
	// stands here: what came over it would pass unchecked.
	Upgrades []string
	// Tunnels counts and bounds what was upgraded, and can end it and streams of
	// server-sent events. Required with Upgrades; without it a stream of events
	// ends by itself alone.
	Tunnels *Tunnels
	// TunnelIdle bounds how long neither side of a tunnel sends anything.
	// Required with Upgrades.
	TunnelIdle time.Duration
	// RequestRate is the least rate at which a client's body has to come. What
	// fasthttp reads before its handler, up to 8 KiB, has only the server's
	// ReadTimeout.
	RequestRate Rate
	// ResponseRate is the least rate at which a client has to take a streamed
	// response. What the system buffers for a connection counts as taken.
	ResponseRate Rate
}

func (s *Streaming) requestRate() Rate {
	if s == nil {
		return Rate{}
	}
	return s.RequestRate
}

func (s *Streaming) responseRate() Rate {
	if s == nil {
		return Rate{}
	}
	return s.ResponseRate
}

// isEvents tells a stream of server-sent events, which ends never or when its
// credential does, from a body that ends by itself.
func isEvents(contentType []byte) bool {
	const events = "text/event-stream"
	essence, _, _ := bytes.Cut(contentType, []byte(";"))
	return bytes.EqualFold(bytes.TrimSpace(essence), []byte(events))
}
