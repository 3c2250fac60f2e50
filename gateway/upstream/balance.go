package upstream

import "math/rand/v2"

// Balance says how the address of a request is chosen.
type Balance uint8

const (
	// LeastInFlight draws two addresses and uses the one with fewer requests
	// in flight.
	LeastInFlight Balance = iota
	// RoundRobin uses the addresses in turn.
	RoundRobin
)

// maxTried bounds the addresses that an exchange can tell apart. Of more, some
// may be passed over with another.
const maxTried = 256

// tried is the set of addresses that an exchange passed over.
type tried [maxTried / 64]uint64

func (t *tried) add(i int)      { t[i/64%len(t)] |= 1 << (i % 64) }
func (t *tried) has(i int) bool { return t[i/64%len(t)]&(1<<(i%64)) != 0 }

// choose returns the index of the address to use next, and the permission to. It
// draws among those that get requests now; where that fails it takes any that
// does, first another than the one that is to be avoided, and then any that is
// only ejected. The errors are ErrSaturated where an
// address could be used but for its bound, and ErrUnavailable.
func (g *Group) choose(a *attempt) (int, lease, error) {
	n := len(a.pools)
	first, saturated := 0, false
	if n > 1 {
		var second int
		first, second = g.draw(n)
		switch {
		case second != first:
			first = a.lighter(first, second)
		case !a.stands(first):
			first = (first + 1) % n
		}
	}
	const again, lastResort = 1, 2
	for pass := range lastResort + 1 {
		for i := range n {
			at := (first + i) % n
			p := a.pools[at]
			switch {
			case a.tried.has(at), at == a.avoid-1 && pass < again, !a.usable(p, pass == lastResort):
				continue
			case p.full():
				saturated = true
				continue
			}
			if l, ok := p.admit(); ok {
				return at, l, nil
			}
		}
		if saturated && pass >= again {
			return 0, lease{}, ErrSaturated
		}
	}
	return 0, lease{}, ErrUnavailable
}

// draw returns two addresses to choose from, the same one twice where the
// addresses are used in turn.
func (g *Group) draw(n int) (int, int) {
	if g.balance == RoundRobin {
		at := int(g.turn.Add(1) % uint64(n))
		return at, at
	}
	first, second := rand.IntN(n), rand.IntN(n-1)
	if second >= first {
		second++
	}
	return first, second
}

// usable reports whether p can be used: in the last resort also when it is
// ejected.
func (a *attempt) usable(p *Pool, lastResort bool) bool {
	if p.doubt.Load()&^failing == 0 {
		return true
	}
	if lastResort {
		return p.wait(a.now) <= 0
	}
	return p.weight(a.now) > 0
}

// lighter returns the one of two drawn addresses that has fewer requests in
// flight. One that gets a part of its requests only stands for election that
// often: its empty queue must not win it more.
func (a *attempt) lighter(i, j int) int {
	first, second := a.stands(i), a.stands(j)
	switch {
	case !second, first && a.pools[i].inFlight.Load() <= a.pools[j].inFlight.Load():
		return i
	}
	return j
}

func (a *attempt) stands(i int) bool {
	p := a.pools[i]
	if p.doubt.Load()&^failing == 0 {
		return !a.tried.has(i)
	}
	return !a.tried.has(i) && rand.Uint32N(fullWeight) < p.weight(a.now)
}

// full reports whether p's bounds leave no room. They are enforced when a
// connection is taken.
func (p *Pool) full() bool {
	return p.limits.inFlight > 0 && p.inFlight.Load() >= p.limits.inFlight
}
