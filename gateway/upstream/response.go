package upstream

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

const (
	// maxResponseFields bounds the field lines of a response head.
	maxResponseFields = 128
	// maxInterim bounds the 1xx responses before a final one. They are not
	// passed on.
	maxInterim = 8
)

// The length of a response body that its head does not tell in bytes.
const (
	lengthChunked = -1
	lengthUnknown = -2 // ends with the connection
)

// responseHead is what a response's head says about its framing.
type responseHead struct {
	status int
	length int64 // lengthChunked or lengthUnknown where it is not in bytes
	// closeAfter says that the upstream will not take another request.
	closeAfter bool
}

var headEnd = []byte("\r\n\r\n")

// readHead reads the head of the final response to r into h, without the fields
// that concern the connection to the upstream alone. The connection to the
// client is fasthttp's to describe.
//
// Interim responses are dropped, which RFC 9110 section 15.2 allows for 100 and
// not for 103: an earlier answer to a pipelined request may still lie in
// fasthttp's buffer, and a hint that overtook it would be read as belonging to
// it.
func (c *conn) readHead(h *fasthttp.ResponseHeader, r *Request) (responseHead, error) {
	for range maxInterim + 1 {
		raw, err := c.peekHead()
		if err != nil {
			return responseHead{}, err
		}
		// wire has checked: "HTTP/1.0 200" or "HTTP/1.1 200" begins the head.
		status := 100*int(raw[9]-'0') + 10*int(raw[10]-'0') + int(raw[11]-'0')
		switch {
		case status == fasthttp.StatusSwitchingProtocols && r.upgrade != "":
			if !r.switches(raw) {
				return responseHead{}, ErrResponse
			}
			h.DisableNormalizing() // for old clients of WebSocket
		case status < 200:
			_, _ = c.br.Discard(len(raw))
			continue
		}
		head, removed, err := cleanHead(raw)
		if err != nil {
			return head, err
		}
		head.status = status
		_, _ = c.br.Discard(removed)
		if err := h.Read(c.br); err != nil {
			// Its text quotes the head.
			return head, ErrResponse
		}
		h.ResetConnectionClose()
		return head, nil
	}
	return responseHead{}, ErrResponse
}

// peekHead waits until a whole head stands in the reader's buffer, and returns
// it there.
func (c *conn) peekHead() ([]byte, error) {
	searched := 0
	for {
		buffered, _ := c.br.Peek(c.br.Buffered())
		from := max(0, searched-len(headEnd)+1)
		if end := bytes.Index(buffered[from:], headEnd); end >= 0 {
			return buffered[:from+end+len(headEnd)], nil
		}
		searched = len(buffered)
		if _, err := c.br.Peek(searched + 1); err != nil {
			return nil, err
		}
	}
}

// cleanHead says how the response with the head in raw is framed, and removes
// from raw the lines of fields that belong to one hop (RFC 9110 section 7.6.1),
// Transfer-Encoding among them. The order of the others stays. It works in
// place: the result stands at the end of raw, behind the number of bytes that it
// returns.
func cleanHead(raw []byte) (responseHead, int, error) {
	head := responseHead{length: lengthUnknown}
	first := bytes.IndexByte(raw, '\n') + 1
	lines := raw[first : len(raw)-len(crlf)]

	var (
		nominated nominations
		remove    [maxResponseFields]bool
		removes   bool
		encodings int
	)
	fields := wire.NewFields(lines)
	for i := 0; fields.Next(); i++ {
		switch responseField(fields.Name) {
		case fieldContentLength:
			head.length = 0
			for _, digit := range fields.Value {
				head.length = 10*head.length + int64(digit-'0')
			}
		case fieldContentEncoding:
			// fasthttp keeps the last of several, and the client could not
			// decode the body.
			if encodings++; encodings > 1 {
				return head, 0, ErrResponse
			}
		case fieldTransferEncoding:
			head.length = lengthChunked
			remove[i], removes = true, true
		case fieldConnection:
			if !nominated.add(fields.Value) {
				return head, 0, ErrResponse
			}
			remove[i], removes = true, true
		case fieldHop:
			remove[i], removes = true, true
		case fieldEndToEnd:
		}
	}
	if nominated.n > 0 {
		fields = wire.NewFields(lines)
		for i := 0; fields.Next(); i++ {
			// A length that is nominated away is known already.
			remove[i] = remove[i] || nominated.has(fields.Name)
		}
	}
	// RFC 9112 section 9.3: HTTP/1.0 keeps a connection only where it says so.
	const minor = len("HTTP/1.")
	head.closeAfter = nominated.close || raw[minor] == '0' && !nominated.keepAlive
	raw[minor] = '1'
	if !removes {
		return head, 0, nil
	}
	return head, removeLines(raw, first, &remove), nil
}

// removeLines moves the lines of the head that stay to its end, and returns
// where they begin then. The fields' lines begin at first.
func removeLines(raw []byte, first int, remove *[maxResponseFields]bool) int {
	last := bytes.Count(raw[first:len(raw)-len(crlf)], []byte("\n")) - 1
	to := len(raw) - len(crlf)
	for i, end := last, to; i >= 0; i-- {
		start := bytes.LastIndexByte(raw[:end-1], '\n') + 1
		if !remove[i] {
			to -= copy(raw[to-(end-start):to], raw[start:end])
		}
		end = start
	}
	return to - copy(raw[to-first:to], raw[:first])
}

// responseFieldClass says what becomes of a response field.
type responseFieldClass uint8

const (
	fieldEndToEnd responseFieldClass = iota
	fieldHop
	fieldConnection
	fieldContentLength
	fieldContentEncoding
	fieldTransferEncoding
)

func responseField(name []byte) responseFieldClass {
	is := func(s string) bool { return bytes.EqualFold(name, []byte(s)) }
	switch {
	case len(name) == len("Connection") && (is("Connection") || is("Keep-Alive")):
		if is("Connection") {
			return fieldConnection
		}
		return fieldHop
	case len(name) == len("Content-Length") && is("Content-Length"):
		return fieldContentLength
	case len(name) == len("Content-Encoding") && (is("Content-Encoding") || is("Proxy-Connection")):
		if is("Content-Encoding") {
			return fieldContentEncoding
		}
		return fieldHop
	case len(name) == len("Transfer-Encoding") && is("Transfer-Encoding"):
		return fieldTransferEncoding
	case len(name) == len("Upgrade") && (is("Upgrade") || is("Trailer")),
		len(name) == len("TE") && is("TE"),
		len(name) == len("Proxy-Authenticate") && is("Proxy-Authenticate"):
		return fieldHop
	}
	return fieldEndToEnd
}

// takeChunked moves a chunked body that stands in the reader's buffer to its
// end into resp, trailers left out (RFC 9112 section 7.1). wire has checked its
// framing.
func (c *conn) takeChunked(resp *fasthttp.Response) error {
	resp.ResetBody()
	raw, _ := c.br.Peek(c.br.Buffered())
	for at := 0; ; {
		line := bytes.IndexByte(raw[at:], '\r')
		if line < 0 {
			return ErrResponse
		}
		size := 0
		for _, digit := range raw[at : at+line] {
			size = size<<4 | hexValue(digit)
		}
		at += line + len(crlf)
		if size == 0 {
			_, err := c.br.Discard(len(raw))
			return err
		}
		if size > len(raw)-at-len(crlf) {
			return ErrResponse
		}
		resp.AppendBody(raw[at : at+size])
		at += size + len(crlf)
	}
}

func hexValue(c byte) int {
	switch {
	case c >= 'a':
		return int(c-'a') + 10
	case c >= 'A':
		return int(c-'A') + 10
	}
	return int(c - '0')
}
