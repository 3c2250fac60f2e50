package upstream

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// copyBuffer is how much of a body is in the gateway's hands at a time, for
// each direction.
const copyBuffer = 32 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// sendBody streams the client's body to the upstream, behind the head that
// stands in the writer's buffer. Each read has idle to arrive, or less where the
// site asks for a rate, each write idle to be taken. An error of the client's
// side is ErrRequestBody (ErrBodySlow among them) or ErrBodyTooLarge, any other
// is the upstream's.
func (r *Request) sendBody(ctx *fasthttp.RequestCtx, c *conn, idle time.Duration) error {
	body := ctx.RequestBodyStream()
	if body == nil {
		return ErrRequestBody
	}
	buf := copyBuffers.Get().(*[copyBuffer]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer copyBuffers.Put(buf)
	w := answerWatch{ctx: ctx, c: c}
	if err := r.sendParts(body, buf[:], &w, idle); err != nil {
		w.abandon()
		return err
	}
	w.end()
	return nil
}

func (r *Request) sendParts(body io.Reader, buf []byte, w *answerWatch, idle time.Duration) error {
	pace := pace{rate: r.Streaming.requestRate()}
	for sent := int64(0); ; {
		before, patience := time.Now(), pace.patience(idle)
		if err := w.readDeadline(before.Add(patience)); err != nil {
			return err
		}
		n, err := body.Read(buf)
		after := time.Now()
		sent += int64(n)
		if r.MaxBody > 0 && sent > r.MaxBody {
			return ErrBodyTooLarge
		}
		ended := errors.Is(err, io.EOF)
		waited := after.Sub(before)
		inPace := pace.moved(n, waited)
		switch {
		case w.answered.Load():
			return errAnswered
		case !ended && (!inPace || err != nil && patience < idle && waited >= patience):
			return ErrBodySlow
		case err != nil && !ended, ended && r.ContentLength >= 0 && sent != r.ContentLength:
			// fasthttp ends a body that broke off with a plain EOF.
			return ErrRequestBody
		}
		if err := w.writeDeadline(after.Add(idle)); err != nil {
			return err
		}
		// What is here goes on at once: the client may be waiting for an answer
		// to it before it sends more.
		if err := r.writePart(w.c.bw, buf[:n], ended); err != nil || ended {
			return err
		}
		w.start()
	}
}

// writePart writes a part of the body, framed, and the body's end where it is
// the last. Trailers are never sent: nothing that follows a head can add to it.
func (r *Request) writePart(w *bufio.Writer, part []byte, last bool) error {
	chunked := r.ContentLength < 0
	if chunked && len(part) > 0 {
		_, _ = w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(len(part)), 16))
		_, _ = w.WriteString(crlf)
	}
	_, _ = w.Write(part)
	if chunked && len(part) > 0 {
		_, _ = w.WriteString(crlf)
	}
	if chunked && last {
		_, _ = w.WriteString("0\r\n\r\n")
	}
	return w.Flush()
}
