package scenario

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// warmUpLimit bounds the time before a load in which its warm tokens are shown to the target.
const warmUpLimit = 30 * time.Second

// warmUp sends requests of the warm pool, as popular as they are, so that the load finds a target that has been running
// for long: WarmUp times as many as there are warm tokens, as fast as the target takes them. Nothing of it is measured,
// and it returns how many there were.
func (s *Scenario) warmUp(ctx context.Context, o Options) (int64, error) {
	requests := int64(math.Ceil(float64(s.Population.Warm) * s.Population.WarmUp))
	if requests == 0 {
		return 0, nil
	}
	cold := 0.0
	source, err := o.Corpus.Source(population.SourceConfig{Check: o.Check, MaxBytes: o.MaxBytes, ColdShare: &cold})
	if err != nil {
		return 0, err
	}
	done, err := attack.Run(ctx, attack.Config{
		Address: o.Address, TLS: o.TLS, Source: first{source, requests}, Duration: warmUpLimit,
		Connections: s.Connections, Timeout: s.Timeout, Threads: o.Threads,
	})
	if err != nil {
		return 0, fmt.Errorf("before the load: %w", err)
	}
	return done.Answered, nil
}

// first are the first so many requests of a source.
type first struct {
	source attack.Source
	many   int64
}

// Request implements [attack.Source].
func (f first) Request(n int64) *attack.Request {
	if n >= f.many {
		return nil
	}
	return f.source.Request(n)
}
