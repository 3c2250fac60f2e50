package wire

// startLineByte takes one byte of a request line or status line, the target
// excepted.
func (f *framer) startLineByte(c byte) Reason {
	h := &f.head
	switch f.state {
	case stStart, stStartNoBlank:
		return f.firstByte(c)
	case stBlankLF:
		if c != '\n' {
			return ErrBareCR
		}
		f.state = stStartNoBlank
	case stMethod:
		return f.methodByte(c)
	case stTargetStart:
		switch {
		case c == '/':
			h.target = 1
			f.state = stTarget
		case c == ' ':
			return ErrTargetMissing
		case c == '\r':
			return ErrRequestLine
		case class[c]&inTarget == 0:
			return badByte(c, ErrTargetByte)
		default:
			// RFC 9112 section 3.2: absolute-form, authority-form, asterisk-form.
			return ErrTargetForm
		}
	case stVersion:
		return f.versionByte(c, ErrRequestLine, stLineCR)
	case stStatusVersion:
		return f.versionByte(c, ErrStatusLine, stStatusSpace)
	case stLineCR:
		if c != '\r' {
			return badByte(c, ErrRequestLine)
		}
		f.state = stLineLF
	case stStatusSpace:
		if c != ' ' {
			return badByte(c, ErrStatusLine)
		}
		h.index = 0
		f.state = stStatusCode
	case stStatusCode:
		// RFC 9110 section 15: three digits, 100 to 599.
		if c < '0' || c > '9' || h.index == 0 && (c < '1' || c > '5') {
			return badByte(c, ErrStatusLine)
		}
		h.status = 10*h.status + int(c-'0')
		if h.index++; h.index == 3 {
			f.state = stStatusAfter
		}
	case stStatusAfter:
		switch c {
		case ' ':
			// The reason phrase holds what a field value may hold.
			f.state = stValue
		case '\r':
			// RFC 9112 section 4 wants the space even without a phrase; servers
			// that leave it out are read the same by all.
			f.state = stLineLF
		default:
			return badByte(c, ErrStatusLine)
		}
	}
	return noReason
}

// firstByte takes the first byte of a message.
func (f *framer) firstByte(c byte) Reason {
	h := &f.head
	if f.isResponse {
		f.state = stStatusVersion
		if reason := f.versionByte(c, ErrStatusLine, stStatusSpace); reason != noReason {
			f.state = stStart
			return reason
		}
		return noReason
	}
	if c == '\r' {
		// RFC 9112 section 2.2: a server should ignore at least one blank line.
		// It ignores exactly one.
		if f.state == stStartNoBlank {
			return ErrBlankLines
		}
		f.state = stBlankLF
		return noReason
	}
	if class[c]&inToken == 0 {
		return badByte(c, ErrMethodInvalid)
	}
	h.name[0] = c
	h.nameLen = 1
	f.state = stMethod
	return noReason
}

// methodByte collects the method, case kept (RFC 9110 section 9.1), and judges
// it at the space behind it.
func (f *framer) methodByte(c byte) Reason {
	h := &f.head
	if c != ' ' {
		if class[c]&inToken == 0 {
			return badByte(c, ErrMethodInvalid)
		}
		if h.nameLen == maxMethodBytes {
			return ErrMethodInvalid
		}
		h.name[h.nameLen] = c
		h.nameLen++
		return noReason
	}
	switch string(h.name[:h.nameLen]) {
	case "CONNECT", "TRACE":
		// RFC 9110 sections 9.3.6 and 9.3.8: a tunnel would bypass every check,
		// and TRACE echoes credentials.
		return ErrMethodRefused
	case "PRI":
		// RFC 9113 section 3.4.
		return ErrHTTP2Preface
	}
	f.state = stTargetStart
	return noReason
}

// scanTarget advances over the target, its first byte excepted, and the space
// behind it. Its bytes are judged in full by ParseTarget.
func (f *framer) scanTarget(b []byte) (int, Reason) {
	h := &f.head
	room := f.lim.MaxTargetBytes - h.target
	n := 0
	for n < len(b) && class[b[n]]&inTarget != 0 {
		if n == room {
			// RFC 9110 section 15.5.15.
			return n, ErrTargetTooLong
		}
		n++
	}
	h.target += n
	if n == len(b) {
		return n, noReason
	}
	switch b[n] {
	case ' ':
		h.index = 0
		f.state = stVersion
		return n + 1, noReason
	case '\r':
		return n, ErrRequestLine // a request line of HTTP/0.9
	}
	return n, badByte(b[n], ErrTargetByte)
}

// versionByte matches "HTTP/1." and a 0 or 1 (RFC 9112 section 2.3), then
// continues in next.
func (f *framer) versionByte(c byte, mismatch Reason, next state) Reason {
	h := &f.head
	if h.index < len(versionText) {
		if c != versionText[h.index] {
			return f.badVersion(c, mismatch)
		}
		h.index++
		return noReason
	}
	if c != '0' && c != '1' {
		return f.badVersion(c, mismatch)
	}
	h.http10 = c == '0'
	f.state = next
	return noReason
}

// badVersion tells another version of a request from none at all.
func (f *framer) badVersion(c byte, mismatch Reason) Reason {
	const major, minor = len("HTTP/"), len(versionText)
	if at := f.head.index; !f.isResponse && (at == major || at == minor) && '0' <= c && c <= '9' {
		return ErrVersion
	}
	return badByte(c, mismatch)
}

// endHead is called at the LF that ends a head or trailer section, before that
// byte is released.
func (f *framer) endHead() Reason {
	h := &f.head
	if h.inTrailer {
		f.complete()
		return noReason
	}
	if f.isResponse {
		return f.endResponseHead()
	}
	// RFC 9112 section 3.2: refuse HTTP/1.1 without Host with 400.
	if !h.seenHost && !h.http10 {
		return ErrHostMissing
	}
	f.beginBody()
	return noReason
}

// endResponseHead decides how a response is framed, RFC 9112 section 6.3.
func (f *framer) endResponseHead() Reason {
	h := &f.head
	announced := h.seenEncoding || h.seenLength && h.length > 0
	switch {
	case h.status < 200:
		// RFC 9110 section 8.6 and RFC 9112 section 6.1: neither field in a 1xx.
		// A length of zero is wrong too, and harmless.
		if announced {
			return ErrBodylessFraming
		}
		if h.status == 101 {
			// RFC 9110 section 7.8: only to a request that asked.
			if !f.wantsUpgrade {
				return ErrUpgradeUnasked
			}
			f.state = stPass
			return noReason
		}
		if f.interim++; f.interim > maxInterim {
			return ErrInterimFlood
		}
		f.begin()
	case f.answersConnect && h.status < 300:
		// Item 2: a tunnel.
		f.state = stPass
	case f.answersHead || h.status == 304:
		// Item 1: the fields describe what a GET would have carried.
		f.complete()
	case h.status == 204:
		if announced {
			return ErrBodylessFraming
		}
		f.complete()
	case !announced && !h.seenLength:
		// Item 8.
		f.state = stUntilEOF
	default:
		f.beginBody()
	}
	return noReason
}
