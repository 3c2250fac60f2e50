package wire

import (
	"bytes"
	"unicode/utf8"
)

// Target is a request target in origin form (RFC 9112 section 3.2.1).
type Target struct {
	// Path is the normalised path, never empty, always starting with '/'. It is
	// the only path: what routing matches is what the upstream receives.
	Path []byte
	// Query is everything after the first '?', verbatim.
	Query []byte
	// HasQuery tells "/a?" from "/a".
	HasQuery bool
}

// ParseTarget checks and normalises raw, a request target.
//
// The path comes out with encoded unreserved characters decoded and the hex
// digits of what stays encoded in upper case (RFC 3986 section 6.2.2), dot
// segments removed (section 5.2.4) and runs of '/' collapsed to one. A ".."
// removes an empty segment like any other, as section 5.2.4 has it. A path that
// two servers could read differently is refused: see the ErrTarget reasons.
// Normalising a normalised path changes nothing. The length is for the caller
// to bound; the time is linear in it.
//
// buf is scratch space of the caller, its contents are overwritten. It is
// returned in every case, possibly grown, for the next call; nothing is
// allocated when its capacity is at least len(raw). The returned Path aliases
// raw when raw needed no change, and buf otherwise; Query always aliases raw.
// Both are valid for as long as raw and buf are left alone.
//
// A failure is an [*Error] with status 400. ParseTarget has no state, so it may
// be called concurrently with different buffers.
func ParseTarget(buf, raw []byte) (Target, []byte, error) {
	// RFC 9112 section 3.2: only origin-form; absolute-form, authority-form and
	// asterisk-form name a resource by means that routing does not look at.
	if len(raw) == 0 || raw[0] != '/' {
		return Target{}, buf, &requestRefusals[ErrTargetForm]
	}
	end, plain, reason := scanPath(raw)
	if reason != noReason {
		return Target{}, buf, &requestRefusals[reason]
	}
	t := Target{Path: raw[:end]}
	if end < len(raw) {
		t.HasQuery = true
		t.Query = raw[end+1:]
		// RFC 3986 section 3.4, widened by the bytes above ASCII that browsers
		// leave in queries: no parser takes them for a delimiter.
		for _, c := range t.Query {
			if class[c]&inTarget == 0 || c == '#' {
				return Target{}, buf, &requestRefusals[ErrTargetQueryByte]
			}
		}
	}
	if plain {
		return t, buf, nil
	}
	buf, reason = decodePath(buf[:0], t.Path)
	if reason != noReason {
		return Target{}, buf, &requestRefusals[reason]
	}
	t.Path, reason = removeDotSegments(buf)
	if reason != noReason {
		return Target{}, buf, &requestRefusals[reason]
	}
	return t, buf, nil
}

// scanPath finds the end of the path and whether it is normal as it stands.
func scanPath(raw []byte) (end int, plain bool, reason Reason) {
	plain = true
	prev := byte(0)
	for i, c := range raw {
		if class[c]&inPath == 0 {
			switch c {
			case '?':
				return i, plain, noReason
			case ';':
				// Servlet containers cut path parameters off before they match;
				// others do not.
				return 0, false, ErrTargetParameter
			case '\\':
				// Some servers read a backslash as a slash.
				return 0, false, ErrTargetBackslash
			}
			return 0, false, ErrTargetByte
		}
		// A slash followed by a slash or a dot may be an empty or a dot segment.
		if c == '%' || prev == '/' && (c == '/' || c == '.') {
			plain = false
		}
		prev = c
	}
	return len(raw), plain, noReason
}

// decodePath appends path to dst with the percent-encoding of unreserved
// characters undone and all other percent-encoding in upper case.
func decodePath(dst, path []byte) ([]byte, Reason) {
	const upperHex = "0123456789ABCDEF"
	var sequence [utf8.UTFMax]byte
	pending := 0 // bytes of an unfinished UTF-8 sequence
	percent := false
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			if pending > 0 {
				return dst, ErrTargetUTF8
			}
			dst = append(dst, c)
			continue
		}
		// RFC 3986 section 2.1.
		if len(path)-i < 3 || class[path[i+1]]&inHex == 0 || class[path[i+2]]&inHex == 0 {
			return dst, ErrTargetEscape
		}
		c = unhex(path[i+1])<<4 | unhex(path[i+2])
		i += 2
		if c >= utf8.RuneSelf {
			// An overlong form such as %C0%AE is a dot to a lenient decoder.
			sequence[pending] = c
			pending++
			if utf8.FullRune(sequence[:pending]) {
				if r, size := utf8.DecodeRune(sequence[:pending]); r == utf8.RuneError && size == 1 {
					return dst, ErrTargetUTF8
				}
				pending = 0
			}
		} else {
			if pending > 0 {
				return dst, ErrTargetUTF8
			}
			switch {
			case class[c]&unreserved != 0:
				// RFC 3986 section 6.2.2.2.
				dst = append(dst, c)
				continue
			case c == '/':
				return dst, ErrTargetEncodedSlash
			case c == '\\':
				return dst, ErrTargetBackslash
			case c == ';':
				return dst, ErrTargetParameter
			case c < ' ' || c == 0x7f:
				return dst, ErrTargetEncodedControl
			case c == '%':
				percent = true
			}
		}
		// RFC 3986 section 6.2.2.1.
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	if pending > 0 {
		return dst, ErrTargetUTF8
	}
	// A server that decodes twice reads %252F as a slash. Looked for in the
	// output, since "%25%32%46" only now reads "%252F".
	if percent && doubleEncoded(dst) {
		return dst, ErrTargetDoubleEncoding
	}
	return dst, noReason
}

func doubleEncoded(path []byte) bool {
	encodedPercent := []byte("%25")
	for {
		i := bytes.Index(path, encodedPercent)
		if i < 0 {
			return false
		}
		path = path[i+len(encodedPercent):]
		if len(path) >= 2 && class[path[0]]&inHex != 0 && class[path[1]]&inHex != 0 {
			return true
		}
	}
}

// removeDotSegments applies RFC 3986 section 5.2.4 to path in place, then
// collapses runs of '/'.
func removeDotSegments(path []byte) ([]byte, Reason) {
	out := 0 // path[:out] is done: empty, or starts with '/'
	for in := 0; in < len(path); {
		next := len(path)
		if i := bytes.IndexByte(path[in+1:], '/'); i >= 0 {
			next = in + 1 + i
		}
		switch segment := path[in+1 : next]; {
		case len(segment) == 1 && segment[0] == '.':
			if next == len(path) {
				path[out] = '/'
				out++
			}
		case len(segment) == 2 && segment[0] == '.' && segment[1] == '.':
			if out == 0 {
				return nil, ErrTargetAboveRoot
			}
			out = bytes.LastIndexByte(path[:out], '/')
			if next == len(path) {
				path[out] = '/'
				out++
			}
		default:
			out += copy(path[out:], path[in:next])
		}
		in = next
	}
	path = path[:out]
	out = 0
	for i, c := range path {
		if c == '/' && i > 0 && path[i-1] == '/' {
			continue
		}
		path[out] = c
		out++
	}
	return path[:out], noReason
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
