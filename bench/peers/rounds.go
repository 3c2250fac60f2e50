package peers

import (
	"context"
	"fmt"
	"strings"
)

// cell is where in the table a sample belongs.
type cell struct{ proxy, algorithm, load string }

// measureAll measures everything, round after round.
func (r *run) measureAll(ctx context.Context) error {
	samples := map[cell][]sample{}
	for round := range r.Rounds {
		note := func(p *proxy, algorithm, load string, s sample) {
			c := cell{p.name, algorithm, load}
			samples[c] = append(samples[c], s)
			r.Progress(strings.Join(strings.Fields(fmt.Sprintf("round %d of %d: %s %s %s: %.1f µs a request, %.0f requests/s",
				round+1, r.Rounds, p.title, algorithm, load, s.cpuMicroseconds(), s.answeredPerSecond())), " "))
		}
		if err := r.each(round, "", func(p *proxy) error { return r.measureOpen(ctx, p, note) }); err != nil {
			return err
		}
		for _, tokens := range r.populations {
			err := r.each(round, tokens.algorithm, func(p *proxy) error { return r.measureTokens(ctx, p, tokens, note) })
			if err != nil {
				return err
			}
		}
	}
	r.sumUp(samples)
	return nil
}

type noted func(p *proxy, algorithm, load string, s sample)

// measureOpen measures what a proxy takes that looks at no token.
func (r *run) measureOpen(ctx context.Context, p *proxy, note noted) error {
	return r.with(ctx, p, nil, func(running *process) error {
		warm := r.populations[0].warm
		from := int64(r.Requests / warmUpShare)
		s, err := r.measure(ctx, running, &window{before: warm, measured: warm, from: from, to: from + int64(r.Requests)})
		if err == nil {
			note(p, "", Open, s)
		}
		return err
	})
}

// measureTokens measures warm tokens, then cold ones, of which the process has seen none.
func (r *run) measureTokens(ctx context.Context, p *proxy, tokens *population, note noted) error {
	return r.with(ctx, p, tokens, func(running *process) error {
		// Each warm token was seen before it counts.
		from := max(int64(r.Requests/warmUpShare), 2*int64(len(tokens.warm)))
		s, err := r.measure(ctx, running, &window{before: tokens.warm, measured: tokens.warm, from: from, to: from + int64(r.Requests)})
		if err != nil {
			return err
		}
		note(p, tokens.algorithm, Warm, s)
		s, err = r.measure(ctx, running, &window{
			before: tokens.cold[:prelude], measured: tokens.cold[prelude:], from: prelude, to: prelude + int64(r.Requests),
		})
		if err != nil {
			return err
		}
		note(p, tokens.algorithm, Cold, s)
		return nil
	})
}

// sumUp makes figures of samples, in the order of the tables.
func (r *run) sumUp(samples map[cell][]sample) {
	for _, p := range r.result.Proxies {
		cells := []cell{{p.Name, "", Open}}
		for _, algorithm := range r.Algorithms {
			cells = append(cells, cell{p.Name, algorithm, Warm}, cell{p.Name, algorithm, Cold})
		}
		for _, c := range cells {
			if of := samples[c]; len(of) > 0 {
				r.result.Figures = append(r.result.Figures, figure(c, of))
			}
		}
	}
}

func figure(c cell, samples []sample) Figure {
	f := Figure{Proxy: c.proxy, Algorithm: c.algorithm, Load: c.load}
	var cpu, answered, busy []float64
	for _, s := range samples {
		f.Requests += s.requests
		cpu, answered, busy = append(cpu, s.cpuMicroseconds()), append(answered, s.answeredPerSecond()), append(busy, s.busyShare())
	}
	f.CPU, f.Answered, f.BusyShare = spread(cpu), spread(answered), spread(busy)
	return f
}
