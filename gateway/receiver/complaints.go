package receiver

import (
	"bytes"
	"log"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

const (
	// What net/http says of connections is logged within these bounds; the next
	// line says how many were left out.
	complaintsPerSecond = 1
	complaintsBurst     = 10
)

// complaints takes the lines of a net/http server's error log. Anybody who
// reaches the listener can cause them, so they are bounded in number.
type complaints struct {
	log     *slog.Logger
	counts  *counts
	limit   *rate.Limiter
	omitted atomic.Uint64
}

func newComplaints(to *slog.Logger, counts *counts) *log.Logger {
	return log.New(&complaints{
		log: to, counts: counts, limit: rate.NewLimiter(complaintsPerSecond, complaintsBurst),
	}, "", 0)
}

// handshakePrefix is how net/http's line about a failed handshake begins. It
// tells the client's address and what crypto/tls found, and nothing that was
// sent.
var handshakePrefix = []byte("http: TLS handshake error from ")

func (c *complaints) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, handshakePrefix) {
		c.counts.handshakes.Add(1)
	} else {
		c.counts.complaints.Add(1)
	}
	if !c.limit.Allow() {
		c.omitted.Add(1)
		return len(line), nil
	}
	c.log.Warn("receiver: connection failed",
		"error", string(bytes.TrimSpace(line)), "omitted", c.omitted.Swap(0))
	return len(line), nil
}
