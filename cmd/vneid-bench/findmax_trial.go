package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/pace"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// errNoOverhead is that an objective cannot be judged at all.
var errNoOverhead = errors.New("--objective: the target's metrics have no such histogram; see --metrics-overhead")

// trials makes the loads of a search, one after the other.
type trials struct {
	flags     *findMaxFlags
	objective limit.Objective
	base      attack.Config
	name      string             // of the target
	corpus    *population.Source // nil where requests are the same all the time
	sent      int64              // requests of the corpus that were used
	runs      []record.Run
}

// trials finds out what is sent where.
func (f *findMaxFlags) trials(objective limit.Objective, urls []string) (*trials, error) {
	t := &trials{flags: f, objective: objective, base: attack.Config{
		Connections: f.connections, NewConnectionsPerSecond: f.newConnections, Threads: f.threads, Spin: f.spin,
		Timeout: f.timeout, MaxLateness: f.lateness,
	}}
	given, err := f.corpus.given()
	if err != nil {
		return nil, err
	}
	build := func() (source attack.Source, host, scheme string, err error) {
		requests, target, err := f.request.build(urls)
		if err != nil {
			return nil, "", "", err
		}
		t.base.TLS, err = f.tls.config(target, f.target.metrics...)
		return requests, hostPort(target), target.Scheme, err
	}
	if given {
		build = func() (source attack.Source, host, scheme string, err error) {
			if !f.quiet {
				f.corpus.tell = f.corpus.cmd.ErrOrStderr()
			}
			corpus, target, err := f.corpus.source(urls, time.Now().Add(f.warmUp+f.maxTime))
			if err != nil {
				return nil, "", "", err
			}
			t.corpus = corpus
			t.base.TLS, err = f.tls.config(target, f.target.metrics...)
			return corpus, hostPort(target), target.Scheme, err
		}
	}
	source, host, scheme, err := build()
	if err != nil {
		return nil, err
	}
	t.base.Source, t.base.Address, t.name = source, host, scheme+"://"+host
	return t, nil
}

// warmUp sends a load of which nothing is counted.
func (t *trials) warmUp(ctx context.Context, rate float64, d time.Duration) error {
	if d == 0 {
		return nil
	}
	load, err := t.load(rate, d)
	if err != nil {
		return err
	}
	result, err := attack.Run(ctx, load)
	if err == nil {
		t.sent += result.Due
	}
	return err
}

// load is a load of one rate.
func (t *trials) load(rate float64, d time.Duration) (attack.Config, error) {
	load := t.base
	profile, err := pace.Constant(rate, d)
	if err != nil {
		return load, err
	}
	schedule := profile.Even()
	if t.flags.poisson {
		schedule = profile.Poisson(t.flags.seed + uint64(len(t.runs)))
	}
	load.Schedule = &schedule
	if t.corpus != nil {
		// What was cold once is warm now.
		load.Source = t.corpus.From(t.sent)
	}
	return load, nil
}

// try implements [limit.Try].
func (t *trials) try(ctx context.Context, rate float64) (limit.Trial, error) {
	load, err := t.load(rate, t.flags.trial)
	if err != nil {
		return limit.Trial{}, err
	}
	result, use, err := t.flags.target.watch(ctx, load)
	if err != nil {
		return limit.Trial{}, err
	}
	if t.objective.NeedsOverhead() && len(t.runs) == 0 && (use.Overhead == nil || use.Overhead.Count == 0) {
		return limit.Trial{}, errNoOverhead
	}
	t.sent += result.Due
	trial := limit.Measured(t.objective, result, use)
	t.runs = append(t.runs, record.Run{
		Name: fmt.Sprintf("trial %d: %g/s", len(t.runs)+1, rate), Attack: result, Target: use,
		Checks: []record.Check{{Name: "objective", Want: t.objective.String(), Got: trial.Outcome, Passed: trial.Outcome == limit.OutcomeKept}},
	})
	return trial, nil
}
