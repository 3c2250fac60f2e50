package overload

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// VerificationsConfig bounds the verification of signatures.
type VerificationsConfig struct {
	// Parallel is how many run at once. Default: GOMAXPROCS; from 1 to 1024.
	Parallel int
	// MaxWait is the longest that one waits for its turn while a burst passes.
	// Three quarters of it is what an overload makes everybody wait for before
	// anybody is refused for that. Default: 3 s; from 1 ms to 10 s.
	MaxWait time.Duration
	// MaxWaiting is how many may wait. Default: 4096 for each that runs, for which
	// a processor takes about a second; from 1 to 65,536.
	MaxWaiting int
}

const (
	// standingAfter is the interval of RFC 8289 section 4.2: how long a line stands
	// before it is an overload and not a burst.
	standingAfter = 100 * time.Millisecond

	// defaultMaxWait is more than the whole line takes, which is about a second:
	// where everybody who comes fits into it nobody is refused, and nothing is spent
	// on refusals, which cost a tenth to a fifth of what it costs to serve and would
	// make the line slower still. RFC 8289 section 4.3 wants less standing, for the
	// sake of those behind in the same line; here nobody is, since verified tokens
	// never wait in it.
	defaultMaxWait    = 3 * time.Second
	minMaxWait        = time.Millisecond
	maxMaxWait        = 10 * time.Second
	maxParallel       = 1024
	turnsInAWait      = 4096
	maxVerifyWaiting  = 1 << 16
	maxVerifyDuration = time.Second
)

// Verifications bounds how much of the processors new tokens may take. Safe for
// concurrent use.
type Verifications struct {
	parallel int64
	base     time.Time
	bell     bell

	running atomic.Int64
	// idleFrom is from when on nobody has to wait, in ns since base: after a
	// verification there is a pause of the same length (divided among those
	// that run at once) in which others must stand in line. So a verification
	// runs at once as long as they take less than half of the processors.
	idleFrom atomic.Int64
	rung     atomic.Bool
	waiting  atomic.Int64

	mu     sync.Mutex
	line   line
	seats  []chan Outcome
	free   []int32
	closed bool
	begin  sync.Once // of the usher, when somebody first waits
	ended  chan struct{}

	atOnce, waited, full, late atomic.Uint64
}

// bell is what [doorbell] does.
type bell interface {
	Ring()
	Wait() bool
	Close()
}

// VerificationStats is what became of verifications since the start.
type VerificationStats struct {
	// AtOnce counts those that began without waiting, AfterWait those that had
	// their turn, Full those refused because too many waited, and Late those
	// refused because they had waited for too long.
	AtOnce, AfterWait, Full, Late uint64
	// Running and Waiting are those of the moment; Parallel is the bound of
	// Running.
	Running, Waiting, Parallel int64
}

// NewVerifications makes one goroutine possible, which begins when somebody
// first waits and ends with Close. An error wraps
// ErrConfig, or says that no pipe could be opened.
func NewVerifications(c VerificationsConfig) (*Verifications, error) {
	bell, err := newDoorbell()
	if err != nil {
		return nil, fmt.Errorf("overload: %w", err)
	}
	v, err := newVerifications(c, bell)
	if err != nil {
		bell.Close()
	}
	return v, err
}

// standingFor is how long the oldest may have waited in a line that stands.
func standingFor(maxWait time.Duration) time.Duration { return maxWait / 4 * 3 }

func newVerifications(c VerificationsConfig, bell bell) (*Verifications, error) {
	if c.Parallel == 0 {
		c.Parallel = min(runtime.GOMAXPROCS(0), maxParallel)
	}
	if c.MaxWait == 0 {
		c.MaxWait = defaultMaxWait
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = min(turnsInAWait*c.Parallel, maxVerifyWaiting)
	}
	switch {
	case c.Parallel < 0 || c.Parallel > maxParallel:
		return nil, fmt.Errorf("%w: Parallel must be from 1 to %d", ErrConfig, maxParallel)
	case c.MaxWait < minMaxWait || c.MaxWait > maxMaxWait:
		return nil, fmt.Errorf("%w: MaxWait must be from %s to %s", ErrConfig, minMaxWait, maxMaxWait)
	case c.MaxWaiting < 0 || c.MaxWaiting > maxVerifyWaiting:
		return nil, fmt.Errorf("%w: MaxWaiting must be from 1 to %d", ErrConfig, maxVerifyWaiting)
	}
	v := &Verifications{
		parallel: int64(c.Parallel),
		base:     time.Now(),
		bell:     bell,
		line:     newLine(c.MaxWaiting, c.Parallel, standingAfter, standingFor(c.MaxWait), c.MaxWait),
		seats:    make([]chan Outcome, c.MaxWaiting),
		free:     make([]int32, c.MaxWaiting),
		ended:    make(chan struct{}),
	}
	for i := range v.free {
		v.free[i] = int32(c.MaxWaiting - 1 - i)
	}
	return v, nil
}

// Acquire waits for a turn to verify, at most MaxWait and the time of a turn
// or two. Whoever is Admitted calls Release when it is done with the
// processor; it must not wait for anything in between. After a wait now is
// past: judge a token's times by a new reading. It allocates nothing once the
// line has been used.
func (v *Verifications) Acquire(now time.Time) Outcome {
	at := int64(now.Sub(v.base))
	if v.waiting.Load() == 0 && at >= v.idleFrom.Load() && v.take() {
		v.atOnce.Add(1)
		return Admitted
	}
	return v.wait(at)
}

// take takes a slot if one is free. It never holds one for a moment only: who
// sees them all taken relies on somebody to release one.
func (v *Verifications) take() bool {
	for {
		n := v.running.Load()
		if n >= v.parallel {
			return false
		}
		if v.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release gives up the turn, which took so long.
func (v *Verifications) Release(now time.Time, took time.Duration) {
	end := int64(now.Sub(v.base))
	pause := int64(min(max(took, 0), maxVerifyDuration)) / v.parallel
	for {
		from := v.idleFrom.Load()
		if v.idleFrom.CompareAndSwap(from, max(from, end)+pause) {
			break
		}
	}
	v.running.Add(-1)
	if v.waiting.Load() > 0 {
		v.callUsher()
	}
}

// callUsher makes the usher look at the line, after all that is ready to run.
func (v *Verifications) callUsher() {
	if v.rung.CompareAndSwap(false, true) {
		v.bell.Ring()
	}
}

// wait stands in line.
func (v *Verifications) wait(at int64) Outcome {
	v.mu.Lock()
	if v.closed || len(v.free) == 0 {
		v.mu.Unlock()
		v.full.Add(1)
		return Refused
	}
	seat := v.free[len(v.free)-1]
	if !v.line.join(seat, at) {
		v.mu.Unlock()
		v.full.Add(1)
		return Refused
	}
	v.free = v.free[:len(v.free)-1]
	if v.seats[seat] == nil {
		v.seats[seat] = make(chan Outcome, 1)
	}
	turn := v.seats[seat]
	v.waiting.Add(1)
	v.begin.Do(func() { go v.usher() })
	v.mu.Unlock()
	// Somebody always moves the line on: those that run when they end, and
	// where nobody runs, whoever joins. One that ends after the line was joined
	// sees that somebody waits.
	if v.running.Load() < v.parallel {
		v.callUsher()
	}
	outcome := <-turn
	v.mu.Lock()
	v.free = append(v.free, seat)
	v.mu.Unlock()
	if outcome == Admitted {
		// Who is woken runs next; let those go first who came in with the bell.
		runtime.Gosched()
	}
	return outcome
}

// usher moves the line on each time that the bell rings.
func (v *Verifications) usher() {
	defer close(v.ended)
	for v.bell.Wait() {
		v.rung.Store(false)
		v.mu.Lock()
		v.advance(int64(time.Since(v.base)))
		v.mu.Unlock()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.line.n > 0 {
		v.call(v.line.leave(), Refused)
	}
}

// advance sheds who has waited for too long and fills the free slots.
func (v *Verifications) advance(at int64) {
	for {
		seat, ok := v.line.late(at)
		if !ok {
			break
		}
		v.late.Add(1)
		v.call(seat, Refused)
	}
	for v.line.n > 0 && v.take() {
		seat, _ := v.line.next(at)
		v.waited.Add(1)
		v.call(seat, Admitted)
	}
}

func (v *Verifications) call(seat int32, o Outcome) {
	v.waiting.Add(-1)
	v.seats[seat] <- o // It has room for one, and one waits.
}

// Stats reads the counters.
func (v *Verifications) Stats() VerificationStats {
	return VerificationStats{
		AtOnce: v.atOnce.Load(), AfterWait: v.waited.Load(), Full: v.full.Load(), Late: v.late.Load(),
		Running: v.running.Load(), Waiting: v.waiting.Load(), Parallel: v.parallel,
	}
}

// Close refuses all who wait, and from then on whoever would have to. It
// returns when the goroutine has ended.
func (v *Verifications) Close() {
	v.mu.Lock()
	closed := v.closed
	v.closed = true
	v.mu.Unlock()
	if !closed {
		v.bell.Close()
	}
	v.begin.Do(func() { close(v.ended) }) // nobody ever waited
	<-v.ended
}
