package wire

// beginBody is called when a head is complete and its framing fields say how
// the body is framed (RFC 9112 section 6.3).
func (f *framer) beginBody() {
	h := &f.head
	switch {
	case h.seenEncoding:
		f.left, h.index = 0, 0
		f.state = stChunkSize
	case h.length > 0:
		f.left = h.length
		f.state = stBody
	default:
		f.complete()
	}
}

// scanBody advances over b while it belongs to a body, with the results of
// scan. It returns early at the end of the body.
func (f *framer) scanBody(b []byte) (int, Reason) {
	switch f.state {
	case stBody, stChunkData:
		n := int(min(f.left, int64(len(b))))
		f.left -= int64(n)
		if f.left > 0 {
			return n, noReason
		}
		if f.state == stChunkData {
			f.state = stChunkCR
		} else {
			f.complete()
		}
		return n, noReason
	case stUntilEOF, stPass:
		return len(b), noReason
	}
	if reason := f.chunkByte(b[0]); reason != noReason {
		return 0, reason
	}
	return 1, noReason
}

// chunkByte takes one byte of the framing around chunk data, RFC 9112 section 7.1.
func (f *framer) chunkByte(c byte) Reason {
	h := &f.head
	switch f.state {
	case stChunkSize:
		switch {
		case class[c]&inHex != 0:
			if h.index == maxChunkDigits {
				return ErrChunkSize
			}
			h.index++
			f.left = f.left<<4 | int64(unhex(c))
		case h.index > 0 && c == '\r':
			// Both terms are below 2^62: no overflow.
			f.bodyRead = min(f.bodyRead+f.left, 1<<62-1)
			if f.lim.MaxBodyBytes > 0 && f.bodyRead > f.lim.MaxBodyBytes {
				return ErrBodyTooLarge
			}
			f.state = stChunkSizeLF
		case h.index > 0 && c == ';':
			// RFC 9112 section 7.1.1 lets a recipient ignore extensions; how far
			// they reach is where parsers were caught differing.
			return ErrChunkExtension
		default:
			return badByte(c, ErrChunkSize)
		}
	case stChunkSizeLF:
		if c != '\n' {
			return ErrBareCR
		}
		if f.left > 0 {
			f.state = stChunkData
			return noReason
		}
		// RFC 9112 section 7.1.2: the trailer section, with a budget of its own.
		h.left, h.lines, h.inTrailer = f.lim.MaxHeadBytes, 0, true
		f.state = stField
	case stChunkCR:
		if c != '\r' {
			return ErrChunkEnd
		}
		f.state = stChunkLF
	case stChunkLF:
		if c != '\n' {
			return ErrChunkEnd
		}
		f.left, h.index = 0, 0
		f.state = stChunkSize
	}
	return noReason
}
