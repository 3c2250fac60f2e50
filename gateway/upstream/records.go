package upstream

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// records is the socket below TLS. It knows where a record ends, and can be
// read without waiting.
//
// The socket alone does not tell whether a kept TLS connection is still good:
// what lies on it may be a session ticket or a key update (RFC 8446 sections
// 4.6.1 and 4.6.3), which mean nothing, or an alert that closes it (section
// 6.1), or data that nobody asked for; and crypto/tls may have taken the latter
// from the socket already, behind the record that it was asked for. So TLS itself
// is asked, over a socket that says "nothing yet" in place of waiting.
type records struct {
	net.Conn
	raw     syscall.RawConn // nil where the socket cannot be read without waiting
	looking bool
	header  [recordHeader]byte
	have    int // bytes of header
	left    int // bytes of the record behind it
	one     [1]byte
}

// recordHeader is the type, the version and the length (RFC 8446 section 5.1).
const recordHeader = 5

func newRecords(c net.Conn) *records {
	r := &records{Conn: c}
	if socket, ok := c.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			r.raw = raw
		}
	}
	return r
}

// NetConn returns the socket.
func (r *records) NetConn() net.Conn { return r.Conn }

// Read implements net.Conn.
func (r *records) Read(p []byte) (n int, err error) {
	if r.looking {
		n, err = r.readNow(p)
	} else {
		n, err = r.Conn.Read(p)
	}
	r.advance(p[:max(n, 0)])
	if errors.Is(err, io.EOF) {
		// RFC 8446 section 6.1: data that ends without close_notify may have
		// been cut short. crypto/tls reports that as a plain io.EOF between two
		// records, and a body that ends with its connection would look whole. It
		// does not read on behind a close_notify, so this is none.
		err = errCut
	}
	return n, err
}

// advance follows the records through the bytes that were read.
func (r *records) advance(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := copy(r.header[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have == recordHeader {
			r.have = 0
			r.left = int(r.header[3])<<8 | int(r.header[4])
		}
	}
}

// quiet reports whether the TLS connection above is open with no data to read.
// The deadline for reading must lie in the future, and the one for writing too:
// an answer to a key update may be due.
func (r *records) quiet(above *tls.Conn) bool {
	r.looking = true
	n, err := above.Read(r.one[:])
	r.looking = false
	// Part of a record could become the answer to the next request.
	return n == 0 && errors.Is(err, errNothingYet) && r.have == 0 && r.left == 0
}

// errCut is the end of a socket in place of that of TLS.
var errCut = errors.New("upstream: TLS connection cut")

// errNothingYet is what a read without waiting ends with. TLS takes it for a
// deadline, after which reading goes on.
var errNothingYet error = nothingYet{}

type nothingYet struct{}

func (nothingYet) Error() string   { return "upstream: nothing to read yet" }
func (nothingYet) Timeout() bool   { return true }
func (nothingYet) Temporary() bool { return true }
