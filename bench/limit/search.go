package limit

import "math"

const (
	// locateTrials bounds the trials that look for about where the limit is.
	locateTrials = 15
	// strikes is how often the generator must be the bottleneck at a rate before it
	// is not asked for again.
	strikes = 2
	// winsPerLoss is how many trials that a rate has won make up for one lost.
	winsPerLoss = 3
)

// phase is how far a search has come.
type phase uint8

const (
	bracketing phase = iota
	locating
	proving
)

// search decides which rate is tried next. It looks at no clock and makes no load.
type search struct {
	config Config
	ledger
	phase phase

	posterior *posterior
	located   int // trials of locating

	capped    float64 // a rate that the generator cannot make; +Inf where none is known
	claimed   float64 // the highest rate below it that the generator made
	unclaimed map[float64]int
	again     float64 // a rate to be tried once more; 0 is none
	noHigh    bool    // no rate above the limit can be asked for
	turns     int
}

func newSearch(c Config) *search {
	return &search{config: c, capped: math.Inf(1), unclaimed: map[float64]int{}}
}

// add takes what a trial says.
func (s *search) add(rate float64, v Verdict) {
	s.again = 0
	if v == Unclaimed {
		if s.unclaimed[rate]++; s.unclaimed[rate] < strikes {
			s.again = rate
			return
		}
		s.capped = min(s.capped, rate)
		s.claimed = 0
		for _, p := range s.points {
			if p.rate < s.capped {
				s.claimed = max(s.claimed, p.rate)
			}
		}
		return
	}
	if rate < s.capped {
		s.claimed = max(s.claimed, rate)
	}
	s.points = append(s.points, point{rate, v == Kept})
	if s.posterior != nil {
		s.posterior.update(rate, v == Kept)
	}
}

// top is the highest rate that can be asked for, as far as is known, and whether it is
// known to be that: where the generator is the limit it is looked for by halving.
func (s *search) top() (rate float64, final bool) {
	if math.IsInf(s.capped, 1) {
		return s.config.ToPerSecond, true
	}
	low := s.claimed
	if low == 0 {
		low = s.capped / 4 // nothing was possible yet
	}
	middle := round(math.Sqrt(low * s.capped))
	if s.claimed > 0 && (s.capped <= s.claimed*(1+s.config.Precision) || middle <= s.claimed || middle >= s.capped) {
		return s.claimed, true
	}
	return middle, false
}

// next is the rate of the next trial, or why there is none.
func (s *search) next() (rate float64, ended Ended) {
	if s.again > 0 {
		return s.again, ""
	}
	if s.phase == bracketing {
		if rate, ended := s.bracket(); rate > 0 || ended != "" {
			return rate, ended
		}
	}
	if s.phase == locating {
		if rate := s.locate(); rate > 0 {
			return rate, ""
		}
	}
	return s.prove()
}

// bracket doubles or halves the rate until two outcomes differ. It returns 0 when it is
// done.
func (s *search) bracket() (rate float64, ended Ended) {
	top, final := s.top()
	if top < s.config.FloorPerSecond {
		return 0, EndedGenerator
	}
	if len(s.points) == 0 {
		return min(s.config.FromPerSecond, top), ""
	}
	first, last := s.points[0], s.points[len(s.points)-1]
	switch {
	case !last.kept && !first.kept:
		if last.rate <= s.config.FloorPerSecond {
			return 0, EndedFloor
		}
		return max(round(last.rate/2), s.config.FloorPerSecond), ""
	case last.kept && first.kept:
		if last.rate >= top && final {
			s.startProving(top, 0)
			return 0, ""
		}
		return min(round(last.rate*2), top), ""
	}
	before := s.points[len(s.points)-2]
	s.posterior = newPosterior(min(before.rate, last.rate), max(before.rate, last.rate))
	s.phase = locating
	return 0, ""
}

// locate tries the median of where the limit may be, until it is known well enough; then
// it returns 0.
func (s *search) locate() (rate float64) {
	top, final := s.top()
	lower, median, upper := s.posterior.quantile(0.25), s.posterior.quantile(0.5), s.posterior.quantile(0.75)
	switch {
	case lower >= top && final:
		s.startProving(top, 0)
		return 0
	case upper <= lower*(1+s.config.Precision), s.located >= locateTrials:
		half := math.Sqrt(1 + s.config.Precision)
		s.startProving(median/half, median*half)
		return 0
	}
	s.located++
	return max(s.config.FloorPerSecond, min(round(median), top))
}

// startProving sets the rates that are to be proven; 0 is none above.
func (s *search) startProving(low, high float64) {
	s.phase = proving
	top, _ := s.top()
	s.low = append(s.low, stake{max(s.config.FloorPerSecond, min(round(low), top)), len(s.points)})
	low = s.low[len(s.low)-1].rate
	high = min(round(high), top)
	if s.noHigh = high <= low; !s.noHigh {
		s.high = append(s.high, stake{high, len(s.points)})
	}
}

// prove tries the rates below and above in turn until each is proven.
func (s *search) prove() (rate float64, ended Ended) {
	low, high := s.interval(s.config.Confidence)
	provenLow, provenHigh := low > 0, !math.IsInf(high, 1)
	floor := false
	s.low, floor = s.give(s.low, true)
	if !provenHigh {
		s.above()
	}
	switch {
	case provenLow && provenHigh:
		return 0, EndedFound
	case provenHigh && floor:
		return 0, EndedFloor
	case provenLow && s.noHigh:
		if !math.IsInf(s.capped, 1) {
			return 0, EndedGenerator
		}
		return 0, EndedCeiling
	}
	s.turns++
	if !provenLow && (provenHigh || s.noHigh || s.turns%2 == 1) {
		return s.low[len(s.low)-1].rate, ""
	}
	return s.high[len(s.high)-1].rate, ""
}

// above sees to the rate that is to be proven to fail.
func (s *search) above() {
	top, final := s.top()
	switch {
	case s.noHigh && len(s.high) == 0 && s.low[len(s.low)-1].rate < top && final:
		// The highest rate that can be asked for was to be proven to keep the
		// objective, and does not: now it is to be proven that it fails.
		s.noHigh = false
		s.high = []stake{{top, len(s.points)}}
	case s.noHigh:
	default:
		before := s.high[len(s.high)-1].rate
		s.high, _ = s.give(s.high, false)
		last := &s.high[len(s.high)-1]
		switch {
		case last.rate <= top:
		case final && (before == top || s.low[len(s.low)-1].rate >= top):
			// It wins too often, and none above can be asked for.
			s.noHigh = true
		case last.trial == len(s.points): // nothing was bet on it yet
			last.rate = top
		default:
			s.high = append(s.high, stake{top, len(s.points)})
		}
	}
}

// give lets a rate that loses too often give way to one further off, twice as far each
// time, and says whether there is none further down.
func (s *search) give(stakes []stake, kept bool) (_ []stake, floor bool) {
	last := stakes[len(stakes)-1]
	top, _ := s.top()
	won, lost := s.score(last, kept)
	if kept && last.rate > top {
		return append(stakes, stake{top, len(s.points)}), false
	}
	if lost-won/winsPerLoss < 1 {
		return stakes, false
	}
	factor := math.Pow(1+s.config.Precision, math.Exp2(float64(min(len(stakes), 4)-1)))
	if kept {
		if last.rate <= s.config.FloorPerSecond {
			return stakes, true
		}
		last.rate = max(s.config.FloorPerSecond, round(last.rate/factor))
	} else {
		last.rate = round(last.rate * factor)
	}
	last.trial = len(s.points)
	return append(stakes, last), false
}

// estimate is about where the limit is: within the interval, and where nothing was
// located the highest rate that kept the objective.
func (s *search) estimate() float64 {
	low, high := s.interval(s.config.Confidence)
	if s.posterior != nil && !s.noHigh {
		return round(min(max(s.posterior.quantile(0.5), low), high))
	}
	best := low
	for _, p := range s.points {
		if p.kept {
			best = max(best, p.rate)
		}
	}
	return min(best, high)
}

// round keeps four digits of a rate.
func round(rate float64) float64 {
	if rate <= 0 || math.IsInf(rate, 0) {
		return rate
	}
	unit := math.Pow(10, math.Floor(math.Log10(rate))-3)
	if unit < 1 { // 1/unit is a whole number where unit is none
		per := math.Round(1 / unit)
		return math.Round(rate*per) / per
	}
	return math.Round(rate/unit) * unit
}
