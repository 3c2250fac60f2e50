package upstream

import (
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// answerWatch waits, while a body is being sent, for an answer that makes the
// rest of it pointless: a client that sees an error response should stop sending
// (RFC 9112 section 9.5). Without it an upload that the upstream refused and does
// not read would hang until a time limit.
//
// It interrupts the reads and writes of the one that sends by moving their
// deadlines into the past; so deadlines are set through it.
type answerWatch struct {
	ctx      *fasthttp.RequestCtx
	c        *conn
	answered atomic.Bool
	done     chan struct{} // nil before start
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// start begins to watch, once. Until end or abandon nobody else may read from c.
func (w *answerWatch) start() {
	if w.done != nil {
		return
	}
	w.done = make(chan struct{})
	// The time for the first byte begins at the end of the request.
	_ = w.c.SetReadDeadline(time.Time{})
	go w.run()
}

func (w *answerWatch) run() {
	defer close(w.done)
	const statusClass = len("HTTP/1.1 ")
	head, err := w.c.br.Peek(statusClass + 1)
	if err != nil && isTimeout(err) || err == nil && head[statusClass] < '4' {
		return
	}
	w.answered.Store(true)
	_ = w.c.SetWriteDeadline(past)
	_ = w.ctx.SetReadDeadline(past)
}

// end ends the watch when all was sent. Whoever reads from c next finds what
// came meanwhile.
func (w *answerWatch) end() {
	if w.done == nil {
		return
	}
	_ = w.c.SetReadDeadline(past)
	<-w.done
}

// abandon ends the watch when not all was sent.
func (w *answerWatch) abandon() {
	if w.done == nil {
		return
	}
	w.end()
	// What the client still sends is thrown away by fasthttp, which needs time
	// for it.
	_ = w.ctx.SetReadDeadline(time.Now().Add(drainTime))
}

// drainTime bounds how long fasthttp reads on when a body was not read to its
// end.
const drainTime = time.Second

// readDeadline bounds the next read from the client.
func (w *answerWatch) readDeadline(t time.Time) error { return w.deadline(w.ctx.SetReadDeadline, t) }

// writeDeadline bounds the next write to the upstream.
func (w *answerWatch) writeDeadline(t time.Time) error { return w.deadline(w.c.SetWriteDeadline, t) }

// deadline sets a deadline. An answer that came before is found here; one that
// comes after moves the deadline again.
func (w *answerWatch) deadline(set func(time.Time) error, t time.Time) error {
	_ = set(t)
	if w.answered.Load() {
		return errAnswered
	}
	return nil
}
