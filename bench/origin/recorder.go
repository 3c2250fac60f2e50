package origin

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// MaxRequests is the most requests that a recorder keeps; later ones are answered and forgotten.
const MaxRequests = 10_000

// End says what becomes of a connection after an answer.
type End int

const (
	// KeepOpen reads the next request from the connection.
	KeepOpen End = iota
	// Close closes the connection in order (FIN).
	Close
	// Reset closes the connection without order (RST).
	Reset
)

// Answer is what a recorder sends for a request: bytes as they are, well formed or not. The zero Answer never answers:
// the connection stays open and silent.
type Answer struct {
	Raw []byte
	End End
}

// OK is a sound answer of four bytes.
func OK() Answer {
	return Answer{Raw: []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngood")}
}

// Always answers every request with answer.
func Always(answer Answer) func(Request) Answer {
	return func(Request) Answer { return answer }
}

// InTurn answers the requests with answers, in the order in which they arrive on any connection; the last answer stays.
func InTurn(answers ...Answer) func(Request) Answer {
	var turn atomic.Int64
	return func(Request) Answer {
		i := int(turn.Add(1)) - 1
		return answers[min(i, len(answers)-1)]
	}
}

// Recorder is an upstream that keeps the bytes of every request. Its methods are safe for concurrent use.
type Recorder struct {
	listener net.Listener
	answer   func(Request) Answer
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	open     map[net.Conn]struct{}
	accepted int
	requests []Request
	changed  chan struct{} // Closed and replaced when a request is added or a connection ends.
}

// Record starts a recorder on a free port of the loopback interface. It calls answer for every request that is whole,
// from one goroutine for each connection; a request with Err gets no answer and ends its connection.
func Record(ctx context.Context, answer func(Request) Answer) (*Recorder, error) {
	listener, err := loopback.Listen(ctx, loopback.AnyPort)
	if err != nil {
		return nil, fmt.Errorf("starting a recorder: %w", err)
	}
	r := &Recorder{
		listener: listener,
		answer:   answer,
		open:     map[net.Conn]struct{}{},
		changed:  make(chan struct{}),
	}
	r.running.Go(r.accept)
	return r, nil
}

// Address returns "IP:port".
func (r *Recorder) Address() string { return r.listener.Addr().String() }

// URL returns "http://IP:port", without a slash at its end.
func (r *Recorder) URL() string { return "http://" + r.Address() }

// Connections returns how many connections were accepted.
func (r *Recorder) Connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted
}

// Requests returns the requests so far, in the order of their completion. The bytes are shared: leave them as they are.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Await returns the requests as soon as there are n of them, else the error of ctx.
func (r *Recorder) Await(ctx context.Context, n int) ([]Request, error) {
	for {
		r.mu.Lock()
		requests, changed := slices.Clone(r.requests), r.changed
		r.mu.Unlock()
		if len(requests) >= n {
			return requests, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return requests, fmt.Errorf("%d of %d requests came: %w", len(requests), n, context.Cause(ctx))
		}
	}
}

// Rest waits until no connection is open, so that every byte that was sent has been read, or returns the error of ctx.
// Those who send are to have closed their connections.
func (r *Recorder) Rest(ctx context.Context) error {
	for {
		r.mu.Lock()
		open, changed := len(r.open), r.changed
		r.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d connections are open: %w", open, context.Cause(ctx))
		}
	}
}

// Close stops listening, cuts every connection and waits until all is at rest. It may be called again.
func (r *Recorder) Close() error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	for conn := range r.open {
		_ = conn.Close()
	}
	r.mu.Unlock()
	var err error
	if first {
		err = r.listener.Close()
	}
	r.running.Wait()
	return err
}

func (r *Recorder) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		id, ok := r.enter(conn)
		if !ok {
			_ = conn.Close()
			return
		}
		r.running.Go(func() {
			defer r.leave(conn)
			r.serve(conn, id)
		})
	}
}

func (r *Recorder) enter(conn net.Conn) (id int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, false
	}
	r.open[conn] = struct{}{}
	r.accepted++
	return r.accepted - 1, true
}

func (r *Recorder) leave(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, conn)
	r.announce()
}

// announce wakes those who wait for a change. The lock is held.
func (r *Recorder) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Recorder) serve(conn net.Conn, id int) {
	reader := requestReader{
		in:      bufio.NewReader(conn),
		proceed: func() { _, _ = conn.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) },
	}
	for {
		request, began := reader.next()
		if !began {
			return
		}
		request.Conn = id
		r.add(request)
		if request.Err != nil {
			return
		}
		answer := r.answer(request)
		if _, err := conn.Write(answer.Raw); err != nil {
			return
		}
		switch answer.End {
		case KeepOpen:
		case Close:
			return
		case Reset:
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			return
		}
	}
}

func (r *Recorder) add(request Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requests) == MaxRequests {
		return
	}
	r.requests = append(r.requests, request)
	r.announce()
}
