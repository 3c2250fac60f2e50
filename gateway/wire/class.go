package wire

import (
	"encoding/binary"
	"math/bits"
)

// Classes of bytes.
const (
	// inToken is tchar of RFC 9110 section 5.6.2.
	inToken = 1 << iota
	// inTarget is a byte that a request target may hold on the wire: visible
	// ASCII and everything above ASCII.
	inTarget
	// inPath is pchar of RFC 3986 section 3.3 but for ';', and '/'.
	inPath
	// unreserved is unreserved of RFC 3986 section 2.3.
	unreserved
	// inHost is a byte of a host name in Host: narrower than reg-name of RFC
	// 3986 section 3.2.2. No host name holds percent-encoding or sub-delims,
	// while a comma or semicolon would split the X-Forwarded-Host and Forwarded
	// fields that are made from it.
	inHost
	// inHex is HEXDIG, of either case.
	inHex
	// inValue is a byte of a field value (RFC 9110 section 5.5), or a TAB.
	inValue
)

var class = makeClass()

func makeClass() (t [256]uint8) {
	set := func(s string, bits uint8) {
		for i := range len(s) {
			t[s[i]] |= bits
		}
	}
	const (
		digits  = "0123456789"
		letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	)
	set(digits+letters, inToken|inPath|unreserved|inHost)
	set("-._~", inToken|inPath|unreserved)
	set("-._", inHost)
	set("!#$%&'*+^`|", inToken)
	set("!$&'()*+,=:@/%", inPath)
	set(digits+"abcdefABCDEF", inHex)
	t['\t'] |= inValue
	t[' '] |= inValue
	for c := 0x21; c <= 0xff; c++ {
		if c != 0x7f {
			t[c] |= inTarget | inValue
		}
	}
	return t
}

// lower maps A-Z to a-z and nothing else.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// valueRun returns how many leading bytes of b a field value may hold. It looks
// at 32 bytes at a time: bearer tokens make values most of a head.
func valueRun(b []byte) int {
	i := 0
	for len(b)-i >= 32 {
		w := b[i : i+32]
		if refusedBytes(binary.LittleEndian.Uint64(w))|
			refusedBytes(binary.LittleEndian.Uint64(w[8:]))|
			refusedBytes(binary.LittleEndian.Uint64(w[16:]))|
			refusedBytes(binary.LittleEndian.Uint64(w[24:])) != 0 {
			break
		}
		i += 32
	}
	for len(b)-i >= 8 {
		m := refusedBytes(binary.LittleEndian.Uint64(b[i:]))
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) / 8
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && class[b[i]]&inValue != 0 {
		i++
	}
	return i
}

// refusedBytes is zero if no byte of x is below 0x20 or equal to 0x7f.
// Otherwise its lowest set bit lies in the first such byte; the bits above are
// no use, since borrows disturb them.
func refusedBytes(x uint64) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	y := x ^ 0x7f*ones
	return ((x-0x20*ones)&^x | (y-ones)&^y) & highs
}
