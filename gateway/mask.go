package gateway

// maxLoggedPath bounds the path in a line of the log, in bytes.
const maxLoggedPath = 256

const (
	// maskDigits is how many digits a path segment may hold before it is
	// masked: a personal number has 12, the identity card before it 9, a
	// phone number 10, however they are punctuated.
	maskDigits = 9
	// maskSegment is the shortest segment that is masked for its length:
	// tokens have been seen in paths.
	maskSegment = 64
)

// appendMasked appends the path with every segment that may name a person
// replaced by "*": many digits, a token's length, an e-mail address, or
// anything percent-encoded, as names are.
func appendMasked(dst, path []byte) []byte {
	for i := 0; i < len(path) && len(dst) < maxLoggedPath; {
		if path[i] == '/' {
			dst = append(dst, '/')
			i++
			continue
		}
		end, digits, personal := i, 0, false
		for ; end < len(path) && path[end] != '/'; end++ {
			switch c := path[end]; {
			case c >= '0' && c <= '9':
				digits++
			case c == '%', c == '@':
				personal = true
			}
		}
		if personal || digits >= maskDigits || end-i >= maskSegment {
			dst = append(dst, '*')
		} else {
			dst = append(dst, path[i:end]...)
		}
		i = end
	}
	return dst
}
