package overload

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ShedderConfig bounds the requests in flight.
type ShedderConfig struct {
	// Floor is how many are always let in. Default: 256; from 1 to Ceiling.
	Floor int
	// Ceiling is how many are let in at most. Default: 65,536; up to
	// 10,000,000.
	Ceiling int
	// Target is how late the process may be with its own work before the limit
	// shrinks. Default: 2 ms; from 100 µs to 1 s.
	Target time.Duration
	// Fixed keeps the limit at Ceiling, however late the process is.
	Fixed bool
}

// The defaults and bounds of ShedderConfig.
const (
	defaultFloor   = 256
	defaultCeiling = 65_536
	maxCeiling     = 10_000_000
	defaultTarget  = 2 * time.Millisecond
	minTarget      = 100 * time.Microsecond
	maxTarget      = time.Second
)

// Shedder decides which requests are let in. Its methods are safe for
// concurrent use; those called once a request take no lock.
type Shedder struct {
	fixed    bool
	ceiling  int64
	limit    atomic.Int64
	_        [48]byte
	inFlight atomic.Int64
	_        [56]byte

	cold, share, full atomic.Uint64
	lateWindows       atomic.Uint64

	// mu guards what is touched when the limit moves.
	mu    sync.Mutex
	state limit
	sites []*SiteShare
}

// SiteShare counts the requests of one site in flight.
type SiteShare struct {
	weight   int64
	share    atomic.Int64
	inFlight atomic.Int64
	_        [40]byte
}

// ShedStats is what the shedder did since the start.
type ShedStats struct {
	// InFlight and Limit are those of the moment.
	InFlight, Limit int64
	// Verifications counts new tokens that were not verified because the limit
	// was near, OverShare requests of sites over their share at the limit, and
	// Rest those refused at the ceiling.
	Verifications, OverShare, Rest uint64
	// LateWindows counts the tenths of a second in which the process was late.
	LateWindows uint64
}

// NewShedder returns a shedder whose limit is the ceiling. An error wraps
// ErrConfig.
func NewShedder(c ShedderConfig) (*Shedder, error) {
	if c.Ceiling == 0 {
		c.Ceiling = defaultCeiling
	}
	if c.Floor == 0 {
		c.Floor = min(defaultFloor, c.Ceiling)
	}
	if c.Target == 0 {
		c.Target = defaultTarget
	}
	switch {
	case c.Ceiling < 0 || c.Ceiling > maxCeiling:
		return nil, fmt.Errorf("%w: Ceiling must be from 1 to %d", ErrConfig, maxCeiling)
	case c.Floor < 0 || c.Floor > c.Ceiling:
		return nil, fmt.Errorf("%w: Floor must be from 1 to Ceiling", ErrConfig)
	case c.Target < minTarget || c.Target > maxTarget:
		return nil, fmt.Errorf("%w: Target must be from %s to %s", ErrConfig, minTarget, maxTarget)
	}
	s := &Shedder{
		fixed:   c.Fixed,
		ceiling: int64(c.Ceiling),
		state:   limit{floor: int64(c.Floor), ceiling: int64(c.Ceiling), target: c.Target, now: int64(c.Ceiling)},
	}
	s.limit.Store(s.state.now)
	return s, nil
}

// Site adds a site. Its share of the limit is its weight (from 1) among those
// of all sites that have requests in flight. A site that is configured anew
// keeps its SiteShare, so that what it has in flight still counts.
func (s *Shedder) Site(weight int) *SiteShare {
	site := &SiteShare{weight: int64(max(weight, 1))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sites = append(s.sites, site)
	s.divide()
	return site
}

// Forget takes a site out that is configured no more. What it has in flight
// still leaves.
func (s *Shedder) Forget(site *SiteShare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sites {
		if s.sites[i] == site {
			s.sites = append(s.sites[:i:i], s.sites[i+1:]...)
			break
		}
	}
	s.divide()
}

// Enter decides whether a request of the site is let in: below the limit
// always, from there on as long as its site holds less than its share, and
// never above the ceiling. Whoever is Admitted calls Leave in the end.
func (s *Shedder) Enter(site *SiteShare) Outcome {
	all := s.inFlight.Add(1)
	here := site.inFlight.Add(1)
	switch {
	case all <= s.limit.Load():
		return Admitted
	case all > s.ceiling:
		s.full.Add(1)
	case here > site.share.Load():
		s.share.Add(1)
	default:
		return Admitted
	}
	s.Leave(site)
	return Refused
}

// Leave ends what Enter admitted.
func (s *Shedder) Leave(site *SiteShare) {
	site.inFlight.Add(-1)
	s.inFlight.Add(-1)
}

// StepAside is for a request that was let in and now stands in a line that has a
// bound of its own: until StepBack it counts neither for the limit nor for its
// site. A line of new tokens would otherwise keep verified ones out.
func (s *Shedder) StepAside(site *SiteShare) { s.Leave(site) }

// StepBack ends StepAside. It always lets in: those who come back are no more at a
// time than the line lets through.
func (s *Shedder) StepBack(site *SiteShare) {
	s.inFlight.Add(1)
	site.inFlight.Add(1)
}

// Verify decides whether a request that was let in may go on to verify a token
// that nobody has seen before: as long as the others take less than three
// quarters of the limit.
func (s *Shedder) Verify() Outcome {
	if s.Crowded() {
		s.cold.Add(1)
		return Refused
	}
	return Admitted
}

// Crowded reports whether Verify would refuse. It counts nothing.
func (s *Shedder) Crowded() bool {
	others := s.inFlight.Load() - 1
	return others*4 >= s.limit.Load()*3
}

// Observe takes in how late the process was with its own work. A Monitor does
// this.
func (s *Shedder) Observe(late time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fixed {
		s.divide()
		return
	}
	ended, overloaded := s.state.observe(late, s.inFlight.Load(), now)
	if overloaded {
		s.lateWindows.Add(1)
	}
	if ended {
		s.limit.Store(s.state.now)
	}
	s.divide()
}

// divide gives every site its share of the limit: what it would have if it
// were active beside those that are.
func (s *Shedder) divide() {
	active := int64(0)
	for _, site := range s.sites {
		if site.inFlight.Load() > 0 {
			active += site.weight
		}
	}
	for _, site := range s.sites {
		among := active
		if site.inFlight.Load() <= 0 {
			among += site.weight
		}
		site.share.Store(max(1, s.state.now*site.weight/max(among, site.weight)))
	}
}

// Stats reads the counters.
func (s *Shedder) Stats() ShedStats {
	return ShedStats{
		InFlight: s.inFlight.Load(), Limit: s.limit.Load(),
		Verifications: s.cold.Load(), OverShare: s.share.Load(), Rest: s.full.Load(),
		LateWindows: s.lateWindows.Load(),
	}
}

// InFlight returns the requests of the site in flight.
func (s *SiteShare) InFlight() int64 { return s.inFlight.Load() }
