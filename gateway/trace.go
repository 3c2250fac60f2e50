package gateway

import (
	"encoding/hex"
	"math/rand/v2"
)

// maxRequestID bounds a request id that is carried on.
const maxRequestID = 64

// validRequestID accepts what can stand in a log, a page and a header without
// quoting.
func validRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestID {
		return false
	}
	for _, c := range id {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// appendRandomHex appends n random bytes in hexadecimal. They name things and
// protect nothing. n is at most 16.
func appendRandomHex(dst []byte, n int) []byte {
	var raw [16]byte
	for i := 0; i < n; i += 8 {
		v := rand.Uint64()
		for j := i; j < i+8 && j < n; j++ {
			raw[j] = byte(v)
			v >>= 8
		}
	}
	return hex.AppendEncode(dst, raw[:n])
}

// validTraceparent follows W3C Trace Context section 3.2.2: version 00, or a
// higher one with the same beginning; ids that are not all zero.
func validTraceparent(v []byte) bool {
	const length = 55
	if len(v) < length || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return false
	}
	version, trace, parent, flags := v[:2], v[3:35], v[36:52], v[53:55]
	if !lowerHex(version) || !lowerHex(trace) || !lowerHex(parent) || !lowerHex(flags) ||
		zeros(trace) || zeros(parent) || string(version) == "ff" {
		return false
	}
	if string(version) == "00" {
		return len(v) == length
	}
	return len(v) <= 2*length && (len(v) == length || v[length] == '-')
}

func lowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != '0' {
			return false
		}
	}
	return true
}

// appendTraceparent appends a new trace that nobody sampled.
func appendTraceparent(dst []byte) []byte {
	dst = append(dst, "00-"...)
	dst = appendRandomHex(dst, 16)
	dst = append(dst, '-')
	dst = appendRandomHex(dst, 8)
	return append(dst, "-00"...)
}
