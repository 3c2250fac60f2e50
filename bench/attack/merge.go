package attack

import (
	"errors"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ErrTimes is wrapped where [Times] are no histogram, or not the one that their count says.
var ErrTimes = errors.New("damaged distribution of times")

// MergeTimes adds distributions up. Every bucket is added to the same one of the others, so that
// the count, the percentiles and the extremes are those of a single histogram in which all was
// recorded. Errors wrap [ErrTimes].
func MergeTimes(all ...*Times) (Times, error) {
	sum := newHistogram()
	for _, t := range all {
		h, err := hdrhistogram.Decode([]byte(t.HDR))
		switch {
		case err != nil:
			return Times{}, fmt.Errorf("%w: %w", ErrTimes, err)
		case h.TotalCount() != t.Count:
			return Times{}, fmt.Errorf("%w: %d times, and a count of %d", ErrTimes, h.TotalCount(), t.Count)
		case h.LowestTrackableValue() != lowestNanoseconds || h.HighestTrackableValue() != highestNanoseconds || h.SignificantFigures() != significantDigits:
			// Buckets that are not the same ones cannot be added without loss.
			return Times{}, fmt.Errorf("%w: other buckets than those of vneid-bench", ErrTimes)
		}
		if dropped := sum.Merge(h); dropped != 0 {
			return Times{}, fmt.Errorf("%w: %d times cannot be added", ErrTimes, dropped)
		}
	}
	return times(sum), nil
}
