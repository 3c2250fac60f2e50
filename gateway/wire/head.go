package wire

const (
	versionText = "HTTP/1."
	chunkedText = "chunked"
	expectText  = "100-continue"
)

// scanHead advances over b while it belongs to a head or trailer section, with
// the results of scan. It returns early at the end of the section.
func (f *framer) scanHead(b []byte) (int, Reason) {
	h := &f.head
	for i := 0; i < len(b); {
		c := b[i]
		switch f.state {
		case stName:
			// RFC 9110 section 5.1: a field name is a token.
			from := i
			for i < len(b) && class[b[i]]&inToken != 0 {
				i++
			}
			h.keep(b[from:i])
			if i == len(b) {
				return i, noReason
			}
			if reason := f.endName(b[i]); reason != noReason {
				return i, reason
			}
			i++
		case stOWS:
			if c == ' ' || c == '\t' {
				i++
				continue
			}
			// The first byte of the value is met again in its own state.
			h.index = 0
			f.state = h.value
		case stValue:
			// RFC 9110 section 5.5: no control bytes but TAB.
			i += valueRun(b[i:])
			if i == len(b) {
				return i, noReason
			}
			if b[i] != '\r' {
				return i, badByte(b[i], ErrControlByte)
			}
			f.state = stLineLF
			i++
		case stLineLF:
			// RFC 9112 section 2.2: CR LF ends a line; a recipient may accept a
			// bare LF and may replace a bare CR, so parsers differ: neither passes.
			if c != '\n' {
				return i, ErrBareCR
			}
			f.state = stField
			i++
		case stField:
			if reason := f.beginField(c); reason != noReason {
				return i, reason
			}
			if f.state == stHeadLF {
				i++
			}
		case stHeadLF:
			if c != '\n' {
				return i, ErrBareCR
			}
			if reason := f.endHead(); reason != noReason {
				return i, reason
			}
			return i + 1, noReason
		case stTarget:
			n, reason := f.scanTarget(b[i:])
			i += n
			if reason != noReason {
				return i, reason
			}
		case stHostName:
			// Most of it in one go; what ends it is judged byte by byte.
			n := 0
			for n < len(b)-i && class[b[i+n]]&inHost != 0 && h.index+n < maxHostBytes {
				n++
			}
			h.index += n
			i += n
			if i == len(b) {
				return i, noReason
			}
			if reason := f.valueByte(b[i]); reason != noReason {
				return i, reason
			}
			i++
		case stLength, stLiteral, stHostV6, stHostV6End, stHostPort, stValueEnd:
			if reason := f.valueByte(c); reason != noReason {
				return i, reason
			}
			i++
		default:
			if reason := f.startLineByte(c); reason != noReason {
				return i, reason
			}
			i++
		}
	}
	return len(b), noReason
}

// keep collects a name. What does not fit cannot be one of the names that
// matter; only its length is kept.
func (h *head) keep(part []byte) {
	if h.nameLen < len(h.name) {
		copy(h.name[h.nameLen:], part)
	}
	h.nameLen += len(part)
}

// beginField looks at the first byte of a line without consuming it, but for
// the CR of the last line.
func (f *framer) beginField(c byte) Reason {
	h := &f.head
	switch {
	case c == '\r':
		f.state = stHeadLF
		return noReason
	case c == ' ' || c == '\t':
		if h.lines == 0 && !h.inTrailer {
			// RFC 9112 section 2.2: whitespace before the first field.
			return ErrLeadingSpace
		}
		// RFC 9112 section 5.2.
		return ErrObsFold
	case class[c]&inToken == 0:
		return badByte(c, ErrHeaderName)
	case h.inTrailer && !f.isResponse:
		// RFC 9110 section 6.5.1 forbids to merge most trailer fields into the
		// header section. fasthttp merges them all, after the identity headers
		// of the client were removed. No request in use here needs trailers.
		return ErrTrailer
	case h.lines == f.lim.MaxHeaderCount:
		return ErrHeaderCount
	}
	h.lines++
	h.nameLen = 0
	f.state = stName
	return noReason
}

// endName judges a name by the byte c after it.
func (f *framer) endName(c byte) Reason {
	h := &f.head
	if c != ':' {
		if c == ' ' || c == '\t' {
			// RFC 9112 section 5.1: refuse with 400, since servers differ on
			// whether the name includes the space.
			return ErrSpaceBeforeColon
		}
		return badByte(c, ErrHeaderName)
	}
	h.value = stValue
	f.state = stOWS
	switch h.nameLen {
	case len("host"):
		return f.noteHost()
	case len("expect"):
		return f.noteExpect()
	case len("trailer"):
		// Announcing a trailer that would be refused; fasthttp would also
		// forward the announcement.
		if match, _ := h.isName("trailer"); match && !f.isResponse {
			return ErrTrailer
		}
	case len("content-length"):
		return f.noteLength()
	case len("transfer-encoding"):
		return f.noteEncoding()
	}
	return noReason
}

// isName compares the name that was read with want, which is in lower case and
// of the same length. A dash in want also matches an underscore; spelt tells
// whether there was one.
func (h *head) isName(want string) (match, spelt bool) {
	for i := range len(want) {
		c := lower(h.name[i])
		if c == '_' && want[i] == '-' {
			spelt = true
		} else if c != want[i] {
			return false, false
		}
	}
	return true, spelt
}

func (f *framer) noteHost() Reason {
	h := &f.head
	if match, _ := h.isName("host"); !match || f.isResponse {
		return noReason
	}
	// RFC 9112 section 3.2: refuse more than one Host with 400.
	if h.seenHost {
		return ErrHostRepeated
	}
	h.seenHost = true
	h.value, h.mismatch = stHostName, ErrHostInvalid
	return noReason
}

func (f *framer) noteExpect() Reason {
	h := &f.head
	if match, _ := h.isName("expect"); !match || f.isResponse {
		return noReason
	}
	// RFC 9110 section 10.1.1: 417 for an expectation other than 100-continue.
	if h.seenExpect {
		return ErrExpect
	}
	h.seenExpect = true
	h.value, h.literal, h.mismatch = stLiteral, expectText, ErrExpect
	return noReason
}

func (f *framer) noteLength() Reason {
	h := &f.head
	match, spelt := h.isName("content-length")
	switch {
	case !match:
		return noReason
	case spelt:
		// CGI-style servers turn both spellings into CONTENT_LENGTH.
		return ErrFramingSpelling
	case h.inTrailer:
		// RFC 9110 section 6.5.1: framing fields are no trailers.
		return ErrTrailer
	case h.seenLength:
		// RFC 9112 section 6.3 item 5 lets a recipient fold equal values into
		// one; not all do.
		return ErrContentLengthRepeated
	case h.seenEncoding:
		// RFC 9112 section 6.3 item 3.
		return ErrFramingConflict
	}
	h.seenLength = true
	h.value, h.mismatch = stLength, ErrContentLengthInvalid
	return noReason
}

func (f *framer) noteEncoding() Reason {
	h := &f.head
	match, spelt := h.isName("transfer-encoding")
	switch {
	case !match:
		return noReason
	case spelt:
		return ErrFramingSpelling
	case h.inTrailer:
		return ErrTrailer
	case h.seenEncoding:
		return ErrTransferEncodingRepeated
	case h.seenLength:
		return ErrFramingConflict
	case h.http10:
		// RFC 9112 section 6.1: framing of such a message is faulty.
		return ErrTransferEncodingVersion
	}
	h.seenEncoding = true
	h.value, h.literal, h.mismatch = stLiteral, chunkedText, ErrTransferEncodingUnsupported
	return noReason
}
