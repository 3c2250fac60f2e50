package plan

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat"
)

// manyStretches is into how many parts the time that is counted is cut.
const manyStretches = 25

// stretches are equal parts of the time that is counted. What is found in one of them knows next to nothing of the
// others, so that its spread over them tells how far what is found in all of them may be off by chance: the method of
// batch means, which holds where requests are not independent of each other, as in a queue.
type stretches struct {
	from, length float64
	ended        int

	requests, cold int64
	before         float64                   // server seconds at the end of the last one
	waits          []*hdrhistogram.Histogram // of each of them
	colds, works   []float64
}

func newStretches(from, to float64) *stretches {
	s := &stretches{from: from, length: (to - from) / manyStretches}
	for range manyStretches {
		s.waits = append(s.waits, hdrhistogram.New(1, longestWait, 2))
	}
	return s
}

// until ends the stretches that are over by then, with so many server seconds given away until now.
func (s *stretches) until(now, busy float64) {
	for s.ended < manyStretches && now >= s.from+float64(s.ended+1)*s.length*(1-1e-12) {
		s.ended++
		s.works = append(s.works, busy-s.before)
		s.before = busy
		// One without requests says nothing of them.
		if s.requests > 0 {
			s.colds = append(s.colds, float64(s.cold)/float64(s.requests))
		}
		s.requests, s.cold = 0, 0
	}
}

// count takes a request.
func (s *stretches) count(wait float64, cold bool) {
	s.requests++
	if cold {
		s.cold++
	}
	_ = s.waits[min(s.ended, manyStretches-1)].RecordValue(nanoseconds(wait))
}

// tell says the standard errors of what was found by so many servers.
func (s *stretches) tell(found *Found, servers float64) {
	found.ColdShareError = standardError(s.colds)
	found.BusyShareError = standardError(s.works) / (s.length * servers)
	// How far the share that waits longer than the percentile is off gives how far the percentile is: the percentiles
	// of those shares. Percentiles of the stretches themselves would be those of too few requests.
	const tail = 0.01
	p99 := found.waits.ValueAtQuantile(100 * (1 - tail))
	var longer []float64
	for _, waits := range s.waits {
		if waits.TotalCount() > 0 {
			longer = append(longer, shareAbove(waits, p99))
		}
	}
	off := standardError(longer)
	found.WaitP99Error = (found.WaitQuantile(1-math.Max(tail-off, 0)) - found.WaitQuantile(math.Max(1-tail-off, 0))) / 2
}

// shareAbove is the share of what a histogram has that is more than a value.
func shareAbove(h *hdrhistogram.Histogram, value int64) float64 {
	above := int64(0)
	for _, bar := range h.Distribution() {
		if bar.From > value {
			above += bar.Count
		}
	}
	return float64(above) / float64(h.TotalCount())
}

// standardError is that of the mean; 0 where there are too few values to say.
func standardError(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	return stat.StdDev(values, nil) / math.Sqrt(float64(len(values)))
}
