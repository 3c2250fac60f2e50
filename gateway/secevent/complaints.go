package secevent

import (
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// What is wrong with tokens is logged within these bounds, for anybody may send some; the next line says how many were
// left out.
const (
	complaintsPerSecond = 1
	complaintsBurst     = 10
)

type complaints struct {
	log     *slog.Logger
	limit   *rate.Limiter
	omitted atomic.Uint64
}

func newComplaints(log *slog.Logger) *complaints {
	return &complaints{log: log, limit: rate.NewLimiter(complaintsPerSecond, complaintsBurst)}
}

func (c *complaints) tell(message string, args ...any) {
	if !c.limit.Allow() {
		c.omitted.Add(1)
		return
	}
	c.log.Warn(message, append(args, "omitted", c.omitted.Swap(0))...)
}
