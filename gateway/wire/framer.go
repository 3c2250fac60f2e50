package wire

// state is where in a message the next byte belongs.
type state uint8

// States are ordered: those of a head (and of a trailer section) come before
// stChunkSize.
const (
	stIdle          state = iota // response side: no response is expected
	stStart                      // first byte of a message
	stBlankLF                    // LF of the one blank line before a request line
	stStartNoBlank               // first byte after that blank line
	stMethod                     //
	stTargetStart                //
	stTarget                     //
	stVersion                    // request line: "HTTP/1." and a digit
	stStatusVersion              // status line: the same
	stStatusSpace                //
	stStatusCode                 //
	stStatusAfter                // SP before the reason phrase, or CR
	stLineCR                     // CR of a request line
	stLineLF                     // LF of any line of a head
	stField                      // first byte of a header line, or CR of the last line
	stName                       //
	stOWS                        // whitespace between colon and value
	stValue                      // a value that framing does not depend on
	stLength                     // digits of Content-Length
	stLiteral                    // a value that must equal framer.literal
	stHostName                   //
	stHostV6                     // between the brackets
	stHostV6End                  // after the closing bracket
	stHostPort                   //
	stValueEnd                   // whitespace behind a value, or CR
	stHeadLF                     // LF of the blank line that ends a head or trailer section

	stChunkSize   //
	stChunkSizeLF //
	stChunkCR     // CR after chunk data
	stChunkLF     //
	stChunkData   // framer.left bytes of it
	stBody        // framer.left bytes of a body with Content-Length
	stUntilEOF    // a response body that ends with the connection
	stPass        // not HTTP any more
)

// framer reads a stream of HTTP/1.x messages byte by byte and stops at the
// first byte that breaks a rule. It is the same machine for both directions;
// isResponse decides which start line it expects and how a head ends.
type framer struct {
	lim        Limits
	state      state
	isResponse bool
	head       head

	left     int64  // bytes left of a body or chunk; the chunk size while it is read
	bodyRead int64  // content announced so far by chunk sizes
	whole    uint64 // messages read to their end

	// Response side: what the request that is being answered was.
	answersHead    bool
	answersConnect bool
	wantsUpgrade   bool
	interim        int
}

// head is what is known of the head that is being read. It starts from zero
// with every message.
type head struct {
	left      int // bytes left of Limits.MaxHeadBytes
	lines     int // header lines so far
	target    int // bytes of the request target so far
	length    int64
	index     int // position inside a fixed text, a number or a host
	nameLen   int
	name      [48]byte // the start of the name being read; also method and IPv6 address
	value     state    // the state in which the value of this line is read
	literal   string   // what stLiteral must match
	mismatch  Reason   // the reason if a value is malformed
	status    int
	http10    bool
	inTrailer bool

	seenHost, seenLength, seenEncoding, seenExpect bool
}

// begin prepares for the next message.
func (f *framer) begin() {
	f.head = head{left: f.lim.MaxHeadBytes}
	f.bodyRead = 0
	f.state = stStart
}

// complete ends the message that was being read.
func (f *framer) complete() {
	f.whole++
	if f.isResponse {
		f.state = stIdle
		return
	}
	f.begin()
}

// scan advances over b. It returns len(b) and noReason, or the index of the
// byte that breaks a rule; the state is then the one in which that byte was met.
func (f *framer) scan(b []byte) (int, Reason) {
	for i := 0; i < len(b); {
		var n int
		var reason Reason
		switch {
		case f.state == stIdle:
			return i, ErrSurplus
		case f.state < stChunkSize:
			window := b[i:]
			if len(window) > f.head.left {
				window = window[:f.head.left]
			}
			if len(window) == 0 {
				return i, ErrHeadTooLarge
			}
			// Charged before the scan: a section that ends in the window starts
			// the next budget.
			f.head.left -= len(window)
			n, reason = f.scanHead(window)
		default:
			n, reason = f.scanBody(b[i:])
		}
		i += n
		if reason != noReason {
			return i, reason
		}
	}
	return len(b), noReason
}

// mayEnd tells whether the end of input is in order here. An outstanding
// response that has not begun is not.
func (f *framer) mayEnd() bool {
	switch f.state {
	case stIdle, stUntilEOF, stPass:
		return true
	case stStart, stStartNoBlank:
		return !f.isResponse
	}
	return false
}

// silent tells whether fasthttp, given the bytes released so far and then an
// error, would drop the error: it treats a failure before the first byte of a
// message, or after nothing but CR and LF, as an orderly end.
func (f *framer) silent() bool {
	switch f.state {
	case stStart, stBlankLF, stStartNoBlank:
		return true
	}
	return f.endingBody()
}

// endingBody tells whether the last chunk is read and the trailer section, or
// the CRLF in its place, has only begun.
func (f *framer) endingBody() bool {
	return f.head.inTrailer && (f.state == stField && f.head.lines == 0 || f.state == stHeadLF)
}

// badByte names the rule that c breaks where neither a control byte nor the
// end of the line is allowed; other is the reason for any other byte, and for
// CR, which may be the early end of the line.
func badByte(c byte, other Reason) Reason {
	switch {
	case c == '\n':
		return ErrBareLF
	case c != '\r' && c < ' ' || c == 0x7f:
		return ErrControlByte
	}
	return other
}
