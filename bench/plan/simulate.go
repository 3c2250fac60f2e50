package plan

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Balance says which of the replicas that may have a request gets it.
type Balance string

// The ways to balance.
const (
	// Random deals each request by chance: what the formulas assume, and the worst of the usual ways.
	Random Balance = "random"
	// LeastLoaded gives it to the replica that can begin first.
	LeastLoaded Balance = "least_loaded"
)

// World is what is simulated: a fleet of replicas, each with one line and several servers, and tokens that are new to
// some of them. Requests arrive as a Poisson process whose rate may change in time.
type World struct {
	// Seed makes the draws: the same one the same result.
	Seed uint64
	// Seconds is how long it lasts. What begins within the first WarmupSeconds is not counted.
	Seconds, WarmupSeconds float64
	// PeakPerSecond is the highest rate, and RatePerSecond the one at a time; nil is the highest all the time.
	PeakPerSecond float64
	RatePerSecond func(seconds float64) float64

	// Zones hold ReplicasPerZone each, with Servers each.
	Zones, ReplicasPerZone, Servers int
	// LoseZoneAt is when the first zone goes, with all that is in it; 0 is never.
	LoseZoneAt float64
	Balance    Balance

	// WarmSeconds and ColdSeconds are how long a server needs for a request; with Exponential these are means of
	// exponential distributions.
	WarmSeconds, ColdSeconds float64
	Exponential              bool

	// UsesPerToken is how many requests a token makes; less than 1 is one. Draws is how often its requests are dealt
	// to replicas: 1 for sticky, UsesPerToken or more for each anew, else each of its connections.
	UsesPerToken, Draws float64
	// LiveTokens is about how many tokens are in use at a time.
	LiveTokens int
	// ForgottenShare is the share of tokens that a replica has seen but no longer remembers, and ForgottenAfterLoss
	// the same once a zone is lost.
	ForgottenShare, ForgottenAfterLoss float64
}

// Found is what a simulation found between two times.
type Found struct {
	Requests int64
	// Cold is how many had to be verified, Cut how many were in a zone when it was lost; those are asked again.
	Cold, Cut int64
	// BusyShare is the share of the time that servers were busy.
	BusyShare float64
	// Waited is how many waited at all, and MeanWaitSeconds the mean over all.
	Waited          int64
	MeanWaitSeconds float64
	// ColdShareError, BusyShareError and WaitP99Error, the latter in seconds, are the standard errors of the share of
	// cold requests, of BusyShare and of the 99th percentile: how far they may be off by chance.
	ColdShareError, BusyShareError, WaitP99Error float64

	waits *hdrhistogram.Histogram // nanoseconds
	sum   float64
}

// WaitQuantile is the time in seconds that the share p of requests waited at most.
func (f *Found) WaitQuantile(p float64) float64 {
	return float64(f.waits.ValueAtQuantile(100*p)) / 1e9
}

// longestWait is the longest wait that percentiles tell apart, in nanoseconds.
const longestWait = int64(600e9)

// nanoseconds is a wait as histograms take it.
func nanoseconds(wait float64) int64 { return min(int64(wait*1e9), longestWait) }

// mostRequests bounds a simulation.
const mostRequests = 50e6

func (w *World) validate() error {
	switch {
	case w.Zones < 1 || w.ReplicasPerZone < 1 || w.Servers < 1 || w.Zones*w.ReplicasPerZone > MaxReplicas || w.Servers > 256:
		return fmt.Errorf("%w: a world of %d zones, %d replicas in each, %d servers in each of them", ErrInput, w.Zones, w.ReplicasPerZone, w.Servers)
	case !(w.Seconds > 0 && w.PeakPerSecond > 0 && w.Seconds*w.PeakPerSecond <= mostRequests):
		return &fault{"requests", short(w.Seconds * w.PeakPerSecond), "1 to " + short(mostRequests)}
	case !(w.WarmupSeconds >= 0 && w.WarmupSeconds < w.Seconds):
		return &fault{"seconds that are not counted", number(w.WarmupSeconds), "0 or more, less than " + number(w.Seconds)}
	case !(w.WarmSeconds > 0 && w.ColdSeconds >= w.WarmSeconds):
		return &fault{"seconds of a cold request", number(w.ColdSeconds), "no less than of a warm one, more than 0"}
	case w.LoseZoneAt > 0 && w.Zones < 2:
		return &fault{"zones", number(float64(w.Zones)), "2 or more where one is lost"}
	}
	return nil
}

// Simulate plays a world through, event by event: each arrival meets the replicas as those before it left them, waits
// for the first server of its replica to be free, and is served. It returns what was found before a zone was lost and
// after it; where none is, the second is nil. Errors wrap [ErrInput].
func Simulate(w World) (before, after *Found, err error) {
	if err := w.validate(); err != nil {
		return nil, nil, err
	}
	draw := rand.New(rand.NewPCG(w.Seed, 0x9e3779b97f4a7c15)) //nolint:gosec // a simulation repeats its draws
	f := newFloor(&w)
	t := newTokens(&w, draw)
	end := w.Seconds
	if w.LoseZoneAt > 0 {
		end = w.LoseZoneAt
	}
	before = play(&w, f, t, draw, 0, math.Min(end, w.Seconds), math.Min(w.WarmupSeconds, end))
	if end >= w.Seconds {
		return before, nil, nil
	}
	cut := f.lose(end)
	t.lose(w.ReplicasPerZone, draw)
	t.forgotten = w.ForgottenAfterLoss
	// The same time to settle as at the start: what the loss itself does is for moments.
	after = play(&w, f, t, draw, end, w.Seconds, math.Min(end+w.WarmupSeconds, w.Seconds))
	after.Cut = cut
	return before, after, nil
}

// play lets requests arrive between two times, and counts those from when it has settled.
func play(w *World, f *floor, t *tokens, draw *rand.Rand, from, to, settled float64) *Found {
	found := &Found{waits: hdrhistogram.New(1, longestWait, 3)}
	f.watch(settled, to)
	parts := newStretches(settled, to)
	for now := from + draw.ExpFloat64()/w.PeakPerSecond; now < to; now += draw.ExpFloat64() / w.PeakPerSecond {
		// Lewis and Shedler: of arrivals at the highest rate each stays with the probability that the rate at its
		// time is of that.
		if w.RatePerSecond != nil && draw.Float64()*w.PeakPerSecond >= w.RatePerSecond(now) {
			continue
		}
		replica, cold := t.next(f, draw)
		service := w.WarmSeconds
		if cold {
			service = w.ColdSeconds
		}
		if w.Exponential {
			service *= draw.ExpFloat64()
		}
		parts.until(now, f.busy)
		wait := f.serve(replica, now, service)
		if now < settled {
			continue
		}
		parts.count(wait, cold)
		found.Requests++
		if cold {
			found.Cold++
		}
		if wait > 0 {
			found.Waited++
		}
		found.sum += wait
		_ = found.waits.RecordValue(nanoseconds(wait))
	}
	servers := float64(f.alive() * w.Servers)
	found.BusyShare = f.busy / ((to - settled) * servers)
	parts.until(to, f.busy)
	parts.tell(found, servers)
	if found.Requests > 0 {
		found.MeanWaitSeconds = found.sum / float64(found.Requests)
	}
	return found
}
