package report

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// axis is one side of a plot. Values are given as they are measured; the axis knows
// where they stand and what is written beside it.
type axis struct {
	Name string
	// Log spaces values by their logarithm; those of 0 and less are left out.
	Log bool
	// Tails spaces shares p of 0 to 1 by how many nines they have, log10(1/(1-p)), as
	// HdrHistogram's plots do.
	Tails bool
	// Of is what steps are round multiples of, as of a MiB; 0 is 1.
	Of float64
	// Zero makes the axis begin there.
	Zero bool
	// Label writes a value; step is the distance to the next one, 0 on an axis that is not
	// linear.
	Label func(value, step float64) string
}

// place is where on the axis, in units of its own, a value stands.
func (a *axis) place(v float64) (at float64, ok bool) {
	switch {
	case a.Log:
		at, ok = math.Log10(v), v > 0
	case a.Tails:
		at, ok = -math.Log10(1-v), v >= 0 && v < 1
	default:
		at, ok = v, true
	}
	return at, ok && !math.IsInf(at, 0) && !math.IsNaN(at)
}

// ticks chooses what is written beside an axis whose values stand between two places, and
// moves those apart so that a line does not end where nothing says what it is.
func (a *axis) ticks(low, high float64, most int) (ticks []plot.Tick, from, to float64) {
	switch {
	case a.Log:
		return a.logTicks(low, high, most)
	case a.Tails:
		for nines := 0; float64(nines) <= high+0.001 || nines < 2; nines++ {
			share := "0%"
			if nines > 0 {
				share = strings.TrimSuffix("99."+strings.Repeat("9", max(nines-2, 0)), ".") + "%"
				if nines == 1 {
					share = "90%"
				}
			}
			ticks = append(ticks, plot.Tick{Value: float64(nines), Label: share})
		}
		return ticks, 0, max(high, 1)
	}
	if a.Zero {
		low, high = min(low, 0), max(high, 0)
	}
	if high-low < 1e-9*max(math.Abs(high), 1e-9) {
		high = low + max(math.Abs(low)*0.1, 1)
	}
	of := a.Of
	if of == 0 {
		of = 1
	}
	step := niceStep((high-low)/float64(most)/of) * of
	from, to = math.Floor(low/step+1e-9)*step, math.Ceil(high/step-1e-9)*step
	for n := 0; n <= 2*most+2; n++ {
		v := from + float64(n)*step
		if v > to+step/2 {
			break
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: a.Label(v, step)})
	}
	return ticks, from, to
}

// logTicks are decades, or 1, 2 and 5 of each where there are few.
func (a *axis) logTicks(low, high float64, most int) (ticks []plot.Tick, from, to float64) {
	mantissas := []float64{1, 2, 5}
	every := 1
	if span := high - low; span > float64(most)/3 {
		mantissas, every = []float64{1}, max(int(math.Ceil(span/float64(most))), 1)
	}
	first, last := int(math.Floor(low)), int(math.Ceil(high))
	var all []float64
	for decade := first; decade <= last; decade += every {
		for _, m := range mantissas {
			all = append(all, float64(decade)+math.Log10(m))
		}
	}
	from, to = low, high
	for _, at := range all { // the nearest ones outside
		if at <= low+1e-9 {
			from = at
		}
		if at >= high-1e-9 {
			to = max(at, from+math.Log10(2))
			break
		}
	}
	for _, at := range all {
		if at >= from-1e-9 && at <= to+1e-9 {
			ticks = append(ticks, plot.Tick{Value: at, Label: a.Label(math.Pow(10, at), 0)})
		}
	}
	return ticks, from, to
}

// niceStep is the least of 1, 2 and 5 times a power of ten that is no less than v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// unit is a name for so much of something.
type unit struct {
	Of   float64
	Name string
}

// in writes values in the unit that suits the greatest of them.
func in(greatest float64, units ...unit) func(value, step float64) string {
	best := suits(greatest, units)
	return func(value, step float64) string {
		decimals := 0
		if step > 0 {
			decimals = int(min(max(math.Ceil(-math.Log10(step/best.Of)-1e-9), 0), 6))
		}
		if value == 0 && best.Of > 1 {
			return "0"
		}
		if decimals == 0 {
			return whole(value/best.Of) + best.Name
		}
		return strconv.FormatFloat(value/best.Of, 'f', decimals, 64) + best.Name
	}
}

// suits is the largest unit that is no more than a value, or the first.
func suits(v float64, units []unit) unit {
	best := units[0]
	for _, u := range units {
		if v >= u.Of {
			best = u
		}
	}
	return best
}

func inRates(greatest float64) func(value, step float64) string {
	if greatest < 1e4 {
		return in(greatest, unit{1, ""})
	}
	return in(greatest, unit{1e3, "k"}, unit{1e6, "M"})
}

// memoryAxis is an axis of bytes, from 0 to a greatest value.
func memoryAxis(greatest float64) axis {
	units := []unit{{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}}
	return axis{Zero: true, Of: suits(greatest, units).Of, Label: in(greatest, units...)}
}

// asDuration writes a time of microseconds on a logarithmic axis.
func asDuration(microseconds, _ float64) string {
	for _, u := range []unit{{1e6, " s"}, {1e3, " ms"}, {0, " µs"}} {
		if microseconds >= u.Of*0.999 {
			return strconv.FormatFloat(microseconds/max(u.Of, 1), 'g', 3, 64) + u.Name
		}
	}
	return ""
}

// asShare writes a part of a whole.
func asShare(value, step float64) string {
	return in(1, unit{0.01, "%"})(value, step)
}
