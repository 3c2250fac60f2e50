package origin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	// MaxHeadBytes is the most of a request head that is recorded.
	MaxHeadBytes = 64 << 10
	// MaxBodyBytes is the most of a request body that is recorded, chunk framing included.
	MaxBodyBytes = 16 << 20
)

// Request is one request as its bytes came in.
type Request struct {
	Conn    int    // Which connection it came on, counted from 0 in the order of their acceptance.
	Head    []byte // Request line and fields, up to and with the empty line.
	Body    []byte // All that follows and belongs to the request, with chunk framing and trailers.
	Content []byte // Body without chunk framing and trailers.
	Err     error  // [ErrFraming], [ErrCut] or [ErrTooLarge]: Head and Body are what came until then.
}

// Lines returns the request line and the field lines, without line ends.
func (r Request) Lines() []string {
	text := strings.TrimRight(strings.ReplaceAll(string(r.Head), "\r\n", "\n"), "\n")
	return strings.Split(text, "\n")
}

// Values returns the values of the fields called name, compared without case, in order and without surrounding blanks.
func (r Request) Values(name string) []string {
	var values []string
	for _, line := range r.Lines()[1:] {
		before, value, found := strings.Cut(line, ":")
		if found && strings.EqualFold(before, name) {
			values = append(values, strings.Trim(value, " \t"))
		}
	}
	return values
}

// requestReader takes requests off a connection, byte by byte as they are.
type requestReader struct {
	in *bufio.Reader
	// proceed is called when the client waits for leave to send the body: RFC 9110 section 10.1.1.
	proceed func()
}

// next returns the next request, which has Err set when reading cannot go on after it. The second result is false when
// the connection ended before a request began.
func (r *requestReader) next() (Request, bool) {
	var request Request
	request.Head, request.Err = r.head()
	if request.Err == nil {
		request.Err = r.body(&request)
	}
	return request, len(request.Head) > 0
}

func (r *requestReader) head() ([]byte, error) {
	var head []byte
	for {
		line, err := r.line(MaxHeadBytes - len(head))
		head = append(head, line...)
		if err != nil {
			return head, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return head, nil
		}
	}
}

// line returns what comes up to and with the next LF, at most limit bytes.
func (r *requestReader) line(limit int) ([]byte, error) {
	var line []byte
	for len(line) < limit {
		c, err := r.in.ReadByte()
		if err != nil {
			return line, fmt.Errorf("%w: %w", ErrCut, err)
		}
		line = append(line, c)
		if c == '\n' {
			return line, nil
		}
	}
	return line, ErrTooLarge
}

func (r *requestReader) body(request *Request) error {
	lengths, codings := request.Values("Content-Length"), request.Values("Transfer-Encoding")
	if len(lengths)+len(codings) == 0 {
		// RFC 9112 section 6.3, rule 7: a request without either has no body.
		return nil
	}
	if len(lengths)+len(codings) > 1 {
		return fmt.Errorf("%w: %d lengths, %d codings", ErrFraming, len(lengths), len(codings))
	}
	if expect := request.Values("Expect"); len(expect) == 1 && strings.EqualFold(expect[0], "100-continue") {
		r.proceed()
	}
	if len(codings) == 1 {
		if !strings.EqualFold(codings[0], "chunked") {
			return fmt.Errorf("%w: coding %q", ErrFraming, codings[0])
		}
		return r.chunks(request)
	}
	n, err := parseSize(lengths[0], 10)
	if err != nil {
		return err
	}
	err = r.take(&request.Body, n)
	request.Content = request.Body
	return err
}

// chunks reads a chunked body with its trailer section: RFC 9112 section 7.1.
func (r *requestReader) chunks(request *Request) error {
	for {
		line, err := r.bodyLine(request)
		if err != nil {
			return err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := parseSize(strings.TrimRight(size, " \t"), 16)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		begin := len(request.Body)
		err = r.take(&request.Body, n)
		request.Content = append(request.Content, request.Body[begin:]...)
		if err != nil {
			return err
		}
		if line, err = r.bodyLine(request); err != nil {
			return err
		}
		if line != "" {
			return fmt.Errorf("%w: a chunk is longer than its size", ErrFraming)
		}
	}
	for {
		if line, err := r.bodyLine(request); err != nil || line == "" {
			return err
		}
	}
}

// bodyLine moves one line into the body and returns it without its end.
func (r *requestReader) bodyLine(request *Request) (string, error) {
	line, err := r.line(min(MaxHeadBytes, MaxBodyBytes-len(request.Body)))
	request.Body = append(request.Body, line...)
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), err
}

// take moves n bytes to the end of body, or as many as come and fit.
func (r *requestReader) take(body *[]byte, n int64) error {
	room := int64(MaxBodyBytes - len(*body))
	var grown bytes.Buffer
	_, err := io.CopyN(&grown, r.in, min(n, room))
	*body = append(*body, grown.Bytes()...)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCut, err)
	case n > room:
		return ErrTooLarge
	}
	return nil
}

// parseSize reads digits alone: RFC 9110 section 8.6, RFC 9112 section 7.1.
func parseSize(digits string, base int) (int64, error) {
	n, err := strconv.ParseUint(digits, base, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return math.MaxInt64, nil
	case err != nil:
		return 0, fmt.Errorf("%w: size %q", ErrFraming, digits)
	}
	return int64(n), nil
}
