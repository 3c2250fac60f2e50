package cache

import "runtime"

// heapInUse returns what the heap holds once collections find nothing more to
// free: what tests before this one left goes when its goroutines have ended.
func heapInUse() int64 {
	const still = 3 // collections in a row that free next to nothing
	var m runtime.MemStats
	last := int64(1) << 62
	for n, calm := 0, 0; n < 200 && calm < still; n++ {
		runtime.GC()
		runtime.Gosched()
		runtime.ReadMemStats(&m)
		if now := int64(m.HeapAlloc); now < last-64<<10 {
			calm = 0
		} else {
			calm++
		}
		last = int64(m.HeapAlloc)
	}
	return last
}
