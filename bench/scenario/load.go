package scenario

import (
	"fmt"
	"math"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

// Least numbers that scaling leaves.
const (
	leastConnections = 8
	leastWarm        = 1000
	leastTokens      = 10 // of an action
)

// Profile returns the rate over time.
func (l *Load) Profile() (pace.Profile, error) {
	switch l.Shape {
	case "ramp":
		return pace.Ramp(l.PerSecond, l.ToPerSecond, l.Duration)
	case "steps":
		return pace.Steps(l.Duration/time.Duration(len(l.StepsPerSecond)), l.StepsPerSecond...)
	case "spike":
		return pace.Spike(l.PerSecond, l.PeakPerSecond, l.PeakAt, l.PeakFor, l.Duration)
	}
	return pace.Constant(l.PerSecond, l.Duration)
}

// Schedule returns when each request is due.
func (l *Load) Schedule() (pace.Schedule, error) {
	p, err := l.Profile()
	if err != nil {
		return pace.Schedule{}, fmt.Errorf("%w: load: %w", ErrOptions, err)
	}
	if l.Arrivals == "even" {
		return p.Even(), nil
	}
	return p.Poisson(l.Seed), nil
}

// Peak is the highest rate, in requests a second.
func (l *Load) Peak() float64 {
	peak := max(l.PerSecond, l.ToPerSecond, l.PeakPerSecond)
	for _, rate := range l.StepsPerSecond {
		peak = max(peak, rate)
	}
	return peak
}

// Scale returns the scenario at a part of its load, and in another time; a duration of 0 is its own. See the package for
// what is scaled. The error is [ErrOptions].
func (s *Scenario) Scale(scale float64, duration time.Duration) (*Scenario, error) {
	if !(scale > 0 && scale <= 100) {
		return nil, fmt.Errorf("%w: a scale of %v (more than 0, at most 100)", ErrOptions, scale)
	}
	if duration == 0 {
		duration = s.Load.Duration
	}
	if duration < 100*time.Millisecond || duration > pace.MaxDuration {
		return nil, fmt.Errorf("%w: a duration of %v (100ms to 168h)", ErrOptions, duration)
	}
	course := float64(duration) / float64(s.Load.Duration)
	within := func(d time.Duration) time.Duration { return time.Duration(float64(d) * course) }
	count := func(n, least int64) int64 { return max(int64(math.Round(float64(n)*scale)), min(n, least)) }

	c := *s
	l := &c.Load
	l.Duration, l.PeakAt, l.PeakFor = duration, within(l.PeakAt), within(l.PeakFor)
	l.PerSecond, l.ToPerSecond, l.PeakPerSecond = l.PerSecond*scale, l.ToPerSecond*scale, l.PeakPerSecond*scale
	l.StepsPerSecond = make([]float64, len(s.Load.StepsPerSecond))
	for i, rate := range s.Load.StepsPerSecond {
		l.StepsPerSecond[i] = rate * scale
	}
	c.Connections = int(count(int64(s.Connections), leastConnections))
	c.NewConnectionsPerSecond *= scale
	c.Population.Warm = count(s.Population.Warm, leastWarm)
	c.Actions = make([]Action, len(s.Actions))
	for i, a := range s.Actions {
		a.At, a.For, a.PerSecond = within(a.At), within(a.For), a.PerSecond*scale
		a.Tokens = int(count(int64(a.Tokens), leastTokens))
		c.Actions[i] = a
	}
	for _, rules := range []*[]Rule{&c.Expect, &c.Allow} {
		scaled := make([]Rule, len(*rules))
		for i, rule := range *rules {
			rule.From, rule.Until = scaleMoment(rule.From, within), scaleMoment(rule.Until, within)
			scaled[i] = rule
		}
		*rules = scaled
	}
	return &c, nil
}

// scaleMoment shortens a time; what is said of an action stays, since what it waits for is not scaled.
func scaleMoment(text string, within func(time.Duration) time.Duration) string {
	if m, _ := parseMoment(text); !m.open && m.action == "" {
		return within(m.plus).String()
	}
	return text
}
