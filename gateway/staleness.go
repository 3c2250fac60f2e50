package gateway

import (
	"slices"
	"sync/atomic"
	"time"
)

// revocationSource is somebody who brings revocations and is heard of again and
// again, whether or not there are any: who is silent may know of some.
type revocationSource struct {
	// name is the word in readiness, label the one in metrics.
	name, label string
	// begun is when the gateway began to listen.
	begun time.Time
	// heard is when the source was last heard of whole; zero for never.
	heard func() time.Time
	// behind says why the source has not been caught up with, "" where it has.
	behind func() string
}

// age is how long the source has been silent, since the gateway listens at most.
func (r *revocationSource) age(now time.Time) time.Duration {
	heard := r.heard()
	if heard.IsZero() {
		heard = r.begun
	}
	return max(0, now.Sub(heard))
}

// staleness is what the gateway makes of the silence of sources.
type staleness struct {
	soft, hard time.Duration
	past       atomic.Bool // one of them is past its hard limit
}

// stale reports whether a source was past its hard limit when somebody last
// looked. It is asked by every request.
func (s *staleness) stale() bool { return s.past.Load() }

// look finds out whether a source is past its hard limit, and whether that has
// changed.
func (s *staleness) look(sources []revocationSource, now time.Time) (past, changed bool) {
	past = slices.ContainsFunc(sources, func(r revocationSource) bool { return r.age(now) >= s.hard })
	return past, s.past.Swap(past) != past
}

// missing says what stands between the sources and readiness.
func (s *staleness) missing(sources []revocationSource, now time.Time) []string {
	var list []string
	for n := range sources {
		r := &sources[n]
		if why := r.behind(); why != "" {
			list = append(list, "revocations from "+r.name+": "+why)
		} else if r.age(now) >= s.hard {
			list = append(list, "revocations from "+r.name+": silent for longer than hard_stale")
		}
	}
	return list
}

// refusesStale reports whether some site refuses what may be revoked unheard.
func (st *state) refusesStale() bool {
	return slices.ContainsFunc(st.sites, func(s *site) bool { return s.refusesStale })
}

// lookEvery is how often the ages of sources are looked at.
const lookEvery = time.Second

// watchSources looks at the ages of the sources until the gateway ends.
func (g *Gateway) watchSources() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.base.Done():
			return
		case <-tick.C:
		}
		g.lookAtSources(g.state.Load(), time.Now())
	}
}

// lookAtSources has requests refused from now on, or no longer, as the sources' ages
// say. Readiness looks, too: who is told that the gateway is ready is served.
func (g *Gateway) lookAtSources(st *state, now time.Time) {
	past, changed := g.staleness.look(st.sources, now)
	switch {
	case changed && past:
		g.log.Error("a source of revocations has been silent for longer than revocation.hard_stale")
	case changed:
		g.log.Info("all sources of revocations are heard of again")
	}
}
