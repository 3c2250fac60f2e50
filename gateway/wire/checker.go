package wire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// poison is released where fasthttp would otherwise not notice a failure. It is
// no CR, LF or hexadecimal digit, and nothing is ever released after it.
const poison = 'X'

// checker runs a framer over what is read from a connection. Reads must not
// overlap, as for any HTTP connection; refusal may be called at any time.
type checker struct {
	framer

	err       error // sticky: the inner connection is not read any more
	poisonDue bool
	refused   atomic.Pointer[Error]
}

// read reads from r straight into p and releases what passed.
func (k *checker) read(r io.Reader, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if k.poisonDue {
		k.poisonDue = false
		p[0] = poison
		return 1, nil
	}
	if k.err != nil {
		return 0, k.err
	}
	n, err := r.Read(p)
	if k.state == stPass {
		return n, err
	}
	passed, reason := k.scan(p[:n])
	if reason != noReason {
		k.refuse(reason)
		if k.silent() {
			p[passed] = poison
			passed++
		}
		if passed == 0 {
			return 0, k.err
		}
		return passed, nil
	}
	if err == nil || isTimeout(err) {
		return n, err
	}
	k.err = err
	if err == io.EOF && !k.mayEnd() {
		// fasthttp takes a plain EOF inside a body for its end.
		k.err = io.ErrUnexpectedEOF
	}
	k.poisonDue = k.endingBody()
	if n > 0 {
		return n, nil
	}
	if k.poisonDue {
		return k.read(r, p)
	}
	return 0, k.err
}

func (k *checker) refuse(reason Reason) {
	e := &requestRefusals[reason]
	if k.isResponse {
		e = &responseRefusals[reason]
	}
	k.err = e
	k.refused.Store(e)
}

// Refusal returns why the connection was given up, nil if it was not. It may
// be called concurrently with every other method.
func (k *checker) Refusal() *Error { return k.refused.Load() }

// passThrough switches checking off, if the stream is between two messages and
// whole messages were read to their end.
func (k *checker) passThrough(whole uint64) error {
	if k.err != nil {
		return k.err
	}
	if k.state != stStart || k.whole != whole {
		return ErrBusy
	}
	k.state = stPass
	return nil
}

// isTimeout tells a passed deadline, after which reading may go on, from a
// broken connection.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
