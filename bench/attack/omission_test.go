package attack

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// stalling is a target that answers nothing for the first 100 ms of every second.
type stalling struct {
	started time.Time
	mu      sync.Mutex
	stalled map[int]int // requests that a second's stall has held up
}

func (s *stalling) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	since := time.Since(s.started)
	if left := since.Truncate(time.Second) + 100*time.Millisecond - since; left > 0 {
		s.mu.Lock()
		s.stalled[int(since/time.Second)]++
		s.mu.Unlock()
		<-time.After(left)
	}
	_, _ = w.Write([]byte("ok"))
}

// slower counts the times of a histogram above d.
func slower(h *hdrhistogram.Histogram, d time.Duration) (n int64) {
	for _, bar := range h.Distribution() {
		if bar.From > int64(d) {
			n += bar.Count
		}
	}
	return n
}

// A stall holds up as many requests of a closed loop as there are connections,
// and all those of an open loop that are due meanwhile: at 400 a second, 40.
func TestStallShowsInAnOpenLoopAndHidesInAClosedOne(t *testing.T) {
	t.Parallel()
	const connections, perSecond, stalls = 2, 400, 3
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		h := &stalling{started: time.Now(), stalled: map[int]int{}}
		target := serve(t, h.ServeHTTP)
		c := load(t, target.URL, perSecond, stalls*time.Second)
		c.Connections = connections

		open := attackOn(t, c, with)
		if open.Failed > 0 || open.Answered != stalls*perSecond {
			t.Fatalf("%d answered, %d failed", open.Answered, open.Failed)
		}
		// Of the 40 of a stall, 20 were due in its first half and took more than 50 ms.
		shown := slower(open.Latency.Histogram(), 50*time.Millisecond)
		if shown < (stalls-1)*15 {
			t.Errorf("open loop: %d requests took more than 50 ms, want %d or more", shown, (stalls-1)*15)
		}
		// What the target itself had in hand meanwhile is no more than its connections,
		// give or take those of a stall that the machine itself made.
		if hidden := slower(open.Service.Histogram(), 50*time.Millisecond); hidden*3 > shown {
			t.Errorf("%d requests took more than 50 ms since they were sent, of %d since they were due", hidden, shown)
		}

		c.Schedule, c.Duration = nil, stalls*time.Second
		closed := attackOn(t, c, with)
		if closed.Failed > 0 {
			t.Fatalf("%d failed", closed.Failed)
		}
		share := float64(slower(closed.Latency.Histogram(), 50*time.Millisecond)) / float64(closed.Answered)
		if shownShare := float64(shown) / float64(open.Answered); share*3 > shownShare {
			t.Errorf("closed loop: %.4f of requests took more than 50 ms, open loop %.4f: the stall did not hide", share, shownShare)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.stalled) < stalls {
			t.Errorf("the target stalled %d times only", len(h.stalled))
		}
	})
}

// The target's delays are long, and it notes itself how long they really were, so
// that what is compared is the measurement and not the machine's timers. A machine
// that is busy otherwise makes one measurement wrong or another, and never right.
func TestKnownDistributionIsRecovered(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		var wrong []string
		for range 5 {
			if wrong = recovered(t, with); len(wrong) == 0 {
				return
			}
		}
		t.Errorf("five times over, the last time: %v", wrong)
	})
}

// recovered measures a target with known delays, and returns what is not as the
// target itself says, within 2%.
func recovered(t *testing.T, with func(*run) ([]engine, string)) (wrong []string) {
	t.Helper()
	h := &slow{}
	target := serve(t, h.ServeHTTP)
	var source Cycle
	for i := range 100 {
		path := "/200ms"
		switch {
		case i%100 == 99:
			path = "/800ms"
		case i%10 == 9:
			path = "/600ms"
		case i%5 == 2:
			path = "/400ms"
		}
		source = append(source, at(t, target.URL, path, Expect{Statuses: []int{http.StatusOK}}))
	}
	c := load(t, target.URL, 100, 2*time.Second)
	c.Source, c.Connections = source, 128
	r := attackOn(t, c, with)
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Failed > 0 || len(h.took) != int(r.Answered) || r.Answered != 200 {
		t.Fatalf("%d answered, %d served, %d failed: %v", r.Answered, len(h.took), r.Failed, r.Failures)
	}
	slices.Sort(h.took)
	all := r.Latency.Histogram()
	for _, p := range []float64{25, 50, 75, 85, 95, 99.5} {
		want := float64(h.took[int(math.Ceil(p/100*float64(len(h.took))))-1])
		got := float64(all.ValueAtPercentile(p))
		if math.Abs(got-want) > 0.02*want {
			wrong = append(wrong, fmt.Sprintf("p%v is %v, want %v", p, time.Duration(got), time.Duration(want)))
		}
	}
	return wrong
}
