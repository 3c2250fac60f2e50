package attack

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// state is what a connection is at; each state has its queue.
type state uint8

const (
	stateDown state = iota // unsettled, and not being opened
	stateConnecting
	stateIdle
	stateFlying
)

// loopConn is one connection of a loop, open or not.
type loopConn struct {
	fd         int
	generation int32 // tells its events from those of its predecessors
	state      state
	writing    bool // the rest of the request waits for the socket
	written    int
	request    *Request
	due, sent  time.Duration
	since      time.Duration // opening
	retry      time.Duration // 0: the last attempt to open it went well
	retryAt    time.Duration
	prev, next int32
	parser     parser
}

// queue is a list of connections, by their index; -1 is none.
type queue struct{ head, tail, n int32 }

func newQueue() queue { return queue{head: -1, tail: -1} }

func (q *queue) push(conns []loopConn, i int32) {
	conns[i].prev, conns[i].next = q.tail, -1
	if q.tail >= 0 {
		conns[q.tail].next = i
	} else {
		q.head = i
	}
	q.tail = i
	q.n++
}

func (q *queue) remove(conns []loopConn, i int32) {
	c := &conns[i]
	if c.prev >= 0 {
		conns[c.prev].next = c.next
	} else {
		q.head = c.next
	}
	if c.next >= 0 {
		conns[c.next].prev = c.prev
	} else {
		q.tail = c.prev
	}
	q.n--
}

// settle opens connections that are down, and gives up what does not open.
func (l *loop) settle(now time.Duration) {
	if l.unsettled.n == 0 || l.settled > 0 && now-l.settled < settleEvery {
		return
	}
	l.settled = now
	for i := l.unsettled.head; i >= 0; {
		c := &l.conns[i]
		next := c.next
		switch {
		case c.state == stateDown && now >= c.retryAt && l.connecting < maxConnecting:
			l.connect(i, now)
		case c.state == stateConnecting && now-c.since >= l.timeout:
			l.notConnected(i, os.ErrDeadlineExceeded)
		}
		i = next
	}
}

// replace closes connections that are to be replaced by now, as far as they are
// free.
func (l *loop) replace(now time.Duration) {
	for l.idle.n > 0 && float64(l.replaced+1) <= now.Seconds()*l.replacedPerSecond {
		i := l.idle.head
		l.idle.remove(l.conns, i)
		l.close(i)
		l.replaced++
	}
}

// close closes a connection that is in no queue, and has it opened again.
func (l *loop) close(i int32) {
	c := &l.conns[i]
	_ = unix.Close(c.fd)
	c.fd, c.state, c.request, c.writing, c.retryAt = -1, stateDown, nil, false, 0
	c.generation++
	l.unsettled.push(l.conns, i)
	l.settled = 0 // at once
}

// connect begins to open a connection.
func (l *loop) connect(i int32, now time.Duration) {
	c := &l.conns[i]
	address := l.run.addresses[(int(i)*l.run.Threads+l.own)%len(l.run.addresses)]
	family, to := socketAddress(address)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	l.connecting++
	c.state, c.since = stateConnecting, now
	if err != nil {
		l.notConnected(i, err)
		return
	}
	c.fd = fd
	// It only hurries small writes; there is one for each request.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err = unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		l.notConnected(i, err)
		return
	}
	event := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: i, Pad: c.generation}
	if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		l.notConnected(i, err)
	}
}

func socketAddress(a netip.AddrPort) (family int, to unix.Sockaddr) {
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// connected takes the end of an attempt to open a connection.
func (l *loop) connected(i int32) {
	c := &l.conns[i]
	errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		l.notConnected(i, err)
		return
	}
	l.connecting--
	l.unsettled.remove(l.conns, i)
	c.state, c.retry = stateIdle, 0
	l.idle.push(l.conns, i)
	l.t.opened++
	record(l.t.connect, l.clock()-c.since)
	l.watch(i)
}

// notConnected notes that a connection could not be opened.
func (l *loop) notConnected(i int32, err error) {
	c := &l.conns[i]
	l.lastError = fmt.Errorf("connect: %w", err)
	l.connecting--
	l.t.connectFailed++
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
	}
	c.fd, c.state = -1, stateDown
	c.generation++
	c.retry = min(max(2*c.retry, retryTime), retryLimit)
	c.retryAt = l.clock() + c.retry
}

// watch says what is wanted of a connection.
func (l *loop) watch(i int32) {
	c := &l.conns[i]
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: i, Pad: c.generation}
	if c.writing {
		event.Events |= unix.EPOLLOUT
	}
	// It cannot fail: the descriptor is open and watched.
	_ = unix.EpollCtl(l.poll, unix.EPOLL_CTL_MOD, c.fd, &event)
}
