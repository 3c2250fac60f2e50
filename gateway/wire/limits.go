package wire

// Limits bounds one message. The zero value of a field means its default.
type Limits struct {
	// MaxHeadBytes bounds the start line, all header lines, the blank line at
	// their end and a blank line in front, in bytes. A trailer section is
	// bounded by the same number on its own. Optional. Defaults to 32768.
	MaxHeadBytes int

	// MaxHeaderCount bounds the header lines of a head, and the lines of a
	// trailer section. Optional. Defaults to 100.
	MaxHeaderCount int

	// MaxTargetBytes bounds the request target, in bytes. It has no meaning for
	// responses. Optional. Defaults to 8192.
	MaxTargetBytes int

	// MaxBodyBytes bounds the content of a message, in bytes, without chunk
	// framing. Optional. Zero means no bound.
	MaxBodyBytes int64
}

const (
	defaultMaxHeadBytes   = 32 << 10
	defaultMaxHeaderCount = 100
	defaultMaxTargetBytes = 8 << 10
)

// Bounds that no site has a reason to change.
const (
	// maxMethodBytes is longer than any registered method (RFC 9110 section
	// 16.1.1; the longest is UPDATEREDIRECTREF).
	maxMethodBytes = 32
	// maxHostBytes is the longest domain name in text form.
	maxHostBytes = 255
	// maxChunkDigits keeps a chunk size below 2^60. fasthttp reads no more.
	maxChunkDigits = 15
	// maxInterim bounds the 1xx responses before a final one.
	maxInterim = 16
)

func (l Limits) withDefaults() Limits {
	if l.MaxHeadBytes <= 0 {
		l.MaxHeadBytes = defaultMaxHeadBytes
	}
	if l.MaxHeaderCount <= 0 {
		l.MaxHeaderCount = defaultMaxHeaderCount
	}
	if l.MaxTargetBytes <= 0 {
		l.MaxTargetBytes = defaultMaxTargetBytes
	}
	return l
}
