package pace

import (
	"math"
	"math/rand/v2"
	"time"
)

// Schedule places requests along a profile. It may be shared.
type Schedule struct {
	profile Profile
	poisson bool
	seed    uint64
}

// Even spaces requests as evenly as the rate allows.
func (p Profile) Even() Schedule { return Schedule{profile: p} }

// Poisson draws arrivals that know nothing of each other, as those of many people
// do. The same seed draws the same arrivals.
func (p Profile) Poisson(seed uint64) Schedule {
	return Schedule{profile: p, poisson: true, seed: seed}
}

// Profile is the rate that the requests are placed along.
func (s Schedule) Profile() Profile { return s.profile }

// Most is how many requests the schedule has; with random arrivals, of which there
// are as many as Due says on average, no fewer than those of all but one of some ten
// million draws.
func (s Schedule) Most() int64 {
	due := s.profile.due
	if s.poisson {
		// A Poisson variable of mean λ has a standard deviation of √λ; the last term
		// is for the tail of a small λ.
		return int64(due + 5.5*math.Sqrt(due) + 10)
	}
	// The n-th, from 0, is due where Λ is n + 1/2, if that is less than all of it.
	return int64(math.Ceil(due - 0.5))
}

// Arrivals begins the schedule anew. Every call gives the same arrivals.
func (s Schedule) Arrivals() *Arrivals {
	a := &Arrivals{profile: s.profile, n: -1}
	if s.poisson {
		a.rng = rand.New(rand.NewPCG(s.seed, 0x9e3779b97f4a7c15)) //nolint:gosec // the arrivals are to be repeatable
	}
	return a
}

// Arrivals gives the requests of a schedule in the order in which they are due.
// It is for one goroutine.
type Arrivals struct {
	profile Profile
	rng     *rand.Rand // nil: evenly
	n       int64
	y       float64
	piece   int
}

// Next returns the number of the next request, from 0, and when it is due, as a
// time since the start. After the last it returns false. It does not allocate.
func (a *Arrivals) Next() (n int64, due time.Duration, ok bool) {
	a.n++
	if a.rng != nil {
		a.y += a.rng.ExpFloat64()
	} else {
		// Counted, and not added up, so that no error builds up over the hours.
		a.y = float64(a.n) + 0.5
	}
	p := &a.profile
	if a.y >= p.due {
		a.n--
		a.y = p.due
		return 0, 0, false
	}
	for a.piece+1 < len(p.pieces) && a.y >= p.befores[a.piece+1] {
		a.piece++
	}
	t := p.starts[a.piece] + p.pieces[a.piece].after(a.y-p.befores[a.piece])
	return a.n, min(time.Duration(t*1e9), p.duration), true
}
