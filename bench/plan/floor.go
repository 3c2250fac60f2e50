package plan

import (
	"math"
	"math/rand/v2"
)

// floor is the replicas with their servers. For each server it holds when it will have done all that it was given:
// with one line in the order of arrival a request gets the server that is free first, and begins then (Kiefer and
// Wolfowitz's recursion).
type floor struct {
	servers  int
	free     []float64 // of all servers, replica by replica; in each replica a heap, the first one on top
	first    int       // of the replicas that are there
	perZone  int
	balance  Balance
	busy     float64 // server seconds between begin and end
	from, to float64
}

func newFloor(w *World) *floor {
	return &floor{
		servers: w.Servers, perZone: w.ReplicasPerZone, balance: w.Balance,
		free: make([]float64, w.Zones*w.ReplicasPerZone*w.Servers),
	}
}

func (f *floor) replicas() int { return len(f.free) / f.servers }

// alive is how many replicas there are.
func (f *floor) alive() int { return f.replicas() - f.first }

// watch begins to count how long servers are busy between two times. What is under way at the first counts from there.
func (f *floor) watch(from, to float64) { f.busy, f.from, f.to = 0, from, to }

// choose picks a replica for a request that any may have.
func (f *floor) choose(draw *rand.Rand) int {
	start := f.first + draw.IntN(f.alive())
	if f.balance != LeastLoaded {
		return start
	}
	best := start
	for i := range f.alive() {
		r := f.first + (start-f.first+i)%f.alive()
		if f.free[r*f.servers] < f.free[best*f.servers] {
			best = r
		}
	}
	return best
}

// serve gives a replica a request and returns how long that waits.
func (f *floor) serve(replica int, now, service float64) (wait float64) {
	heap := f.free[replica*f.servers : (replica+1)*f.servers]
	begin := math.Max(now, heap[0])
	end := begin + service
	f.busy += math.Max(0, math.Min(end, f.to)-math.Max(begin, f.from))
	heap[0] = end
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return begin - now
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// lose takes the first zone away and returns how many of its servers were at work.
func (f *floor) lose(now float64) (cut int64) {
	for _, free := range f.free[f.first*f.servers : (f.first+f.perZone)*f.servers] {
		if free > now {
			cut++
		}
	}
	f.first += f.perZone
	return cut
}
