package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// kind is a metric that runs have.
type kind struct {
	name   string
	unit   Unit
	higher bool // is better
	of     func(*record.Run) (value float64, ok bool)
}

// slower is how many requests must have been slower than a percentile, so that it is not
// the chance of a few.
const slower = 10

func percentile(share float64, value func(*record.Run) float64) func(*record.Run) (float64, bool) {
	return func(r *record.Run) (float64, bool) {
		return value(r), float64(r.Attack.Latency.Count)*(1-share) >= slower-1e-6
	}
}

var kinds = []kind{ //nolint:gochecknoglobals // a constant, if Go had them
	{"latency p50", Microseconds, false, percentile(0.5, func(r *record.Run) float64 { return r.Attack.Latency.P50Microseconds })},
	{"latency p99", Microseconds, false, percentile(0.99, func(r *record.Run) float64 { return r.Attack.Latency.P99Microseconds })},
	{"latency p99.9", Microseconds, false, percentile(0.999, func(r *record.Run) float64 { return r.Attack.Latency.P999Microseconds })},
	{"answered", PerSecond, true, func(r *record.Run) (float64, bool) { return r.Attack.AnsweredPerSecond, r.Attack.Answered > 0 }},
	{"target's CPU a request", Microseconds, false, func(r *record.Run) (float64, bool) {
		if r.Target == nil || r.Target.CPUMicrosecondsPerRequest == nil || !watched(r) {
			return 0, false
		}
		return *r.Target.CPUMicrosecondsPerRequest, true
	}},
	{"target's memory", Bytes, false, func(r *record.Run) (float64, bool) {
		if r.Target == nil || r.Target.PeakRSSBytes == nil {
			return 0, false
		}
		return float64(*r.Target.PeakRSSBytes), true
	}},
	{"failed", Share, false, func(r *record.Run) (float64, bool) {
		return float64(r.Attack.Failed) / float64(max(r.Attack.Due, 1)), r.Attack.Due > 0
	}},
}

// watched says that all that the target used of processors during a run is known.
func watched(r *record.Run) bool { return r.Target == nil || r.Target.Complete && r.Target.Gone == 0 }

// Metrics of other parts of a record than its runs.
const (
	highestRate = "highest rate"
	costAtLimit = "target's CPU a request, at the limit"
	proxyCost   = "proxy's CPU a request"
)

// all are the kinds of every part, in the order in which they are shown.
func all() []kind {
	return append(slices.Clone(kinds),
		kind{name: highestRate, unit: PerSecond, higher: true}, kind{name: costAtLimit, unit: Microseconds}, kind{name: proxyCost, unit: Microseconds})
}

// load is what samples are of: runs of one name may be of different loads.
type load struct {
	name string
	// asked is what was asked for, in words; empty of what is no run.
	asked string
}

type key struct {
	load   load
	metric string
}

// gathered are the samples of a side.
type gathered struct {
	order    []load // as they came
	values   map[key][]float64
	warnings []string
}

func (g *gathered) add(of load, metric string, value float64) {
	if !slices.Contains(g.order, of) {
		g.order = append(g.order, of)
	}
	k := key{of, metric}
	g.values[k] = append(g.values[k], value)
}

// list tells of the loads of a side, in a line each.
func (g *gathered) list(side string, called map[load]string) (lines []string) {
	for _, l := range g.order {
		lines = append(lines, fmt.Sprintf("\n  %s has %q", side, called[l]))
	}
	return lines
}

// parts takes the samples out of what is no run: a search is one sample of the rate that it found,
// and a round of the proxies one of each cost.
func (g *gathered) parts(f *record.File, name string) {
	if r := f.FindMax; r != nil {
		of := load{name: "highest rate with " + r.Objective}
		if r.LowPerSecond == nil || r.HighPerSecond == nil {
			g.warnings = append(g.warnings, fmt.Sprintf("left out: the search of %s, which found no bound below or none above", name))
			return
		}
		g.add(of, highestRate, r.RatePerSecond)
		if r.AtLimit != nil {
			g.add(of, costAtLimit, r.AtLimit.CPUMicrosecondsPerRequest)
		}
	}
	if f.Peers != nil {
		for _, p := range f.Peers.Figures {
			for _, cost := range p.CPU.Rounds {
				g.add(load{name: strings.TrimSpace(p.Proxy + ", " + p.Load + " " + p.Algorithm)}, proxyCost, cost)
			}
		}
	}
}

// asked says what a run was asked for.
func asked(a *attack.Result) string {
	l := &a.Load
	s := l.Loop + " loop"
	if l.Loop == "open" {
		s += fmt.Sprintf(" up to %.6g/s", l.PeakPerSecond) // Of parts that were merged it is a sum of floats.
	}
	s += fmt.Sprintf(", %g s, %d connections", l.DurationSeconds, l.Connections)
	if l.NewConnectionsPerSecond > 0 {
		s += fmt.Sprintf(" and %.6g new ones a second", l.NewConnectionsPerSecond)
	}
	if l.TLS {
		return s + ", TLS"
	}
	return s + ", no TLS"
}

// titles are what loads are called: by their names, and where a name is that of several, with what
// was asked for.
func titles(loads []load) map[load]string {
	first, several := map[string]string{}, map[string]bool{}
	for _, l := range loads {
		if known, ok := first[l.name]; ok && known != l.asked {
			several[l.name] = true
		}
		first[l.name] = l.asked
	}
	all := map[load]string{}
	for _, l := range loads {
		all[l] = l.name
		if several[l.name] {
			all[l] += " (" + l.asked + ")"
		}
	}
	return all
}

// gather takes the samples out of a side's records. What is not the target's is left out.
func gather(s Side) *gathered {
	g := &gathered{values: map[key][]float64{}}
	type identity struct {
		name    string
		started time.Time
		p50     float64
	}
	known := map[identity]bool{}
	for i, f := range s.Files {
		g.parts(f, s.Names[i])
		if f.FindMax != nil {
			continue // Its runs are trials, of rates that no other search has.
		}
		for n := range f.Runs {
			r := &f.Runs[n]
			id := identity{r.Name, r.Attack.StartedAt.UTC(), r.Attack.Latency.P50Microseconds}
			switch {
			case known[id] && !r.Attack.StartedAt.IsZero():
				g.warnings = append(g.warnings, fmt.Sprintf("left out: run %q of %s, which was given before", r.Name, s.Names[i]))
				continue
			case !r.Attack.Claimed:
				g.warnings = append(g.warnings, fmt.Sprintf("left out: run %q of %s, in which the generator was the bottleneck", r.Name, s.Names[i]))
				continue
			case r.Attack.Interrupted:
				g.warnings = append(g.warnings, fmt.Sprintf("left out: run %q of %s, which was interrupted", r.Name, s.Names[i]))
				continue
			}
			known[id] = true
			if !watched(r) {
				g.warnings = append(g.warnings, fmt.Sprintf("left out: the target's CPU in run %q of %s, during which a process of it ended or could not be watched", r.Name, s.Names[i]))
			}
			of := load{r.Name, asked(r.Attack)}
			for _, k := range kinds {
				if v, ok := k.of(r); ok {
					g.add(of, k.name, v)
				}
			}
		}
	}
	return g
}
