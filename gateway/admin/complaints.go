package admin

import (
	"bytes"
	"log"
	"log/slog"

	"golang.org/x/time/rate"
)

// complaints bounds what the HTTP server writes of itself: anybody who reaches the
// listener can have a TLS handshake fail.
type complaints struct {
	log     *slog.Logger
	allowed *rate.Limiter
}

func newComplaints(to *slog.Logger) *log.Logger {
	return log.New(&complaints{to, rate.NewLimiter(auditPerSecond, auditBurst)}, "", 0)
}

// Write takes one line.
func (c *complaints) Write(line []byte) (int, error) {
	if c.allowed.Allow() {
		c.log.Warn("admin listener", "error", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}
