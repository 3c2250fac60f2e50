package scenario

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// warmUpLimit bounds the time before a load in which its warm tokens are shown to the target.
const warmUpLimit = 30 * time.Second

// warmUp sends requests of the warm pool, as popular as they are, so that the load finds a target that has been running
// for long: WarmUp times as many as the corpus has warm tokens, as fast as the target takes them. How long they take is
// not measured; whether each got the right answer is.
func (s *Scenario) warmUp(ctx context.Context, o Options, src *source) (*attack.Result, error) {
	requests := int64(math.Ceil(float64(o.Corpus.Manifest.Pools.Warm) * s.Population.WarmUp))
	if requests == 0 {
		return &attack.Result{}, nil
	}
	done, err := attack.Run(ctx, attack.Config{
		Address: o.Address, TLS: o.TLS, Source: src.warmUp(requests), Duration: warmUpLimit,
		Connections: s.Connections, Timeout: s.Timeout, Threads: o.Threads,
	})
	if err != nil {
		return nil, fmt.Errorf("before the load: %w", err)
	}
	return done, nil
}

// first are the first so many requests of a source.
type first struct {
	*source
	many int64
}

// Request implements [attack.Source].
func (f first) Request(n int64) *attack.Request {
	if n >= f.many {
		return nil
	}
	return f.source.Request(n)
}
