package record

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// mergeable says why a record cannot be part of a sum.
func (f *File) mergeable() error {
	switch {
	case len(f.Runs) == 0:
		return errors.New("has no run")
	case len(f.MergedFrom) > 0:
		return errors.New("is merged already: merge the records that it was made of")
	}
	rest := *f
	rest.Format, rest.Command, rest.StartedAt, rest.Machine, rest.Scale, rest.Runs = "", nil, time.Time{}, Machine{}, 0, nil
	if !reflect.ValueOf(rest).IsZero() {
		return errors.New("has parts other than runs, which are no sums")
	}
	return nil
}

// same says that two runs are one, read twice.
func (r *Run) same(o *Run) bool {
	return r.Attack.StartedAt.Equal(o.Attack.StartedAt) && r.Attack.Due == o.Attack.Due && r.Attack.Latency.HDR == o.Attack.Latency.HDR
}

// mergeRuns adds up what machines did of one run.
func mergeRuns(parts []*Run, names []string) (Run, error) {
	sum := Run{Name: parts[0].Name, Checks: mergeChecks(parts, names)}
	results := make([]*attack.Result, len(parts))
	for i, p := range parts {
		results[i] = p.Attack
	}
	var err error
	if sum.Attack, err = mergeResults(results, names); err != nil {
		return Run{}, err
	}
	sum.Target = mergeUse(parts, sum.Attack.Answered)
	return sum, nil
}

// mergeChecks has a check of every name, which is passed when it is everywhere.
func mergeChecks(parts []*Run, names []string) (all []Check) {
	for i, p := range parts {
		for _, c := range p.Checks {
			at := slices.IndexFunc(all, func(o Check) bool { return o.Name == c.Name && o.Want == c.Want })
			if at < 0 {
				all = append(all, Check{Name: c.Name, Want: c.Want, Passed: true})
				at = len(all) - 1
			}
			if known := &all[at]; !c.Passed {
				known.Passed = false
				known.Got += names[i] + ": " + c.Got + "; "
			}
		}
	}
	for i := range all {
		if all[i].Passed {
			all[i].Got = fmt.Sprintf("passed by all %d", len(parts))
		} else {
			all[i].Got = all[i].Got[:len(all[i].Got)-2]
		}
	}
	return all
}

func mergeResults(parts []*attack.Result, names []string) (*attack.Result, error) {
	sum := *parts[0]
	sum.Claimed, sum.Bottleneck, sum.Interrupted, sum.Exhausted = true, nil, false, false
	sum.Failures, sum.Statuses = map[string]int64{}, map[string]int64{}
	sum.Due, sum.Sent, sum.Answered, sum.Unfinished, sum.Failed, sum.WrongVerdicts, sum.WaitedForConnection = 0, 0, 0, 0, 0, 0, 0
	sum.AskedPerSecond, sum.AnsweredPerSecond = 0, 0
	sum.SentBytes, sum.ReceivedBytes, sum.BodyBytes = 0, 0, 0
	sum.ConnectionsOpened, sum.ConnectionsFailed, sum.ConnectionsLost = 0, 0, 0
	sum.Load.PeakPerSecond, sum.Load.Connections, sum.Load.NewConnectionsPerSecond = 0, 0, 0
	for i, p := range parts {
		sum.Claimed = sum.Claimed && p.Claimed
		for _, reason := range p.Bottleneck {
			sum.Bottleneck = append(sum.Bottleneck, names[i]+": "+reason)
		}
		sum.Interrupted = sum.Interrupted || p.Interrupted
		sum.Exhausted = sum.Exhausted || p.Exhausted
		if p.StartedAt.Before(sum.StartedAt) {
			sum.StartedAt = p.StartedAt
		}
		add(sum.Failures, p.Failures)
		add(sum.Statuses, p.Statuses)
		sum.Due += p.Due
		sum.Sent += p.Sent
		sum.Answered += p.Answered
		sum.Unfinished += p.Unfinished
		sum.WrongVerdicts += p.WrongVerdicts
		sum.Failed += p.Failed
		sum.WaitedForConnection += p.WaitedForConnection
		sum.AskedPerSecond += p.AskedPerSecond
		sum.AnsweredPerSecond += p.AnsweredPerSecond
		sum.SentBytes += p.SentBytes
		sum.ReceivedBytes += p.ReceivedBytes
		sum.BodyBytes += p.BodyBytes
		sum.ConnectionsOpened += p.ConnectionsOpened
		sum.ConnectionsFailed += p.ConnectionsFailed
		sum.ConnectionsLost += p.ConnectionsLost
		sum.Load.PeakPerSecond += p.Load.PeakPerSecond
		sum.Load.Connections += p.Load.Connections
		sum.Load.NewConnectionsPerSecond += p.Load.NewConnectionsPerSecond
	}
	for _, p := range parts {
		sum.ElapsedSeconds = max(sum.ElapsedSeconds, p.StartedAt.Sub(sum.StartedAt).Seconds()+p.ElapsedSeconds)
	}
	sum.Generator = mergeGenerators(parts, sum.Sent)
	sum.Classes, sum.Series = mergeClasses(parts), mergeSeries(parts)
	return &sum, mergeTimes(&sum, parts)
}

func add(sum, part map[string]int64) {
	for name, n := range part {
		sum[name] += n
	}
}

func mergeTimes(sum *attack.Result, parts []*attack.Result) error {
	for _, of := range []func(*attack.Result) *attack.Times{
		func(r *attack.Result) *attack.Times { return &r.Latency },
		func(r *attack.Result) *attack.Times { return &r.Service },
		func(r *attack.Result) *attack.Times { return &r.Connect },
		func(r *attack.Result) *attack.Times { return &r.Lateness },
	} {
		all := make([]*attack.Times, len(parts))
		for i, p := range parts {
			all[i] = of(p)
		}
		t, err := attack.MergeTimes(all...)
		if err != nil {
			return err
		}
		*of(sum) = t
	}
	return nil
}

// mergeGenerators adds what the generators cost. What is not the same everywhere is said to be so.
func mergeGenerators(parts []*attack.Result, sent int64) attack.Generator {
	sum := parts[0].Generator
	cpu, known := 0.0, true
	sum.Threads, sum.Processors = 0, 0
	for _, p := range parts {
		g := &p.Generator
		sum.Threads += g.Threads
		sum.Processors += g.Processors
		sum.Spin = sum.Spin || g.Spin
		sum.MaxLatenessMicroseconds = max(sum.MaxLatenessMicroseconds, g.MaxLatenessMicroseconds)
		sum.Engine, sum.GoVersion, sum.Platform = same(sum.Engine, g.Engine), same(sum.GoVersion, g.GoVersion), same(sum.Platform, g.Platform)
		if g.CPUSeconds == nil {
			known = false
			continue
		}
		cpu += *g.CPUSeconds
	}
	sum.CPUSeconds, sum.CPUMicrosecondsPerRequest = nil, nil
	if known {
		sum.CPUSeconds = &cpu
		if sent > 0 {
			each := cpu * 1e6 / float64(sent)
			sum.CPUMicrosecondsPerRequest = &each
		}
	}
	return sum
}

func same(a, b string) string {
	if a != b {
		return "several"
	}
	return a
}

// mergeSeries adds intervals of the same time. Machines do not end their intervals at one instant,
// so that a request may be counted with those of the interval before or after; none is lost.
func mergeSeries(parts []*attack.Result) []attack.Interval {
	first, width := parts[0].StartedAt, 0.0
	for _, p := range parts {
		if p.StartedAt.Before(first) {
			first = p.StartedAt
		}
		width = max(width, typicalWidth(p.Series))
	}
	if width <= 0 {
		return nil
	}
	sums := map[int]attack.Interval{}
	for _, p := range parts {
		moved := int(math.Round(min(p.StartedAt.Sub(first).Seconds()/width, math.MaxInt32)))
		for n, i := range p.Series {
			at := moved + int(math.Floor(min(max((i.StartSeconds+i.EndSeconds)/2/width, 0), math.MaxInt32)))
			end := float64(at+1) * width
			if n == len(p.Series)-1 { // The last one is as long as it is.
				end = float64(moved)*width + i.EndSeconds
			}
			i.StartSeconds, i.EndSeconds = float64(at)*width, end
			if known, ok := sums[at]; ok {
				i = Join(known, i)
			}
			sums[at] = i
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b attack.Interval) int { return cmp.Compare(a.StartSeconds, b.StartSeconds) })
}

// typicalWidth is the median length of the intervals, in seconds.
func typicalWidth(series []attack.Interval) float64 {
	if len(series) == 0 {
		return 0
	}
	widths := make([]float64, len(series))
	for i, s := range series {
		widths[i] = s.EndSeconds - s.StartSeconds
	}
	slices.Sort(widths)
	return widths[len(widths)/2]
}

// Join adds up two intervals. What cannot be added, the times and the share, is the higher of both.
func Join(a, b attack.Interval) attack.Interval {
	a.StartSeconds, a.EndSeconds = min(a.StartSeconds, b.StartSeconds), max(a.EndSeconds, b.EndSeconds)
	a.Due += b.Due
	a.Sent += b.Sent
	a.Answered += b.Answered
	a.Failed += b.Failed
	a.ConnectionsOpened += b.ConnectionsOpened
	a.P50Microseconds = max(a.P50Microseconds, b.P50Microseconds)
	a.P99Microseconds = max(a.P99Microseconds, b.P99Microseconds)
	a.MaxMicroseconds = max(a.MaxMicroseconds, b.MaxMicroseconds)
	a.LatenessP99Microseconds = max(a.LatenessP99Microseconds, b.LatenessP99Microseconds)
	if b.GeneratorBusyShare != nil && (a.GeneratorBusyShare == nil || *b.GeneratorBusyShare > *a.GeneratorBusyShare) {
		a.GeneratorBusyShare = b.GeneratorBusyShare
	}
	return a
}
