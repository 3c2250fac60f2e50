package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readBytes is how much is read at once.
	readBytes = 64 << 10
	// restTime is how long a connection sleeps before it looks whether the run
	// was stopped.
	restTime = 50 * time.Millisecond
	// stopTime is how long a connection that reads an answer does not look
	// whether the run was stopped.
	stopTime = 250 * time.Millisecond
	// retryTime is how long an engine waits before it opens a connection again that
	// failed to open; it doubles with every failure, up to retryLimit.
	retryTime  = 50 * time.Millisecond
	retryLimit = time.Second
)

// workers is the engine for TLS, and for systems without epoll: a goroutine a
// connection. Each takes the next request of the schedule, waits until it is due,
// sends it, and reads the answer; one that finds the request overdue has no wait.
// A connection that waits reads all the while, so that it learns when the target
// closes it.
type workers struct {
	run   *run
	book  *ledger
	conns []*worker
	start time.Time

	mu       sync.Mutex // of arrivals and closed
	arrivals *arrivals
	closed   int64 // requests of a closed loop
	replaced atomic.Int64
}

// worker is one connection.
type worker struct {
	*workers
	at      int
	conn    net.Conn // nil: not open
	dialer  net.Dialer
	buf     []byte
	parser  parser
	retry   time.Duration
	retryAt time.Time
}

func newWorkers(r *run) *workers {
	w := &workers{run: r, book: newLedger(), conns: make([]*worker, r.Connections)}
	for i := range w.conns {
		w.conns[i] = &worker{workers: w, at: i, parser: parser{limit: r.MaxBodyBytes}}
	}
	return w
}

func (w *workers) ledger() *ledger { return w.book }

func (w *workers) cpu() (time.Duration, bool) { return 0, false }

func (w *workers) drop() {
	for _, c := range w.conns {
		c.close()
	}
}

// opening bounds how many connections are opened at once before the load.
const opening = 64

func (w *workers) open(ctx context.Context) error {
	var (
		group  sync.WaitGroup
		slots  = make(chan struct{}, opening)
		mu     sync.Mutex
		opened int
		last   error
	)
	for _, c := range w.conns {
		slots <- struct{}{}
		group.Go(func() {
			err := c.dial(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				last = err
			} else {
				opened++
			}
			<-slots
		})
	}
	group.Wait()
	if opened == 0 {
		return last
	}
	return nil
}

func (w *workers) play(start time.Time) {
	w.start = start
	if w.run.Schedule != nil {
		w.arrivals = w.run.arrivals(0, 1)
	}
	var group sync.WaitGroup
	for _, c := range w.conns {
		group.Go(c.play)
	}
	group.Wait()
}

// next gives out the next request, and when it is due; n is -1 after the last.
func (w *workers) next() (n int64, due time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run.stopped.Load() {
		return -1, 0
	}
	if a := w.arrivals; a != nil {
		if a.ended {
			return -1, 0
		}
		n, due = a.n, a.due
		a.next()
		return n, due
	}
	if due = time.Since(w.start); due >= w.run.Duration {
		return -1, 0
	}
	n = w.closed
	w.closed++
	return n, due
}

func (c *worker) play() {
	c.buf = make([]byte, readBytes)
	defer c.close()
	for {
		c.replace()
		n, due := c.next()
		if n < 0 {
			return
		}
		// What was due before this connection asked for it has waited for one.
		early := due > time.Since(c.start)
		if !c.wait(due) {
			return
		}
		c.serve(n, due, early)
	}
}

// wait returns true when a request is due, and false when the run was stopped.
func (c *worker) wait(due time.Duration) bool {
	at := c.start.Add(due)
	for {
		if c.run.stopped.Load() {
			return false
		}
		now := time.Now()
		if c.conn == nil && !now.Before(c.retryAt) {
			ctx, cancel := context.WithTimeout(context.Background(), c.run.Timeout)
			_ = c.dial(ctx) // It is counted.
			cancel()
			continue
		}
		left := at.Sub(now)
		if left <= 0 && c.conn != nil || now.Sub(at) >= c.run.Timeout {
			return true
		}
		if c.conn == nil {
			time.Sleep(min(c.retryAt.Sub(now), restTime))
			continue
		}
		_ = c.conn.SetReadDeadline(now.Add(min(left, restTime)))
		if _, err := c.conn.Read(c.buf[:1]); !errors.Is(err, os.ErrDeadlineExceeded) {
			c.book.Lock()
			c.book.now.lost++
			c.book.Unlock()
			c.close()
		}
	}
}

// serve sends a request and reads its answer.
func (c *worker) serve(n int64, due time.Duration, early bool) {
	r := c.run.request(n)
	if r == nil {
		c.book.Lock()
		c.book.now.due++
		c.book.Unlock()
		return
	}
	sent := time.Since(c.start)
	c.book.Lock()
	t := c.book.now
	t.due++
	t.classes[r.Class].due++
	switch {
	case c.conn == nil:
		t.waited++
		t.fail(FailureNoConnection, r, sent-due)
	case sent-due >= c.run.Timeout:
		t.waited++
		t.fail(FailureNoConnection, r, sent-due)
		c.book.Unlock()
		return
	case early && c.run.Schedule != nil:
		record(t.lateness, sent-due)
	case c.run.Schedule != nil:
		t.waited++
	}
	if c.conn == nil {
		c.book.Unlock()
		return
	}
	t.sent++
	t.sentBytes += int64(len(r.Message))
	c.book.Unlock()

	received, whole, err := c.exchange(r, c.start.Add(due+c.run.Timeout))
	now := time.Since(c.start)
	c.book.Lock()
	t = c.book.now
	t.receivedBytes += int64(received)
	switch {
	case whole:
		t.answer(r, &c.parser.answer, c.run.judge, now-due, now-sent)
		if !c.parser.keepAlive {
			t.lost++
		}
	case errors.Is(err, errStopped):
	default:
		f := c.failure(err)
		t.fail(f, r, now-due)
		if f == FailureClosed || f == FailureCut {
			t.lost++
		}
	}
	c.book.Unlock()
	if !whole || !c.parser.keepAlive {
		c.close()
	}
}

// errStopped means that the run was stopped before an answer had come.
var errStopped = errors.New("run was stopped")

// exchange sends a request and reads the answer to it.
func (c *worker) exchange(r *Request, deadline time.Time) (received int, whole bool, err error) {
	c.parser.reset(r)
	_ = c.conn.SetWriteDeadline(deadline)
	if _, err := c.conn.Write(r.Message); err != nil {
		return 0, false, err
	}
	for {
		// A wait is cut into pieces, to look whether the run was stopped.
		now := time.Now()
		rest := min(deadline.Sub(now), stopTime)
		_ = c.conn.SetReadDeadline(now.Add(rest))
		n, err := c.conn.Read(c.buf)
		received += n
		if n > 0 {
			if whole, bad := c.parser.feed(c.buf[:n]); whole || bad != nil {
				return received, whole && bad == nil, bad
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && c.run.stopped.Load():
			return received, false, errStopped
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(deadline):
		default:
			return received, errors.Is(err, io.EOF) && c.parser.closed(), err
		}
	}
}

func (c *worker) failure(err error) Failure {
	switch {
	case errors.Is(err, ErrResponse):
		return FailureMalformed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return FailureTimeout
	case c.parser.begun:
		return FailureCut
	}
	return FailureClosed
}

// replace closes the connection if one is to be replaced by now.
func (c *worker) replace() {
	if c.run.NewConnectionsPerSecond == 0 || c.conn == nil {
		return
	}
	done := c.replaced.Load()
	now := min(time.Since(c.start), c.run.duration())
	if float64(done+1) <= now.Seconds()*c.run.NewConnectionsPerSecond && c.replaced.CompareAndSwap(done, done+1) {
		c.close()
	}
}

func (c *worker) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// dial opens the connection.
func (c *worker) dial(ctx context.Context) error {
	begun := time.Now()
	c.dialer.Timeout = c.run.Timeout
	address := c.run.addresses[c.at%len(c.run.addresses)].String()
	var conn net.Conn
	var err error
	if c.run.TLS != nil {
		conn, err = (&tls.Dialer{NetDialer: &c.dialer, Config: c.run.TLS}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = c.dialer.DialContext(ctx, "tcp", address)
	}
	c.book.Lock()
	defer c.book.Unlock()
	if err != nil {
		c.book.now.connectFailed++
		c.retry = min(max(2*c.retry, retryTime), retryLimit)
		c.retryAt = time.Now().Add(c.retry)
		return err
	}
	c.conn, c.retry = conn, 0
	c.book.now.opened++
	record(c.book.now.connect, time.Since(begun))
	return nil
}
