package scenario

import (
	"math"
	"sync/atomic"
	"time"
)

// course is what happens when in a run. The load's goroutines read it while actions write it.
type course struct {
	begun   atomic.Int64 // when the load began, in nanoseconds since origin; math.MinInt64: it has not
	origin  time.Time
	started chan struct{} // closed when the load begins
	moments []happening   // of actions, by their index
}

// happening is the beginning and the end of an action, each from when it was ordered to when it was done, in nanoseconds
// since the load began. What has not come has math.MaxInt64.
type happening struct{ beginLo, beginHi, endLo, endHi atomic.Int64 }

func newCourse(actions int) *course {
	c := &course{origin: time.Now(), started: make(chan struct{}), moments: make([]happening, actions)}
	c.begun.Store(math.MinInt64)
	for i := range c.moments {
		h := &c.moments[i]
		for _, at := range []*atomic.Int64{&h.beginLo, &h.beginHi, &h.endLo, &h.endHi} {
			at.Store(math.MaxInt64)
		}
	}
	return c
}

// begin tells when the load begins, once.
func (c *course) begin(at time.Time) {
	c.begun.Store(int64(at.Sub(c.origin)))
	close(c.started)
}

// now is how long the load has been going; 0 before it begins, so that what is judged then is judged as at its
// beginning.
func (c *course) now() time.Duration {
	begun := c.begun.Load()
	if begun == math.MinInt64 {
		return 0
	}
	return time.Since(c.origin) - time.Duration(begun)
}

// at is when a moment on the clock is, in the time of the course, once the load has begun.
func (c *course) at(t time.Time) time.Duration {
	return t.Sub(c.origin) - time.Duration(c.begun.Load())
}

// span is when a moment is, as far as is known.
func (c *course) span(m moment, actions map[string]int, open time.Duration) span {
	switch {
	case m.open:
		return span{open, open}
	case m.action == "":
		return span{m.plus, m.plus}
	}
	h := &c.moments[actions[m.action]]
	if m.end {
		return span{time.Duration(h.endLo.Load()), time.Duration(h.endHi.Load())}.add(m.plus)
	}
	return span{time.Duration(h.beginLo.Load()), time.Duration(h.beginHi.Load())}.add(m.plus)
}
