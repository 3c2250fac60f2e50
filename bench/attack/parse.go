package attack

import (
	"bytes"
	"fmt"
	"math"
)

const (
	// maxHeadBytes is how long a head can be, and the trailer after a body.
	maxHeadBytes = 64 << 10
	// maxChunkLineBytes is how long the line before a chunk can be.
	maxChunkLineBytes = 4 << 10
	// maxInterim is how many 1xx answers can come before the one that counts.
	maxInterim = 16
)

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// stage is what a parser reads next.
type stage uint8

const (
	stageHead stage = iota
	stageBody
	stageChunkLine
	stageChunk
	stageChunkEnd
	stageTrailer
	stageUntilClose
)

// parser reads answers, in whatever pieces they come. It keeps its buffers from
// one answer to the next. An answer that came in one piece is not copied.
type parser struct {
	stage     stage
	noBody    bool // of the request: the answer has none
	keep      bool // head and body are wanted
	expect    *Expect
	classed   bool // of the request: a status that is not expected is judged
	keepAlive bool // of the answer: another can follow
	begun     bool // some byte of the answer has come
	interim   int
	left      int64 // of the body or chunk
	limit     int   // of the body that is kept

	answer       Response
	pending      []byte // of a head, line or trailer that has not come whole
	head, bodies []byte // what answer points to once its piece is gone
}

// reset prepares for the answer to a request.
func (p *parser) reset(r *Request) {
	p.stage, p.noBody, p.begun, p.interim = stageHead, r.NoBody, false, 0
	p.keep, p.expect, p.classed = r.Expect.Accept != nil, &r.Expect, r.Class > 0
	p.answer = Response{}
	p.pending, p.bodies = p.pending[:0], p.bodies[:0]
}

// feed takes the next piece of an answer. When the answer is whole it says so, and
// p.answer is good until the piece is gone or feed is called again. Bytes after
// the answer are an error: nobody asked for them.
func (p *parser) feed(piece []byte) (whole bool, err error) {
	p.begun = p.begun || len(piece) > 0
	rest := piece
	for {
		switch p.stage {
		case stageHead:
			head, after, ok, err := p.until(rest, headEnd, maxHeadBytes)
			if err != nil || !ok {
				return false, err
			}
			if err := p.parseHead(head); err != nil {
				return false, err
			}
			rest, p.pending = after, p.pending[:0]
			if p.stage == stageBody && p.left == 0 {
				return true, p.end(rest)
			}
		case stageBody:
			n := min(int64(len(rest)), p.left)
			p.body(rest[:n], n == p.left)
			if p.left -= n; p.left == 0 {
				return true, p.end(rest[n:])
			}
			p.save()
			return false, nil
		case stageChunkLine:
			line, after, ok, err := p.until(rest, crlf, maxChunkLineBytes)
			if err != nil || !ok {
				return false, err
			}
			if p.left, err = chunkSize(line); err != nil {
				return false, err
			}
			rest, p.pending = after, p.pending[:0]
			if p.stage = stageChunk; p.left == 0 {
				p.stage = stageTrailer
			}
		case stageChunk:
			n := min(int64(len(rest)), p.left)
			p.body(rest[:n], false)
			rest = rest[n:]
			if p.left -= n; p.left > 0 {
				p.save()
				return false, nil
			}
			p.stage = stageChunkEnd
		case stageChunkEnd:
			// The limit leaves room for nothing before the line's end.
			_, after, ok, err := p.until(rest, crlf, len(crlf))
			if err != nil || !ok {
				return false, err
			}
			rest, p.pending, p.stage = after, p.pending[:0], stageChunkLine
		case stageTrailer:
			line, after, ok, err := p.until(rest, crlf, maxHeadBytes)
			if err != nil || !ok {
				return false, err
			}
			rest, p.pending = after, p.pending[:0]
			if p.left += int64(len(line)); p.left > maxHeadBytes || broken(line) {
				return false, fmt.Errorf("%w: a trailer with a broken line or of more than %d bytes", ErrResponse, maxHeadBytes)
			}
			if len(line) == len(crlf) {
				return true, p.end(rest)
			}
		case stageUntilClose:
			p.body(rest, false)
			p.save()
			return false, nil
		}
	}
}

// closed takes the end of the connection, and says whether the answer is whole by
// it.
func (p *parser) closed() bool { return p.stage == stageUntilClose }

// end checks that nothing follows.
func (p *parser) end(rest []byte) error {
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes after its end", ErrResponse, len(rest))
	}
	return nil
}

// until cuts rest after a delimiter, with what came of it before. Without one all
// of rest is kept for the next call, of which there is an end at limit.
func (p *parser) until(rest, delimiter []byte, limit int) (line, after []byte, ok bool, err error) {
	if len(p.pending) == 0 {
		if i := bytes.Index(rest, delimiter); i >= 0 && i+len(delimiter) <= limit {
			i += len(delimiter)
			return rest[:i], rest[i:], true, nil
		}
	}
	before := len(p.pending)
	p.pending = append(p.pending, rest[:min(len(rest), limit-before+1)]...)
	// The delimiter may have been cut by the end of the last piece.
	from := max(0, before-len(delimiter)+1)
	if i := bytes.Index(p.pending[from:], delimiter); i >= 0 && from+i+len(delimiter) <= limit {
		i += from + len(delimiter)
		return p.pending[:i], rest[i-before:], true, nil
	}
	if len(p.pending) >= limit {
		return nil, nil, false, fmt.Errorf("%w: a head or line of more than %d bytes", ErrResponse, limit)
	}
	p.save()
	return nil, nil, false, nil
}

// body takes a part of the body; whole says that it is all of it.
func (p *parser) body(part []byte, whole bool) {
	p.answer.BodyBytes += int64(len(part))
	if !p.keep {
		return
	}
	if room := p.limit - len(p.bodies); len(part) > room {
		part = part[:max(0, room)]
	}
	if whole && len(p.bodies) == 0 {
		p.answer.Body = part
		return
	}
	p.bodies = append(p.bodies, part...)
	p.answer.Body = p.bodies
}

// save copies what points into a piece that is about to go.
func (p *parser) save() {
	if p.keep && len(p.answer.head) > 0 {
		p.head = append(p.head[:0], p.answer.head...)
		p.answer.head = p.head
	}
}

// parseHead reads a head, which ends in an empty line, and decides what follows.
func (p *parser) parseHead(head []byte) error {
	status, minor, err := statusLine(head)
	if err != nil {
		return err
	}
	f := framing{length: -1}
	i := bytes.Index(head, crlf) + len(crlf)
	for {
		n := bytes.IndexByte(head[i:], '\n')
		line := head[i : i+n+1]
		i += n + 1
		if len(line) == len(crlf) && line[0] == '\r' {
			break
		}
		if err := f.field(line); err != nil {
			return err
		}
	}
	// RFC 9110 section 15.2: any number of interim answers may come before the
	// final one. 101 answers an Upgrade, which was not asked for.
	if status < 200 {
		if p.interim++; p.interim > maxInterim || status == 101 {
			return fmt.Errorf("%w: an interim answer too many, of status %d", ErrResponse, status)
		}
		return nil
	}
	p.answer.Status = status
	p.keep = p.keep || p.classed && !p.expect.status(status)
	// RFC 9112 section 9.3: HTTP/1.1 persists unless it says close.
	p.keepAlive = !f.close && (minor == 1 || f.keepAlive)
	if p.keep {
		p.answer.head = head
		if len(p.pending) > 0 { // head is a part of it, which the body needs
			p.head = append(p.head[:0], head...)
			p.answer.head = p.head
		}
	}
	return p.follow(status, minor, &f)
}

// follow decides how the body is framed: RFC 9112 section 6.3.
func (p *parser) follow(status, minor int, f *framing) error {
	switch {
	case f.chunked && f.length >= 0:
		return fmt.Errorf("%w: both Transfer-Encoding and Content-Length", ErrResponse)
	// RFC 9112 section 6.1: its framing is faulty, whatever it was.
	case f.chunked && minor == 0:
		return fmt.Errorf("%w: Transfer-Encoding in HTTP/1.0", ErrResponse)
	case p.noBody || status == 204 || status == 304:
		p.stage, p.left = stageBody, 0
	case f.chunked:
		p.stage, p.left = stageChunkLine, 0
	case f.length >= 0:
		p.stage, p.left = stageBody, f.length
	default:
		p.stage, p.keepAlive = stageUntilClose, false
	}
	return nil
}

// statusLine reads "HTTP/1.1 200 OK": RFC 9112 section 4.
func statusLine(head []byte) (status, minor int, err error) {
	const shape = "HTTP/1.1 200"
	if len(head) < len(shape)+len(crlf) || string(head[:7]) != "HTTP/1." || head[7] != '0' && head[7] != '1' || head[8] != ' ' {
		return 0, 0, fmt.Errorf("%w: no status line", ErrResponse)
	}
	for _, c := range head[9:12] {
		if c < '0' || c > '9' {
			return 0, 0, fmt.Errorf("%w: no status", ErrResponse)
		}
		status = status*10 + int(c-'0')
	}
	end := bytes.IndexByte(head, '\n')
	if status < 100 || status > 599 || head[12] != ' ' && end != 13 || bytes.IndexByte(head, '\r') != end-1 {
		return 0, 0, fmt.Errorf("%w: no status line", ErrResponse)
	}
	return status, int(head[7] - '0'), nil
}

// framing is what the fields of a head say of the body and the connection.
type framing struct {
	length                    int64 // -1: not said
	chunked, close, keepAlive bool
}

// field reads one line, with its end: RFC 9112 section 5.
func (f *framing) field(line []byte) error {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || bytes.IndexByte(line, '\r') != len(line)-2 || bytes.ContainsAny(line[:colon], " \t") {
		return fmt.Errorf("%w: a malformed header field", ErrResponse)
	}
	name := line[:colon]
	switch len(name) {
	case len("Connection"):
		if equalFold(name, "Connection") {
			for option := range bytes.SplitSeq(line[colon+1:len(line)-2], []byte{','}) {
				option = bytes.Trim(option, " \t")
				f.close = f.close || equalFold(option, "close")
				f.keepAlive = f.keepAlive || equalFold(option, "keep-alive")
			}
		}
	case len("Content-Length"):
		if equalFold(name, "Content-Length") {
			return f.contentLength(bytes.Trim(line[colon+1:len(line)-2], " \t"))
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "Transfer-Encoding") {
			// No other coding was offered, so that no other may come.
			if f.chunked || !equalFold(bytes.Trim(line[colon+1:len(line)-2], " \t"), "chunked") {
				return fmt.Errorf("%w: a Transfer-Encoding other than chunked", ErrResponse)
			}
			f.chunked = true
		}
	}
	return nil
}

func (f *framing) contentLength(digits []byte) error {
	n, ok := number(digits, 10)
	if !ok || f.length >= 0 && f.length != n {
		return fmt.Errorf("%w: Content-Length is no length", ErrResponse)
	}
	f.length = n
	return nil
}

// chunkSize reads the line before a chunk: RFC 9112 section 7.1. Extensions are
// passed over.
func chunkSize(line []byte) (int64, error) {
	size, _, _ := bytes.Cut(line[:len(line)-len(crlf)], []byte{';'})
	n, ok := number(bytes.TrimRight(size, " \t"), 16)
	if !ok || broken(line) {
		return 0, fmt.Errorf("%w: a chunk without a size", ErrResponse)
	}
	return n, nil
}

// broken finds a carriage return or line feed on its own in a line.
func broken(line []byte) bool { return bytes.ContainsAny(line[:len(line)-len(crlf)], "\r\n") }

// number reads digits, and nothing else, of a base up to 16.
func number(digits []byte, base int64) (n int64, ok bool) {
	for _, c := range digits {
		d := base
		switch c = lower(c); {
		case c >= '0' && c <= '9':
			d = int64(c - '0')
		case c >= 'a' && c <= 'f':
			d = int64(c-'a') + 10
		}
		if d >= base || n > (math.MaxInt64-d)/base {
			return 0, false
		}
		n = n*base + d
	}
	return n, len(digits) > 0
}
