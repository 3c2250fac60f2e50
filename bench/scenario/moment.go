package scenario

import (
	"math"
	"strings"
	"time"
)

// Times of the course of a run count from the beginning of the load.
const (
	always = time.Duration(math.MinInt64) // before everything
	never  = time.Duration(math.MaxInt64) // after everything
)

// moment is when a rule begins or ends to hold: a time, or some time after an action began or ended.
type moment struct {
	action string // "" is a time
	end    bool
	plus   time.Duration
	open   bool // it was not given
}

// parseMoment reads 30s, NAME, NAME.end and NAME.end+5s; "" is open.
func parseMoment(text string) (m moment, ok bool) {
	if text == "" {
		return moment{open: true}, true
	}
	if d, err := time.ParseDuration(text); err == nil {
		return moment{plus: d}, d >= 0
	}
	name, plus, later := strings.Cut(text, "+")
	if later {
		d, err := time.ParseDuration(strings.TrimSpace(plus))
		if err != nil || d < 0 {
			return m, false
		}
		m.plus = d
	}
	m.action, m.end = strings.CutSuffix(strings.TrimSpace(name), ".end")
	return m, m.action != ""
}

// span is when a moment may be: not before lo, and by hi for certain.
type span struct{ lo, hi time.Duration }

func (s span) add(d time.Duration) span {
	later := func(t time.Duration) time.Duration {
		if t == always || t == never {
			return t
		}
		return t + d
	}
	return span{later(s.lo), later(s.hi)}
}

// window is between two moments.
type window struct{ from, until span }

// touches says that what was decided between sent and answered may have been decided in the window.
func (w window) touches(sent, answered time.Duration) bool {
	return w.from.lo <= answered && sent < w.until.hi
}

// covers says that it certainly was.
func (w window) covers(sent, answered time.Duration) bool {
	return w.from.hi <= sent && answered < w.until.lo
}
