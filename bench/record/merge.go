package record

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Part is what one machine did of a load that many made.
type Part struct {
	// Name is the file that it came from.
	Name    string  `json:"name"`
	Machine Machine `json:"machine"`
	// StartedAt and ElapsedSeconds are those of its runs, from the first to the last.
	StartedAt      time.Time `json:"started_at"`
	ElapsedSeconds float64   `json:"elapsed_seconds"`
	// Claimed says that the figures of all its runs are the target's.
	Claimed bool `json:"claimed"`
}

// Merge adds up the records of machines that made one load together, as if one machine had made
// it: counts and rates add, percentiles are those of a histogram that has all the times, and
// series add by time, moved by whole intervals where machines began apart. names, one for each
// file, are how they are told apart.
//
// What is no sum: the figures can be claimed when those of every part can be. Percentiles within an
// interval of a series, of which there are no histograms, are the highest of the parts': those of
// all together are no higher. The generator's busy share is that of the busiest part. A scale
// other than 1 adds up too: ten parts of a tenth each are the whole of the load.
//
// Errors wrap [ErrDifferent] where the records are not of one load or not of one time, unless
// force, and [ErrMerge].
func Merge(files []*File, names []string, force bool) (*File, error) {
	if len(files) == 0 || len(files) != len(names) {
		return nil, fmt.Errorf("%w: %d records and %d names", ErrMerge, len(files), len(names))
	}
	for i, f := range files {
		if err := f.mergeable(); err != nil {
			return nil, fmt.Errorf("%w: %s %w", ErrMerge, names[i], err)
		}
		if len(f.Runs) != len(files[0].Runs) {
			return nil, fmt.Errorf("%w: %s has %d runs, %s has %d", ErrMerge, names[i], len(f.Runs), names[0], len(files[0].Runs))
		}
	}
	for i := range files {
		for j := range i {
			if files[i].Runs[0].same(&files[j].Runs[0]) {
				return nil, fmt.Errorf("%w: %s is %s: it would count twice", ErrMerge, names[i], names[j])
			}
		}
	}
	if !force {
		if different := differences(files, names); len(different) > 0 {
			return nil, fmt.Errorf("%w:\n  %s", ErrDifferent, strings.Join(different, "\n  "))
		}
	}
	sum := *files[0]
	sum.MergedFrom, sum.Runs = nil, nil
	for i, f := range files {
		sum.MergedFrom = append(sum.MergedFrom, f.part(names[i]))
		if f.StartedAt.Before(sum.StartedAt) {
			sum.StartedAt = f.StartedAt
		}
		if i > 0 && f.Scale != 1 {
			sum.Scale += f.Scale
		}
	}
	sum.Scale = toDigits(sum.Scale)
	for r := range files[0].Runs {
		parts := make([]*Run, len(files))
		for i, f := range files {
			parts[i] = &f.Runs[r]
		}
		run, err := mergeRuns(parts, names)
		if err != nil {
			return nil, fmt.Errorf("%w: run %q: %w", ErrMerge, parts[0].Name, err)
		}
		sum.Runs = append(sum.Runs, run)
	}
	return &sum, nil
}

// toDigits rounds to nine significant digits: ten tenths are the whole, also where a tenth is
// the nearest that a float64 comes to it.
func toDigits(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
	if err != nil {
		return v // out of range
	}
	return rounded
}

// part tells of a file that is merged.
func (f *File) part(name string) Part {
	p := Part{Name: name, Machine: f.Machine, StartedAt: f.StartedAt, Claimed: true}
	var end time.Time
	for i := range f.Runs {
		a := f.Runs[i].Attack
		if i == 0 {
			p.StartedAt = a.StartedAt
		}
		p.Claimed = p.Claimed && a.Claimed
		if e := a.StartedAt.Add(span(a.ElapsedSeconds)); e.After(end) {
			end = e
		}
	}
	p.ElapsedSeconds = max(end.Sub(p.StartedAt).Seconds(), 0)
	return p
}

// differences says, in lines for people, why records are not of one load.
func differences(files []*File, names []string) (lines []string) {
	say := func(what string, value func(f *File) any) {
		for i, f := range files[1:] {
			if a, b := value(files[0]), value(f); a != b {
				lines = append(lines, fmt.Sprintf("%s: %v in %s, %v in %s", what, a, names[0], b, names[i+1]))
				return // One pair shows it.
			}
		}
	}
	say("scale", func(f *File) any { return f.Scale })
	for r := range files[0].Runs {
		in := ""
		if len(files[0].Runs) > 1 {
			in = fmt.Sprintf(" of run %d", r+1)
		}
		say("name"+in, func(f *File) any { return f.Runs[r].Name })
		say("target"+in, func(f *File) any { return f.Runs[r].Attack.Target })
		say("loop"+in, func(f *File) any { return f.Runs[r].Attack.Load.Loop })
		say("duration"+in+" in seconds", func(f *File) any { return f.Runs[r].Attack.Load.DurationSeconds })
		say("highest rate"+in+" a second", func(f *File) any { return f.Runs[r].Attack.Load.PeakPerSecond })
		say("connections"+in, func(f *File) any { return f.Runs[r].Attack.Load.Connections })
		say("new connections"+in+" a second", func(f *File) any { return f.Runs[r].Attack.Load.NewConnectionsPerSecond })
		say("TLS"+in, func(f *File) any { return f.Runs[r].Attack.Load.TLS })
		say("timeout"+in+" in seconds", func(f *File) any { return f.Runs[r].Attack.Load.TimeoutSeconds })
		say("lateness allowed"+in+" in µs", func(f *File) any { return f.Runs[r].Attack.Generator.MaxLatenessMicroseconds })
		lines = append(lines, apart(files, names, r)...)
	}
	return lines
}

// apart says which machines did not run at the time of the others: what each of them saw is
// then not the whole load. Machines may begin apart by a tenth of the load.
func apart(files []*File, names []string, r int) []string {
	order := make([]int, len(files))
	for i := range order {
		order[i] = i
	}
	started := func(i int) time.Time { return files[i].Runs[r].Attack.StartedAt }
	slices.SortStableFunc(order, func(a, b int) int { return started(a).Compare(started(b)) })
	first, last := order[0], order[len(order)-1]
	gap, allowed := started(last).Sub(started(first)), span(files[first].Runs[r].Attack.Load.DurationSeconds/10)
	if gap <= max(allowed, time.Second) {
		return nil
	}
	return []string{fmt.Sprintf("time: %s began %.1f s after %s, more than a tenth of the load", names[last], gap.Seconds(), names[first])}
}

// span is a time in seconds, bounded to what a Duration holds.
func span(seconds float64) time.Duration {
	const most = float64(1<<62) / float64(time.Second)
	return time.Duration(min(max(seconds, 0), most) * float64(time.Second))
}
