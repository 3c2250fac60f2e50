package overload

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What a simulated machine is like: two processors, what requests cost them
// (in ns), and what a request spends elsewhere, on the wire and upstream, in
// the best case.
const (
	simProcessors = 2
	simWarm       = 15_000
	simCold       = 80_000
	simRefusal    = 6_000 // of a cold one: read, decide, answer
	simUsher      = 2_000
	simElsewhere  = 200_000
	simWarmRate   = 20_000 // a second
	simTime       = int64(3 * time.Second)
	simPatience   = int64(500 * time.Millisecond) // an answer after that is none
)

// simTask is a piece of work that runs to its end.
type simTask struct {
	kind    simKind
	arrived int64
}

type simKind uint8

const (
	taskWarm simKind = iota
	taskCold
	taskVerify
	taskUsher
)

// simulation is a machine under Go's scheduler: what is ready runs in turn, to
// its end; what has arrived is looked at when nothing is ready.
type simulation struct {
	policy bool
	rng    *rand.Rand

	network []simTask // arrived, and not yet looked at
	ready   []simTask
	behind  []simTask // who yielded: after all that is ready
	warm    []int64   // latencies

	// The real line, and the rules of Verifications around it.
	line     line
	seats    []int64 // when those arrived who ever waited
	running  int
	idleFrom int64
	rung     bool

	coldServed, refused int
	goodput             int64 // ns
}

// simulate returns what came of it, and the processor time that went into
// requests that were served in time, as a part of all there was.
func simulate(policy bool, coldRate float64) (s *simulation, goodput float64) {
	s = &simulation{policy: policy, rng: rand.New(rand.NewPCG(7, 11))}
	s.line = newLine(simProcessors*turnsInAWait, simProcessors, standingAfter, standingFor(defaultMaxWait), defaultMaxWait)
	next := func(now int64, rate float64) int64 {
		if rate == 0 {
			return math.MaxInt64
		}
		return now + int64(s.rng.ExpFloat64()*1e9/rate)
	}
	warmAt, coldAt := next(0, simWarmRate), next(0, coldRate)
	var freeAt [simProcessors]int64
	var doing [simProcessors]*simTask
	for {
		p := 0
		for i := range freeAt {
			if freeAt[i] < freeAt[p] {
				p = i
			}
		}
		now := freeAt[p]
		if now > simTime {
			break
		}
		for min(warmAt, coldAt) <= now {
			if warmAt < coldAt {
				s.network = append(s.network, simTask{taskWarm, warmAt})
				warmAt = next(warmAt, simWarmRate)
			} else {
				s.network = append(s.network, simTask{taskCold, coldAt})
				coldAt = next(coldAt, coldRate)
			}
		}
		if doing[p] != nil {
			s.ended(*doing[p], now)
			doing[p] = nil
		}
		task, ok := s.next()
		if !ok {
			// Idle until something arrives, or the other processor has rung.
			wake := min(warmAt, coldAt)
			if doing[1-p] != nil {
				wake = min(wake, freeAt[1-p])
			}
			freeAt[p] = max(now+1, wake)
			continue
		}
		freeAt[p] = now + s.cost(&task, now)
		doing[p] = &task
	}
	return s, float64(s.goodput) / float64(simProcessors*simTime)
}

// next is what a processor runs next.
func (s *simulation) next() (simTask, bool) {
	for _, from := range []*[]simTask{&s.ready, &s.behind} {
		if len(*from) > 0 {
			task := (*from)[0]
			*from = (*from)[1:]
			return task, true
		}
	}
	if len(s.network) == 0 {
		return simTask{}, false
	}
	s.ready, s.network = s.network, nil
	return s.next()
}

// cost begins a task and says how long it takes.
func (s *simulation) cost(t *simTask, now int64) int64 {
	switch {
	case t.kind == taskWarm:
		return simWarm
	case t.kind == taskUsher:
		return simUsher
	case t.kind == taskVerify:
		return simCold - simRefusal
	case !s.policy:
		return simCold
	case s.line.n == 0 && now >= s.idleFrom && s.running < simProcessors:
		s.running++
		t.kind = taskVerify
		return simCold
	}
	// It waits, or is refused; what it has cost by then is the same.
	if s.line.join(int32(len(s.seats)), now) {
		s.seats = append(s.seats, t.arrived)
		if s.running < simProcessors {
			s.ring()
		}
	} else {
		s.refused++
	}
	return simRefusal
}

// ended is called when a task has ended.
func (s *simulation) ended(t simTask, now int64) {
	switch {
	case t.kind == taskWarm:
		s.warm = append(s.warm, now-t.arrived+simElsewhere)
		s.served(t, now, simWarm)
	case t.kind == taskUsher:
		s.usher(now)
	case t.kind == taskCold && !s.policy:
		s.coldServed++
		s.served(t, now, simCold)
	case t.kind == taskVerify:
		s.coldServed++
		s.served(t, now, simCold)
		s.running--
		s.idleFrom = max(s.idleFrom, now) + (simCold-simRefusal)/simProcessors
		if s.line.n > 0 {
			s.ring()
		}
	}
}

func (s *simulation) served(t simTask, now, cost int64) {
	if now-t.arrived+simElsewhere <= simPatience {
		s.goodput += cost
	}
}

func (s *simulation) ring() {
	if !s.rung {
		s.rung = true
		s.network = append(s.network, simTask{kind: taskUsher})
	}
}

func (s *simulation) usher(now int64) {
	s.rung = false
	for {
		if _, ok := s.line.late(now); !ok {
			break
		}
		s.refused++
	}
	for s.line.n > 0 && s.running < simProcessors {
		seat, _ := s.line.next(now)
		s.running++
		s.behind = append(s.behind, simTask{taskVerify, s.seats[seat]})
	}
}

func (s *simulation) p99() time.Duration {
	sorted := slices.Sorted(slices.Values(s.warm))
	return time.Duration(sorted[len(sorted)*99/100])
}

// TestStormOfNewTokensDoesNotStarveWarmTraffic offers twice as many new tokens
// as there is processor time for beside the warm traffic.
func TestStormOfNewTokensDoesNotStarveWarmTraffic(t *testing.T) {
	t.Parallel()
	const capacity = (simProcessors*1e9 - simWarmRate*simWarm) / simCold // new tokens a second
	unloaded, _ := simulate(true, 0)
	with, goodput := simulate(true, 2*capacity)
	without, goodputWithout := simulate(false, 2*capacity)
	t.Logf("warm p99 unloaded %s, in the storm %s (without %s); goodput %.1f%% (without %.1f%%); %d of %d new tokens served",
		unloaded.p99(), with.p99(), without.p99(), 100*goodput, 100*goodputWithout, with.coldServed, with.coldServed+with.refused)
	if with.p99() > 3*unloaded.p99() {
		t.Errorf("warm p99 %s, more than 3 times %s", with.p99(), unloaded.p99())
	}
	if goodput < 0.9 {
		t.Errorf("goodput %.3f of capacity", goodput)
	}
	if without.p99() < 100*unloaded.p99() || goodputWithout > 0.9 {
		t.Errorf("without the policy p99 is %s and goodput %.3f: the simulation shows nothing", without.p99(), goodputWithout)
	}
}
