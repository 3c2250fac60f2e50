package limit

import (
	"fmt"
	"time"
)

// Bounds and defaults of a [Config].
const (
	DefaultFromPerSecond  = 100
	DefaultFloorPerSecond = 1
	DefaultToPerSecond    = 1_000_000
	DefaultPrecision      = 0.1
	MinPrecision          = 0.01
	MaxPrecision          = 1
	DefaultConfidence     = 0.95
	MinConfidence         = 0.5
	MaxConfidence         = 0.999
	DefaultMaxTrials      = 60
	MaxMaxTrials          = 1000
	DefaultMaxDuration    = 20 * time.Minute
)

// Config says how a limit is searched. The zero value is usable.
type Config struct {
	// FromPerSecond is the rate of the first trial; 0 is [DefaultFromPerSecond].
	FromPerSecond float64
	// FloorPerSecond and ToPerSecond are the lowest and highest rates that are
	// tried; 0 is [DefaultFloorPerSecond] and [DefaultToPerSecond].
	FloorPerSecond, ToPerSecond float64
	// Precision is how far apart the ends of the interval are meant to be, as a share
	// of the lower one, [MinPrecision] to [MaxPrecision]; 0 is [DefaultPrecision]. A
	// target whose trials differ more gets a wider interval.
	Precision float64
	// Confidence is the probability with which the interval contains the limit,
	// [MinConfidence] to [MaxConfidence]; 0 is [DefaultConfidence].
	Confidence float64
	// MaxTrials and MaxDuration bound the search; 0 is [DefaultMaxTrials] and
	// [DefaultMaxDuration].
	MaxTrials   int
	MaxDuration time.Duration
	// TrialDuration is about how long a trial takes: none is begun that would end
	// after MaxDuration.
	TrialDuration time.Duration
	// Pause is the time between two trials, in which the target recovers.
	Pause time.Duration
}

// Check returns [ErrConfig] where [Find] would.
func (c Config) Check() error {
	_, err := c.complete()
	return err
}

func (c Config) complete() (Config, error) {
	defaults(&c.FromPerSecond, DefaultFromPerSecond)
	defaults(&c.FloorPerSecond, min(DefaultFloorPerSecond, c.FromPerSecond))
	defaults(&c.ToPerSecond, max(DefaultToPerSecond, c.FromPerSecond))
	defaults(&c.Precision, DefaultPrecision)
	defaults(&c.Confidence, DefaultConfidence)
	defaults(&c.MaxTrials, DefaultMaxTrials)
	defaults(&c.MaxDuration, DefaultMaxDuration)
	for _, rule := range []struct {
		kept bool
		says string
	}{
		// Written so that what is no number breaks them.
		{c.FloorPerSecond > 0 && c.FloorPerSecond <= c.FromPerSecond && c.FromPerSecond <= c.ToPerSecond && c.ToPerSecond <= 10_000_000, "rates must be floor <= from <= to <= 10,000,000, and more than 0"},
		{c.Precision >= MinPrecision && c.Precision <= MaxPrecision, "Precision must be 0.01 to 1"},
		{c.Confidence >= MinConfidence && c.Confidence <= MaxConfidence, "Confidence must be 0.5 to 0.999"},
		{c.MaxTrials > 0 && c.MaxTrials <= MaxMaxTrials, "MaxTrials must be 1 to 1000"},
		{c.MaxDuration > 0, "MaxDuration must be more than 0"},
		{c.TrialDuration >= 0, "TrialDuration must not be negative"},
		{c.Pause >= 0, "Pause must not be negative"},
	} {
		if !rule.kept {
			return c, fmt.Errorf("%w: %s", ErrConfig, rule.says)
		}
	}
	return c, nil
}

func defaults[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
