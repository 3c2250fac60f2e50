package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

// loadFlags say when requests are due.
type loadFlags struct {
	rate                       float64
	ramp, steps, spike, replay string
	closed, poisson            bool
	seed                       uint64
	scale                      float64
	duration                   time.Duration
	cmd                        *cobra.Command
}

// loads are the flags of which one says what the load is.
var loads = []string{"rate", "ramp", "steps", "spike", "profile", "closed"} //nolint:gochecknoglobals // a constant, if Go had them

func (f *loadFlags) define(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.Float64Var(&f.rate, "rate", 0, "requests a second")
	flags.StringVar(&f.ramp, "ramp", "", "requests a second at the start and the end, as 0:5000")
	flags.StringVar(&f.steps, "steps", "", "requests a second, one after the other, as 1000,2000,4000")
	flags.StringVar(&f.spike, "spike", "", "requests a second, those of the spike, its start and its length, as 500:5000@20s+5s")
	flags.StringVar(&f.replay, "profile", "", "file of rows seconds,rate")
	flags.BoolVar(&f.closed, "closed", false, "send on every connection as soon as the last request was answered")
	flags.BoolVar(&f.poisson, "poisson", false, "draw arrivals that are independent of each other")
	flags.Uint64Var(&f.seed, "seed", 1, "what --poisson draws from: the same seed draws the same")
	flags.Float64Var(&f.scale, "scale", 1, "factor for every rate")
	flags.DurationVarP(&f.duration, "duration", "d", 10*time.Second, "how long requests are due")
	cmd.MarkFlagsOneRequired(loads...)
	cmd.MarkFlagsMutuallyExclusive(loads...)
	cmd.MarkFlagsMutuallyExclusive("profile", "duration")
	cmd.MarkFlagsMutuallyExclusive("closed", "poisson")
	cmd.MarkFlagsMutuallyExclusive("closed", "scale")
	_ = cmd.MarkFlagFilename("profile", "csv")
	for _, name := range []string{"rate", "ramp", "steps", "spike", "seed", "scale", "duration"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// schedule returns the schedule of an open loop, or the duration of a closed one.
func (f *loadFlags) schedule() (*pace.Schedule, time.Duration, error) {
	if f.closed {
		return nil, f.duration, nil
	}
	p, err := f.profile()
	if err == nil && f.scale != 1 {
		p, err = p.Scale(f.scale)
	}
	if err != nil {
		return nil, 0, err
	}
	s := p.Even()
	if f.poisson {
		s = p.Poisson(f.seed)
	}
	return &s, 0, nil
}

func (f *loadFlags) profile() (p pace.Profile, err error) {
	given := f.cmd.Flags().Changed
	switch {
	case given("ramp"):
		var rates []float64
		if rates, err = numbers(f.ramp, ":"); err != nil || len(rates) != 2 {
			return p, fmt.Errorf("--ramp %q: write it as 0:5000", f.ramp)
		}
		p, err = pace.Ramp(rates[0], rates[1], f.duration)
		return p, named("ramp", err)
	case given("steps"):
		var rates []float64
		if rates, err = numbers(f.steps, ","); err != nil {
			return p, fmt.Errorf("--steps %q: write it as 1000,2000,4000", f.steps)
		}
		p, err = pace.Steps(f.duration/time.Duration(len(rates)), rates...)
		return p, named("steps", err)
	case given("spike"):
		p, err = f.spiked()
		return p, named("spike", err)
	case given("profile"):
		file, err := os.Open(f.replay)
		if err != nil {
			return p, named("profile", err)
		}
		defer file.Close()
		p, err = pace.ReadCSV(file)
		return p, named("profile", err)
	}
	p, err = pace.Constant(f.rate, f.duration)
	return p, named("rate", err)
}

// spiked reads 500:5000@20s+5s.
func (f *loadFlags) spiked() (pace.Profile, error) {
	shape := errors.New("write it as 500:5000@20s+5s")
	rates, when, ok := strings.Cut(f.spike, "@")
	start, length, also := strings.Cut(when, "+")
	perSecond, err := numbers(rates, ":")
	if !ok || !also || err != nil || len(perSecond) != 2 {
		return pace.Profile{}, shape
	}
	at, err := time.ParseDuration(start)
	if err != nil {
		return pace.Profile{}, shape
	}
	long, err := time.ParseDuration(length)
	if err != nil {
		return pace.Profile{}, shape
	}
	return pace.Spike(perSecond[0], perSecond[1], at, long, f.duration)
}

// seconds is how long requests are due.
func (f *loadFlags) seconds(c attack.Config) float64 {
	if c.Schedule != nil {
		return c.Schedule.Profile().Duration().Seconds()
	}
	return c.Duration.Seconds()
}

func numbers(list, separator string) ([]float64, error) {
	var all []float64
	for s := range strings.SplitSeq(list, separator) {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func named(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	return nil
}
