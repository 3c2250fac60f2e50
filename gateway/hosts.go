package gateway

import "bytes"

// maxHostBytes bounds a host name (RFC 1035 section 2.3.4) with its port.
const maxHostBytes = 255 + len(":65535")

// hosts finds the site of a Host value: an exact name beats the longest
// "*.suffix", which beats "*".
type hosts struct {
	exact  map[string]*site
	suffix map[string]*site // ".example.vn" for "*.example.vn"
	any    *site
}

// add enters a validated pattern of the configuration.
func (h *hosts) add(pattern string, s *site) {
	switch {
	case pattern == "*":
		h.any = s
	case len(pattern) > 2 && pattern[:2] == "*.":
		h.suffix[pattern[1:]] = s
	default:
		h.exact[pattern] = s
	}
}

// find returns the site that serves the Host value, nil for none. Names are
// compared without regard to case, port and a trailing dot.
func (h *hosts) find(value []byte) *site {
	if s, ok := h.exact[string(value)]; ok {
		return s
	}
	if len(value) > maxHostBytes {
		return nil
	}
	var scratch [maxHostBytes]byte
	name := foldHost(scratch[:0], value)
	if s, ok := h.exact[string(name)]; ok {
		return s
	}
	for i, c := range name {
		if c == '.' && i > 0 {
			if s, ok := h.suffix[string(name[i:])]; ok {
				return s
			}
		}
	}
	return h.any
}

// foldHost appends value without port and trailing dot, in lower case.
func foldHost(dst, value []byte) []byte {
	if end := bytes.LastIndexByte(value, ':'); end >= 0 && end > bytes.LastIndexByte(value, ']') {
		value = value[:end]
	}
	value = bytes.TrimSuffix(value, []byte("."))
	for _, c := range value {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
