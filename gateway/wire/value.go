package wire

import "net/netip"

// valueByte takes one byte of a value that framing or routing depends on.
func (f *framer) valueByte(c byte) Reason {
	if c == '\r' || c == ' ' || c == '\t' {
		return f.endValue(c)
	}
	h := &f.head
	switch f.state {
	case stLength:
		// RFC 9110 section 8.6: 1*DIGIT; a list, a sign or a space between
		// digits is read differently by different parsers. Below 2^63.
		if c < '0' || c > '9' {
			return badByte(c, h.mismatch)
		}
		d := int64(c - '0')
		if h.length > (1<<63-1-d)/10 {
			return h.mismatch
		}
		h.length = 10*h.length + d
		h.index = 1
	case stLiteral:
		if h.index == len(h.literal) || lower(c) != h.literal[h.index] {
			return badByte(c, h.mismatch)
		}
		h.index++
	case stValueEnd:
		return badByte(c, h.mismatch)
	default:
		return f.hostByte(c)
	}
	return noReason
}

// hostByte takes one byte of Host: RFC 9110 section 7.2, RFC 3986 section 3.2.2,
// without userinfo, narrowed as class inHost says.
func (f *framer) hostByte(c byte) Reason {
	h := &f.head
	if h.index++; h.index > maxHostBytes {
		return h.mismatch
	}
	switch f.state {
	case stHostName:
		switch {
		case c == '[' && h.index == 1:
			h.nameLen = 0
			f.state = stHostV6
		case c == ':' && h.index > 1:
			h.nameLen = 0
			f.state = stHostPort
		default:
			return badByte(c, h.mismatch)
		}
	case stHostV6:
		switch {
		case class[c]&inHex != 0 || c == ':' || c == '.':
			if h.nameLen == len(h.name) {
				return h.mismatch
			}
			h.name[h.nameLen] = c
			h.nameLen++
		case c == ']':
			// The one place of a head that allocates, and rare.
			if addr, err := netip.ParseAddr(string(h.name[:h.nameLen])); err != nil || !addr.Is6() {
				return h.mismatch
			}
			f.state = stHostV6End
		default:
			return badByte(c, h.mismatch)
		}
	case stHostV6End:
		if c != ':' {
			return badByte(c, h.mismatch)
		}
		h.nameLen = 0
		f.state = stHostPort
	case stHostPort:
		// At most five digits: nothing that a 16-bit port does not need.
		if c < '0' || c > '9' || h.nameLen == 5 {
			return badByte(c, h.mismatch)
		}
		h.nameLen++
	}
	return noReason
}

// endValue judges a value at the whitespace or CR behind it.
func (f *framer) endValue(c byte) Reason {
	h := &f.head
	switch f.state {
	case stLength:
		if h.index == 0 {
			return h.mismatch
		}
		// RFC 9110 section 15.5.14.
		if f.lim.MaxBodyBytes > 0 && h.length > f.lim.MaxBodyBytes && f.lengthCounts() {
			return ErrBodyTooLarge
		}
	case stLiteral:
		if h.index != len(h.literal) {
			return h.mismatch
		}
	case stHostName, stHostV6, stHostV6End, stHostPort:
		if h.index == 0 || f.state == stHostV6 || f.state == stHostPort && h.nameLen == 0 {
			return h.mismatch
		}
	}
	f.state = stValueEnd
	if c == '\r' {
		f.state = stLineLF
	}
	return noReason
}

// lengthCounts tells whether Content-Length is the length of this message's
// body: in the answer to HEAD and in a 304 it is not.
func (f *framer) lengthCounts() bool {
	return !f.answersHead && f.head.status != 304
}
