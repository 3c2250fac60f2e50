package target

import (
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// counter follows one counter: what it has counted since it was first seen, however
// often it began anew.
type counter struct {
	last, sum float64
	seen      bool
}

// start is what the counter shows when counting begins. What is no count is none.
func (c *counter) start(value float64) {
	if countable(value) {
		c.last, c.seen = value, true
	}
}

// add takes what the counter shows now, and says whether it went back. One that was
// not there before began at 0. anew says that its process was started again.
func (c *counter) add(value float64, anew bool) (wentBack bool) {
	if !countable(value) {
		return false
	}
	before := c.last
	if wentBack = value < before; wentBack || anew {
		before = 0
	}
	c.sum += value - before
	c.last, c.seen = value, true
	return wentBack
}

func countable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// counters follows the counters of one name, each with its labels.
type counters map[string]*labelled

type labelled struct {
	counter
	outcome, reason string
}

// follow takes a family as it is now, and returns how many counters went back and
// whether all were followed.
func (c counters) follow(family *dto.MetricFamily, first, anew bool) (wentBack int, all bool) {
	all = true
	for _, m := range family.GetMetric() {
		value, ok := number(m)
		if !ok {
			continue
		}
		key := labels(m)
		one := c[key]
		if one == nil {
			if len(c) >= MaxSeries {
				all = false
				continue
			}
			one = &labelled{outcome: label(m, "outcome"), reason: label(m, "reason")}
			c[key] = one
		}
		if first {
			one.start(value)
		} else if one.add(value, anew) {
			wentBack++
		}
	}
	return wentBack, all
}

// histograms follows the histograms of one name, each with its labels.
type histograms struct {
	last map[string]*histogram
	sum  histogram
}

func (h *histograms) follow(family *dto.MetricFamily, first, anew bool) (wentBack int, all bool) {
	all = true
	for _, m := range family.GetMetric() {
		now := readHistogram(m.GetHistogram())
		if now == nil {
			continue
		}
		key := labels(m)
		before, known := h.last[key]
		if !known && len(h.last) >= MaxSeries {
			all = false
			continue
		}
		h.last[key] = now
		if first {
			continue
		}
		if anew {
			before = nil
		}
		more, back := now.since(before)
		if back {
			wentBack++
		}
		h.sum.add(more)
	}
	return wentBack, all
}

// number is the value of a counter, a gauge or what has no type.
func number(m *dto.Metric) (float64, bool) {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue(), true
	case m.Gauge != nil:
		return m.GetGauge().GetValue(), true
	case m.Untyped != nil:
		return m.GetUntyped().GetValue(), true
	}
	return 0, false
}

// sole is the value of a family without labels.
func sole(families map[string]*dto.MetricFamily, name string) (float64, bool) {
	metrics := families[name].GetMetric()
	if len(metrics) != 1 {
		return 0, false
	}
	value, ok := number(metrics[0])
	return value, ok && countable(value)
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// labels is what tells a series from the others of its name.
func labels(m *dto.Metric) string {
	pairs := make([]string, 0, 8)
	for _, l := range m.GetLabel() {
		pairs = append(pairs, l.GetName()+"\x00"+l.GetValue())
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x01")
}
