// Package heap sets the pace of the garbage collector by a room in bytes.
//
// Go's own pace, GOGC, is a share of what is in use. A gateway has little in use
// and makes garbage for every request that it verifies or refuses, so at that
// pace it collects all the time, and each collection slows the requests beside
// it. What costs memory is the room that the heap may grow by, so that is what
// an operator sets; GOMEMLIMIT, where set, bounds both.
package heap

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// goPace is Go's default GOGC: a heap grows by as much as is in use.
const goPace = 100

// leastLive is taken for what is in use where that is less, or not known before
// the first collection: Go's runtime takes its own pace from there, too.
const leastLive = 4 << 20

// Percent returns the GOGC, in percent, by which a heap with live bytes in use
// grows by room bytes before it is collected, or by as much as a collection has
// to look through where that is more: scanned, the part of live that may hold
// pointers. What holds none, such as ten million revocations, costs a collection
// nothing and buys no garbage. At least 1. Less than 4 MiB in use counts as 4 MiB.
func Percent(live, scanned, room uint64) int {
	percent := math.Ceil(float64(max(room, scanned)) * 100 / float64(max(live, leastLive)))
	return int(min(max(percent, 1), math.MaxInt32))
}

// every is how often the pace is looked at: what was allocated since the last
// collection, at a pace that was set before it, is the most by which the room is
// exceeded.
const every = 100 * time.Millisecond

// Keep lets the heap of this process grow by room bytes between two
// collections, or by as much as is scanned in one where that is more, until stop is
// called; that sets Go's own pace again. Where the environment sets GOGC, that
// holds and Keep does nothing, as with a room of 0. At most one at a time in a
// process: the pace is the process's.
func Keep(room uint64) (stop func()) {
	if room == 0 || os.Getenv("GOGC") != "" {
		return func() {}
	}
	k := &keeper{room: room, sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}}
	k.adjust()
	over := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				k.adjust()
			case <-over:
				debug.SetGCPercent(goPace)
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(over)
		running.Wait()
	})
}

// keeper sets the pace by what the last collection found in use.
type keeper struct {
	room    uint64
	percent int
	sample  []metrics.Sample
}

func (k *keeper) adjust() {
	metrics.Read(k.sample)
	percent := Percent(k.sample[0].Value.Uint64(), k.sample[1].Value.Uint64(), k.room)
	// Setting the pace stops the world for a moment: not for small changes.
	if change := percent - k.percent; max(change, -change) > k.percent/8 {
		k.percent = percent
		debug.SetGCPercent(percent)
	}
}
