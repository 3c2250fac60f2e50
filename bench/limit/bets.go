package limit

import (
	"cmp"
	"math"
	"slices"
)

// shares are the parts of the capital that are put on an outcome; the capital is
// spread over them evenly. They were chosen, with the constants of search.go, so that
// simulated targets need few trials.
var shares = [...]float64{0.5, 0.75, 1} //nolint:gochecknoglobals // a constant, if Go had them

// portion is the part of the capital that is left which goes to a rate tried anew.
const portion = 0.6

// point is a trial that said something.
type point struct {
	rate float64
	kept bool
}

// stake is a rate that is to be proven, and the trial from which on bets are made.
type stake struct {
	rate  float64
	trial int
}

// ledger has all trials and the bets on them; see the package for what they prove.
type ledger struct {
	points []point
	// low are the rates of which it is bet that they and lower ones keep the
	// objective, high those of which it is bet that they and higher ones fail.
	low, high []stake
}

// capital is what the player against x* = x has.
func (l *ledger) capital(x float64) float64 {
	return l.side(l.low, x, true) * l.side(l.high, x, false)
}

// side is the capital of the bets on one outcome. Each trial is in that of one side
// only, so that the product of both is fair where each is.
func (l *ledger) side(stakes []stake, x float64, kept bool) float64 {
	capital, left := 0.0, 1.0
	for _, s := range stakes {
		won, lost := 0, 0
		for _, p := range l.points[s.trial:] {
			bet := p.rate > x && p.rate <= s.rate
			if !kept {
				bet = p.rate <= x && p.rate >= s.rate
			}
			switch {
			case !bet:
			case p.kept == kept:
				won++
			default:
				lost++
			}
		}
		each := float64(len(shares))
		if won+lost > 0 {
			each = 0
			for _, share := range shares {
				each += math.Pow(1+share, float64(won)) * math.Pow(1-share, float64(lost))
			}
		}
		capital += left * portion * each / float64(len(shares))
		left *= 1 - portion
	}
	return capital + left
}

// interval is the hull of all limits that are not refuted at a confidence; 0 and +Inf
// are no bounds.
func (l *ledger) interval(confidence float64) (low, high float64) {
	if len(l.low)+len(l.high) == 0 {
		return 0, math.Inf(1)
	}
	rates := []float64{0}
	for _, p := range l.points {
		rates = append(rates, p.rate)
	}
	slices.SortFunc(rates, cmp.Compare[float64])
	rates = append(slices.Compact(rates), math.Inf(1))
	// What speaks against x is the same from one rate that was tried to the next.
	low, high = 0, math.Inf(1)
	found := false
	for i, x := range rates[:len(rates)-1] {
		if l.capital(x) >= 1/(1-confidence) {
			continue
		}
		if !found {
			low, found = x, true
		}
		high = rates[i+1]
	}
	return low, high
}

// score is how often a stake's own rate won and lost since it was made.
func (l *ledger) score(s stake, kept bool) (won, lost int) {
	for _, p := range l.points[s.trial:] {
		switch {
		case p.rate != s.rate:
		case p.kept == kept:
			won++
		default:
			lost++
		}
	}
	return won, lost
}
