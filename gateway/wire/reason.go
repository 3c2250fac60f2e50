package wire

import "strconv"

// Reason says which rule a message broke. The set is closed: [Reasons] lists
// it, and String gives a stable code for metrics and logs. A Reason is an
// error, so errors.Is(err, wire.ErrBareLF) holds for an [*Error] of that
// reason.
type Reason uint8

const (
	// noReason is the zero value: nothing was refused.
	noReason Reason = iota

	// ErrBareLF is a line feed without a carriage return before it.
	ErrBareLF
	// ErrBareCR is a carriage return without a line feed after it.
	ErrBareCR
	// ErrControlByte is a NUL or another control byte in a head.
	ErrControlByte
	// ErrBlankLines is a second blank line before a request line.
	ErrBlankLines
	// ErrHeadTooLarge is a head or trailer section beyond MaxHeadBytes.
	ErrHeadTooLarge
	// ErrHeaderCount is a head or trailer section beyond MaxHeaderCount lines.
	ErrHeaderCount

	// ErrMethodInvalid is a method that is not a token, or is too long.
	ErrMethodInvalid
	// ErrMethodRefused is CONNECT or TRACE.
	ErrMethodRefused
	// ErrHTTP2Preface is the HTTP/2 connection preface.
	ErrHTTP2Preface
	// ErrVersion is a version other than HTTP/1.1 and HTTP/1.0.
	ErrVersion
	// ErrRequestLine is a request line that ends in no version, that of HTTP/0.9
	// included, or in more than that.
	ErrRequestLine
	// ErrTargetMissing is a request line without a target.
	ErrTargetMissing
	// ErrTargetByte is a byte that a request target, or its path, cannot hold.
	ErrTargetByte
	// ErrTargetForm is a target other than an absolute path with a query.
	ErrTargetForm
	// ErrTargetTooLong is a target beyond MaxTargetBytes.
	ErrTargetTooLong

	// ErrLeadingSpace is whitespace before the first header line.
	ErrLeadingSpace
	// ErrObsFold is a header line that continues on the next line.
	ErrObsFold
	// ErrHeaderName is a header name that is empty or not a token, or a header
	// line without a colon.
	ErrHeaderName
	// ErrSpaceBeforeColon is whitespace between a header name and its colon.
	ErrSpaceBeforeColon
	// ErrHostMissing is an HTTP/1.1 request without Host.
	ErrHostMissing
	// ErrHostRepeated is a second Host.
	ErrHostRepeated
	// ErrHostInvalid is a Host that is not a host name, an IPv4 address or a
	// bracketed IPv6 address, with an optional port.
	ErrHostInvalid
	// ErrExpect is an expectation other than a single 100-continue.
	ErrExpect

	// ErrContentLengthInvalid is a Content-Length other than one number below 2^63.
	ErrContentLengthInvalid
	// ErrContentLengthRepeated is a second Content-Length, equal or not.
	ErrContentLengthRepeated
	// ErrFramingConflict is Content-Length together with Transfer-Encoding.
	ErrFramingConflict
	// ErrTransferEncodingRepeated is a second Transfer-Encoding.
	ErrTransferEncodingRepeated
	// ErrTransferEncodingUnsupported is a coding other than exactly chunked.
	ErrTransferEncodingUnsupported
	// ErrTransferEncodingVersion is Transfer-Encoding in an HTTP/1.0 message.
	ErrTransferEncodingVersion
	// ErrFramingSpelling is Content-Length or Transfer-Encoding spelt with an
	// underscore, which some servers read as a dash.
	ErrFramingSpelling
	// ErrBodyTooLarge is a body beyond MaxBodyBytes.
	ErrBodyTooLarge
	// ErrChunkSize is a chunk size that is not 1 to 15 hexadecimal digits and CRLF.
	ErrChunkSize
	// ErrChunkExtension is a chunk extension.
	ErrChunkExtension
	// ErrChunkEnd is chunk data that is not followed by CRLF.
	ErrChunkEnd
	// ErrTrailer is a trailer field in a request or its announcement, or a
	// framing field in the trailer section of a response.
	ErrTrailer

	// ErrStatusLine is a malformed status line.
	ErrStatusLine
	// ErrBodylessFraming is a response that cannot have a body, yet announces one.
	ErrBodylessFraming
	// ErrInterimFlood is more than 16 interim responses before a final one.
	ErrInterimFlood
	// ErrUpgradeUnasked is a 101 response to a request that asked for no upgrade.
	ErrUpgradeUnasked
	// ErrSurplus is a byte from an upstream of which no response is expected.
	ErrSurplus

	// ErrTargetEscape is a percent sign without two hexadecimal digits.
	ErrTargetEscape
	// ErrTargetEncodedSlash is %2F in the path.
	ErrTargetEncodedSlash
	// ErrTargetBackslash is a backslash in the path, encoded or not.
	ErrTargetBackslash
	// ErrTargetEncodedControl is an encoded control byte in the path.
	ErrTargetEncodedControl
	// ErrTargetParameter is a semicolon in the path, encoded or not.
	ErrTargetParameter
	// ErrTargetDoubleEncoding is an encoded percent sign before two hexadecimal digits.
	ErrTargetDoubleEncoding
	// ErrTargetUTF8 is encoded bytes in the path that are not valid UTF-8.
	ErrTargetUTF8
	// ErrTargetAboveRoot is a ".." segment that leaves the root.
	ErrTargetAboveRoot
	// ErrTargetQueryByte is a byte that a query cannot hold.
	ErrTargetQueryByte

	reasonCount
)

// rules holds the stable code of each reason, and the status with which a
// request is answered for it.
var rules = [reasonCount]struct {
	code   string
	status int
}{
	noReason:       {"none", 0},
	ErrBareLF:      {"bare_lf", 400},
	ErrBareCR:      {"bare_cr", 400},
	ErrControlByte: {"control_byte", 400},
	ErrBlankLines:  {"blank_lines", 400},
	// RFC 6585 section 5: 431 names both the whole head and single fields.
	ErrHeadTooLarge: {"head_too_large", 431},
	ErrHeaderCount:  {"header_count", 431},

	ErrMethodInvalid: {"method_invalid", 400},
	// RFC 9110 section 9.1: 501 for a method that is not implemented at all.
	ErrMethodRefused: {"method_refused", 501},
	ErrHTTP2Preface:  {"http2_preface", 505},
	// RFC 9110 section 15.6.6 is about versions that are well-formed.
	ErrVersion: {"version", 505},
	// RFC 9112 section 3: 400 for an invalid request line.
	ErrRequestLine:   {"request_line", 400},
	ErrTargetMissing: {"target_missing", 400},
	ErrTargetByte:    {"target_byte", 400},
	ErrTargetForm:    {"target_form", 400},
	ErrTargetTooLong: {"target_too_long", 414},

	ErrLeadingSpace:     {"leading_space", 400},
	ErrObsFold:          {"obs_fold", 400},
	ErrHeaderName:       {"header_name", 400},
	ErrSpaceBeforeColon: {"space_before_colon", 400},
	ErrHostMissing:      {"host_missing", 400},
	ErrHostRepeated:     {"host_repeated", 400},
	ErrHostInvalid:      {"host_invalid", 400},
	ErrExpect:           {"expect", 417},

	ErrContentLengthInvalid:     {"content_length_invalid", 400},
	ErrContentLengthRepeated:    {"content_length_repeated", 400},
	ErrFramingConflict:          {"framing_conflict", 400},
	ErrTransferEncodingRepeated: {"transfer_encoding_repeated", 400},
	// RFC 9112 section 6.1: 501 for a transfer coding that is not understood.
	ErrTransferEncodingUnsupported: {"transfer_encoding_unsupported", 501},
	ErrTransferEncodingVersion:     {"transfer_encoding_version", 400},
	ErrFramingSpelling:             {"framing_spelling", 400},
	ErrBodyTooLarge:                {"body_too_large", 413},
	ErrChunkSize:                   {"chunk_size", 400},
	ErrChunkExtension:              {"chunk_extension", 400},
	ErrChunkEnd:                    {"chunk_end", 400},
	ErrTrailer:                     {"trailer", 400},

	ErrStatusLine:      {"status_line", 502},
	ErrBodylessFraming: {"bodyless_framing", 502},
	ErrInterimFlood:    {"interim_flood", 502},
	ErrUpgradeUnasked:  {"upgrade_unasked", 502},
	ErrSurplus:         {"surplus", 502},

	ErrTargetEscape:         {"target_escape", 400},
	ErrTargetEncodedSlash:   {"target_encoded_slash", 400},
	ErrTargetBackslash:      {"target_backslash", 400},
	ErrTargetEncodedControl: {"target_encoded_control", 400},
	ErrTargetParameter:      {"target_parameter", 400},
	ErrTargetDoubleEncoding: {"target_double_encoding", 400},
	ErrTargetUTF8:           {"target_utf8", 400},
	ErrTargetAboveRoot:      {"target_above_root", 400},
	ErrTargetQueryByte:      {"target_query_byte", 400},
}

// Reasons lists every reason, in a fixed order, for pre-resolved metrics.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := noReason + 1; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}

// String returns the stable snake_case code, such as "content_length_repeated".
func (r Reason) String() string {
	if r >= reasonCount {
		return "reason_" + strconv.Itoa(int(r))
	}
	return rules[r].code
}

// Error returns the code with the package's name in front.
func (r Reason) Error() string { return "wire: " + r.String() }
