package attack

import (
	"context"
	"errors"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// burst is how many requests are sent before answers are read again, and
	// batch how many answers are read before requests are sent again.
	burst, batch = 32, 64
	// maxWait is how long a loop sleeps before it looks whether the run was stopped.
	maxWait = 20 * time.Millisecond
	// callTime is about what a system call takes that does not wait; a sleep that is
	// shorter is not worth it.
	callTime = 2 * time.Microsecond
	// maxSpin is how long a turn of a loop that spins can take: one that took longer
	// had its processor taken away, which is not idle.
	maxSpin = 50 * time.Microsecond
	// settleEvery is how often connections that are not open are looked at.
	settleEvery = 5 * time.Millisecond
	// maxConnecting is how many connections a loop opens at once, so that the
	// target's queue of them is not what is measured.
	maxConnecting = 64
)

// loop is an engine: one thread that owns its connections, and waits for all of
// them in one epoll.
//
// No request is kept that is due and cannot be sent. The schedule is gone through
// twice: ahead finds what has become due, behind what is the next to send, so that a
// target that stalls for minutes takes no memory.
type loop struct {
	run    *run
	own    int
	book   *ledger
	t      *tally // book.now, while the lock is held
	start  time.Time
	poll   int
	buf    []byte
	events []unix.EpollEvent

	conns                   []loopConn
	idle, flying, unsettled queue
	connecting              int
	settled                 time.Duration
	lastError               error
	ahead, behind           *arrivals // nil in a closed loop
	n, replaced             int64
	used                    time.Duration
	replacedPerSecond       float64
	timeout, duration       time.Duration
	turned                  time.Duration // when this turn began
	worked                  bool          // in this turn
	waited, spun            time.Duration
}

func newLoop(r *run, own int) *loop {
	l := &loop{
		run: r, own: own, book: newLedger(), poll: -1,
		buf: make([]byte, readBytes), events: make([]unix.EpollEvent, batch),
		conns:             make([]loopConn, share(r.Connections, own, r.Threads)),
		replacedPerSecond: r.NewConnectionsPerSecond / float64(r.Threads),
		timeout:           r.Timeout, duration: r.duration(),
	}
	l.idle, l.flying, l.unsettled = newQueue(), newQueue(), newQueue()
	for i := range l.conns {
		l.conns[i] = loopConn{fd: -1, parser: parser{limit: r.MaxBodyBytes}}
		l.unsettled.push(l.conns, int32(i))
	}
	if r.Schedule != nil {
		l.ahead, l.behind = r.arrivals(own, r.Threads), r.arrivals(own, r.Threads)
	}
	return l
}

func (l *loop) ledger() *ledger { return l.book }

// cpu leaves out what was spun away.
func (l *loop) cpu() (time.Duration, bool) { return max(0, l.used-l.spun), true }

func (l *loop) clock() time.Duration { return time.Since(l.start) }

func (l *loop) drop() {
	for i := range l.conns {
		if fd := l.conns[i].fd; fd >= 0 {
			_ = unix.Close(fd)
			l.conns[i].fd = -1
		}
	}
	if l.poll >= 0 {
		_ = unix.Close(l.poll)
		l.poll = -1
	}
}

func (l *loop) open(ctx context.Context) (err error) {
	if l.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	l.start = time.Now()
	for {
		l.book.Lock()
		l.t = l.book.now
		l.settle(l.clock())
		tried := l.connecting == 0
		for i := l.unsettled.head; i >= 0 && tried; i = l.conns[i].next {
			tried = l.conns[i].retry > 0
		}
		l.book.Unlock()
		if tried || ctx.Err() != nil {
			break
		}
		n, err := unix.EpollWait(l.poll, l.events, int(settleEvery/time.Millisecond))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		l.handle(n)
	}
	if l.idle.n == 0 {
		return l.lastError
	}
	return nil
}

func (l *loop) play(start time.Time) {
	// The thread ends with the goroutine, and with it what is set here.
	runtime.LockOSThread()
	// Without it the kernel lets every sleep take 50 µs longer.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	defer l.drop()
	before := threadCPU()
	defer func() { l.used = threadCPU() - before }()

	opened := start.Sub(l.start)
	l.start, l.settled = start, 0
	for i := range l.conns { // what was noted before the start is before it
		l.conns[i].since -= opened
		l.conns[i].retryAt -= opened
	}
	for !l.run.stopped.Load() {
		l.book.Lock()
		l.t = l.book.now
		now := l.clock()
		l.t.idle += l.waited
		l.turned, l.waited = now, 0
		before := l.t.sent
		l.expire(now)
		if now < l.duration {
			l.replace(now)
		}
		l.settle(now)
		if l.behind != nil {
			now = l.sendDue(now)
		} else {
			now = l.sendAll(now)
		}
		over := l.over(now)
		wait := l.until(now)
		l.worked = l.t.sent != before
		l.book.Unlock()
		if over {
			return
		}
		l.handle(l.await(wait))
	}
}

// over says whether nothing is left to do.
func (l *loop) over(now time.Duration) bool {
	if l.flying.n > 0 {
		return false
	}
	if l.behind != nil {
		return l.behind.ended
	}
	return now >= l.duration
}

// until is how long there is nothing to do unless something comes.
func (l *loop) until(now time.Duration) time.Duration {
	next := now + maxWait
	if l.unsettled.n > 0 {
		next = min(next, l.settled+settleEvery)
	}
	if l.behind != nil {
		if !l.ahead.ended {
			next = min(next, l.ahead.due)
		}
		if !l.behind.ended {
			next = min(next, l.behind.due+l.timeout)
			if l.idle.n > 0 {
				next = min(next, l.behind.due)
			}
		}
	} else if l.idle.n > 0 && now < l.duration {
		return 0
	}
	if l.flying.n > 0 {
		next = min(next, l.conns[l.flying.head].due+l.timeout)
	}
	return max(0, next-now)
}

// await waits for events, and notes how long there were none. What a system call
// takes that does not wait is not idle.
func (l *loop) await(d time.Duration) int {
	if l.run.Spin || d < callTime {
		n, err := unix.EpollWait(l.poll, l.events, 0)
		if err != nil {
			n = 0
		}
		if spun := l.clock() - l.turned; n == 0 && !l.worked && d > 0 && spun < maxSpin {
			l.waited += spun
			l.spun += spun
		}
		return n
	}
	before := l.clock()
	n, err := epollWait(l.poll, l.events, d)
	if err != nil {
		n = 0
	}
	l.waited += max(0, l.clock()-before-callTime)
	return n
}

// epollWait waits with the precision of the system's clock; kernels before 5.11
// wait whole milliseconds, of which the last is looked through without waiting.
func epollWait(poll int, events []unix.EpollEvent, d time.Duration) (int, error) {
	ts := unix.NsecToTimespec(int64(d))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(poll), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.ENOSYS:
		return unix.EpollWait(poll, events, int(d/time.Millisecond))
	}
	return 0, errno
}

// threadCPU is how long this thread has used processors.
func threadCPU() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &u) // It cannot fail.
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
