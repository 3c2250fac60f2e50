package attack

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// sendDue sends what is due, as far as connections are free, and notes what is
// not. It returns the time.
func (l *loop) sendDue(now time.Duration) time.Duration {
	for range burst {
		b := l.behind
		if b.ended || b.due > now {
			break
		}
		expired := now-b.due >= l.timeout
		if !expired && l.idle.n == 0 {
			break
		}
		now = l.clock()
		if b.n == l.ahead.n { // It was not found waiting before.
			l.found(now, expired)
		}
		r := l.run.request(b.n)
		if r == nil {
			break
		}
		l.t.classes[r.Class].due++
		if expired {
			l.t.fail(FailureNoConnection, r, now-b.due)
		} else {
			l.begin(r, b.due, now)
		}
		b.next()
	}
	for l.idle.n == 0 && !l.ahead.ended && l.ahead.due <= now {
		l.found(now, true)
	}
	return now
}

// found counts a request that has become due; waits says that no connection is
// free for it.
func (l *loop) found(now time.Duration, waits bool) {
	l.t.due++
	record(l.t.lateness, now-l.ahead.due)
	if waits {
		l.t.waited++
	}
	l.ahead.next()
}

// sendAll sends a request on every connection that is free. It returns the time.
func (l *loop) sendAll(now time.Duration) time.Duration {
	for range burst {
		if l.idle.n == 0 || now >= l.duration {
			break
		}
		r := l.run.request(l.n*int64(l.run.Threads) + int64(l.own))
		if r == nil {
			break
		}
		l.t.due++
		l.t.classes[r.Class].due++
		l.begin(r, now, now)
		l.n++
		now = l.clock()
	}
	return now
}

// begin sends a request on the connection that has been free for longest.
func (l *loop) begin(r *Request, due, now time.Duration) {
	i := l.idle.head
	c := &l.conns[i]
	l.idle.remove(l.conns, i)
	l.flying.push(l.conns, i)
	c.state, c.request, c.due, c.sent, c.written = stateFlying, r, due, now, 0
	c.parser.reset(c.request)
	l.t.sent++
	l.write(i)
}

// write writes what the connection takes.
func (l *loop) write(i int32) {
	c := &l.conns[i]
	n, err := send(c.fd, c.request.Message[c.written:])
	if n > 0 {
		c.written += n
		l.t.sentBytes += int64(n)
	}
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		l.t.lost++
		l.fail(i, FailureClosed)
		return
	}
	if rest := c.written < len(c.request.Message); rest != c.writing {
		c.writing = rest
		l.watch(i)
	}
}

// expire gives requests up that were not answered in time. They fly in the order
// in which they were due.
func (l *loop) expire(now time.Duration) {
	for l.flying.n > 0 && now-l.conns[l.flying.head].due >= l.timeout {
		l.fail(l.flying.head, FailureTimeout)
	}
}

// fail counts a request that flies as failed, and closes its connection.
func (l *loop) fail(i int32, f Failure) {
	l.t.fail(f, l.conns[i].request, l.clock()-l.conns[i].due)
	l.flying.remove(l.conns, i)
	l.close(i)
}

// handle takes n events.
func (l *loop) handle(n int) {
	if n <= 0 {
		return
	}
	l.book.Lock()
	defer l.book.Unlock()
	l.t = l.book.now
	for k := range n {
		e := &l.events[k]
		i := e.Fd
		c := &l.conns[i]
		if c.generation != e.Pad { // of a connection that was closed since
			continue
		}
		switch c.state {
		case stateConnecting:
			l.connected(i)
		case stateIdle:
			// The target closed it, or said what nobody asked for.
			l.t.lost++
			l.idle.remove(l.conns, i)
			l.close(i)
		case stateFlying:
			if e.Events&unix.EPOLLOUT != 0 && c.writing {
				l.write(i)
			}
			if c.state == stateFlying && e.Events&^unix.EPOLLOUT != 0 {
				l.read(i)
			}
		}
	}
}

// read reads what there is of an answer.
func (l *loop) read(i int32) {
	c := &l.conns[i]
	n, err := receive(c.fd, l.buf)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return
	}
	if n <= 0 {
		switch {
		case err == nil && c.parser.closed():
			l.answered(i)
		case c.parser.begun:
			l.t.lost++
			l.fail(i, FailureCut)
		default:
			l.t.lost++
			l.fail(i, FailureClosed)
		}
		return
	}
	l.t.receivedBytes += int64(n)
	whole, err := c.parser.feed(l.buf[:n])
	switch {
	case err != nil:
		l.fail(i, FailureMalformed)
	case whole:
		l.answered(i)
	}
}

// answered counts an answer, and frees its connection.
func (l *loop) answered(i int32) {
	c := &l.conns[i]
	now := l.clock()
	l.t.answer(c.request, &c.parser.answer, l.run.judge, now-c.due, now-c.sent)
	l.flying.remove(l.conns, i)
	// An answer before the end of the request leaves the rest of it unsent.
	if !c.parser.keepAlive || c.writing {
		l.t.lost++
		l.close(i)
		return
	}
	c.state, c.request = stateIdle, nil
	l.idle.push(l.conns, i)
}
