package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openLoop sends requests at the times that were drawn for them, whether or
// not earlier ones were answered, and plays the upstream besides. It is one
// thread with one epoll, on a processor of its own, so that it takes nothing
// from the gateway and adds little to what it measures. It never sleeps: to wake
// it would cost the gateway, whose write does that on a loopback, more than all
// else about a refusal. A time counts from when the request was due: one that
// finds no connection free has waited.
type openLoop struct {
	poll, origin int
	upstreams    map[int]bool
	clients      map[int]*loopConn
	streams      []*loopStream
	rng          *rand.Rand
	buf          []byte
	sent         int // not yet answered
	late         time.Duration
}

// loopStream is one kind of request on connections of its own.
type loopStream struct {
	requests [][]byte
	// rate is in requests a second; 0 sends the next as soon as one is
	// answered.
	rate  float64
	conns []*loopConn

	idle    []*loopConn
	next    int
	due     int64
	waiting []int64

	served, refused, other int
	times                  []int64 // of those served, in ns
}

type loopConn struct {
	fd     int
	stream *loopStream
	since  int64
	in     []byte
}

// loopAnswer is what the upstream says to every request.
const loopAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

func newOpenLoop(b *testing.B) (l *openLoop, upstream string) {
	b.Helper()
	must := func(fd int, err error) int {
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	l = &openLoop{
		upstreams: map[int]bool{}, clients: map[int]*loopConn{},
		rng: rand.New(rand.NewPCG(1, 2)), buf: make([]byte, 64<<10),
	}
	l.poll = must(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	l.origin = must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
	if err := unix.Bind(l.origin, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		b.Fatal(err)
	}
	if err := unix.Listen(l.origin, 1024); err != nil {
		b.Fatal(err)
	}
	at, err := unix.Getsockname(l.origin)
	if err != nil {
		b.Fatal(err)
	}
	l.watch(b, l.origin)
	return l, "http://127.0.0.1:" + strconv.Itoa(at.(*unix.SockaddrInet4).Port) //nolint:forcetypeassert // it was bound to one
}

func (l *openLoop) watch(b *testing.B, fd int) {
	b.Helper()
	if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		b.Fatal(err)
	}
}

// stream opens connections to a port of this machine.
func (l *openLoop) stream(b *testing.B, port, conns int, requests [][]byte) *loopStream {
	b.Helper()
	s := &loopStream{requests: requests}
	for range conns {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
			b.Fatal(err)
		}
		if err := unix.SetNonblock(fd, true); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = unix.Close(fd) })
		c := &loopConn{fd: fd, stream: s}
		s.conns = append(s.conns, c)
		l.clients[fd] = c
		l.watch(b, fd)
	}
	return s
}

// run sends for as long as d, on the given processor, and waits for what was
// sent.
func (l *openLoop) run(b *testing.B, d time.Duration, processor int, streams ...*loopStream) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		b.Fatal(err)
	}
	pin(b, 0, only(processor))
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	l.streams, l.late = streams, 0
	begun := loopNow()
	end := begun + int64(d)
	for _, s := range streams {
		s.idle, s.waiting = append(s.idle[:0], s.conns...), nil
		s.served, s.refused, s.other, s.times = 0, 0, 0, s.times[:0]
		s.due = begun
		s.draw(l.rng)
	}
	events := make([]unix.EpollEvent, 256)
	for {
		now := loopNow()
		if now >= end {
			if l.sent == 0 {
				return
			}
			if now > end+int64(5*time.Second) {
				b.Fatalf("%d requests without an answer", l.sent)
			}
		} else {
			l.send(b, now)
		}
		n, err := unix.EpollWait(l.poll, events, 0)
		if err != nil && err != unix.EINTR {
			b.Fatal(err)
		}
		for i := range n {
			l.ready(b, int(events[i].Fd))
		}
	}
}

// only is a single processor.
func only(processor int) (set unix.CPUSet) {
	set.Set(processor)
	return set
}

// pin keeps a thread, 0 for this one, on some processors.
func pin(b *testing.B, thread int, to unix.CPUSet) {
	b.Helper()
	if err := unix.SchedSetaffinity(thread, &to); err != nil {
		b.Fatal(err)
	}
}

// pinAll keeps all threads of a process on some processors; those that come later
// come from these.
func pinAll(b *testing.B, pid int, to unix.CPUSet) {
	b.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			b.Fatal(err)
		}
		pin(b, id, to)
	}
}

// loopNow is a clock in ns that only goes on.
func loopNow() int64 {
	var at unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &at) // It cannot fail.
	return at.Nano()
}

func (s *loopStream) draw(rng *rand.Rand) {
	if s.rate > 0 {
		s.due += int64(rng.ExpFloat64() * 1e9 / s.rate)
	}
}

// send sends all that is due.
func (l *openLoop) send(b *testing.B, now int64) {
	b.Helper()
	for _, s := range l.streams {
		for s.rate > 0 && s.due <= now {
			s.waiting = append(s.waiting, s.due)
			l.late = max(l.late, time.Duration(now-s.due))
			s.draw(l.rng)
		}
		for len(s.idle) > 0 && (s.rate == 0 || len(s.waiting) > 0) {
			c := s.idle[len(s.idle)-1]
			s.idle = s.idle[:len(s.idle)-1]
			c.since = now
			if s.rate > 0 {
				c.since, s.waiting = s.waiting[0], s.waiting[1:]
			}
			c.in = c.in[:0]
			request := s.requests[s.next%len(s.requests)]
			s.next++
			l.sent++
			if n, err := unix.Write(c.fd, request); n != len(request) {
				b.Fatal(n, err)
			}
		}
	}
}

// ready serves one descriptor.
func (l *openLoop) ready(b *testing.B, fd int) {
	b.Helper()
	switch {
	case fd == l.origin:
		for {
			c, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				return
			}
			l.upstreams[c] = true
			l.watch(b, c)
		}
	case l.upstreams[fd]:
		n, err := unix.Read(fd, l.buf)
		if n <= 0 {
			if err != unix.EAGAIN {
				_ = unix.Close(fd)
				delete(l.upstreams, fd)
			}
			return
		}
		// The gateway sends a head in one write, and the next after the answer.
		for range bytes.Count(l.buf[:n], []byte("\r\n\r\n")) {
			if _, err := unix.Write(fd, []byte(loopAnswer)); err != nil {
				b.Fatal(err)
			}
		}
	default:
		l.answered(b, l.clients[fd])
	}
}

// answered reads from a client's connection.
func (l *openLoop) answered(b *testing.B, c *loopConn) {
	b.Helper()
	n, err := unix.Read(c.fd, l.buf)
	if at := slices.Index(c.stream.idle, c); n == 0 && at >= 0 {
		// It was idle for as long as the gateway allows.
		c.stream.idle = slices.Delete(c.stream.idle, at, at+1)
		c.stream.conns = slices.DeleteFunc(c.stream.conns, func(other *loopConn) bool { return other == c })
		if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_DEL, c.fd, nil); err != nil {
			b.Fatal(err)
		}
		return
	}
	if n <= 0 {
		b.Fatal("a connection was closed:", err)
	}
	c.in = append(c.in, l.buf[:n]...)
	head, body, whole := bytes.Cut(c.in, []byte("\r\n\r\n"))
	if !whole {
		return
	}
	_, length, _ := bytes.Cut(head, []byte("\r\nContent-Length: "))
	length, _, _ = bytes.Cut(length, []byte("\r\n"))
	if want, err := strconv.Atoi(string(length)); err != nil || len(body) < want {
		return
	}
	l.sent--
	s := c.stream
	s.idle = append(s.idle, c)
	switch string(head[len("HTTP/1.1 "):][:3]) {
	case "200":
		s.served++
		s.times = append(s.times, loopNow()-c.since)
	case "503":
		s.refused++
	default:
		s.other++
	}
}

// quantile returns a quantile of the times of requests served.
func (s *loopStream) quantile(q float64) time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	slices.Sort(s.times)
	return time.Duration(s.times[min(len(s.times)-1, int(q*float64(len(s.times))))])
}
