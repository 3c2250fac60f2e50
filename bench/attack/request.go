package attack

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Request is one request, whole, and what its answer has to be.
type Request struct {
	// Message is the request as it goes over the wire, head and body. It is
	// neither changed nor copied, and must not be while a run goes on.
	Message []byte
	// NoBody says that the answer has no body whatever its head says, as that to
	// a HEAD request.
	NoBody bool
	// Expect is what the answer has to be; the zero value takes any status of
	// 200 to 399.
	Expect Expect
	// Class is which of the classes of a [Classified] source it counts for, from 1 to
	// as many as there are; 0 is none.
	Class uint8
}

// Expect is what the answer to a request has to be. An answer that is not so
// counts as failed, and its status counts all the same.
type Expect struct {
	// Statuses are those that are expected; empty expects 200 to 399.
	Statuses []int
	// AnyStatus expects whatever status comes.
	AnyStatus bool
	// Accept looks at an answer whose status was as expected, and says whether
	// the rest is; nil takes any. It is called from many goroutines at once, must
	// not keep the response or what it points to, and must be quick: what it takes
	// is the generator's time.
	Accept func(*Response) bool
}

// status says whether a status is as expected.
func (e *Expect) status(status int) bool {
	switch {
	case e.AnyStatus:
		return true
	case len(e.Statuses) == 0:
		return status >= 200 && status <= 399
	}
	return slices.Contains(e.Statuses, status)
}

// Source gives the requests of a run. Request is called once for each, with its
// number from 0, from many goroutines at once and not in order; what it returns
// must not be changed before the run has ended. Nil is that there are no more: it
// ends the run, whose figures are not claimed.
type Source interface {
	Request(n int64) *Request
}

// Cycle is a [Source] that sends each of its requests in turn, over and over. It
// must not be empty.
type Cycle []Request

// Request implements [Source].
func (c Cycle) Request(n int64) *Request { return &c[n%int64(len(c))] }

// generated are the header fields that the message's framing and the pool of
// connections decide.
var generated = []string{"Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Expect", "Te", "Trailer"}

// Build makes a request of its parts: method (empty for GET), an absolute http or
// https URL, header fields and body, which is copied. Host is the URL's unless
// header has one; Content-Length is written where there is a body or the method
// calls for one. Fields that concern the connection are refused, as is whatever
// would end a line early: errors wrap [ErrRequest] and hold no header value.
func Build(method string, target *url.URL, header http.Header, body []byte) (Request, error) {
	if method == "" {
		method = http.MethodGet
	}
	if !httpguts.ValidHeaderFieldName(method) {
		return Request{}, fmt.Errorf("%w: method %q", ErrRequest, method)
	}
	if target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
		return Request{}, fmt.Errorf("%w: the URL must begin with http:// or https:// and a host", ErrRequest)
	}
	host := target.Host
	var fields strings.Builder
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		canonical := http.CanonicalHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains(generated, canonical) {
			return Request{}, fmt.Errorf("%w: header field %q is not for the caller to set", ErrRequest, name)
		}
		for _, value := range header[name] {
			if !httpguts.ValidHeaderFieldValue(value) {
				return Request{}, fmt.Errorf("%w: the value of header field %s has characters that no header can have", ErrRequest, name)
			}
			if canonical == "Host" {
				host = value
				continue
			}
			fields.WriteString(name + ": " + value + "\r\n")
		}
	}
	if !httpguts.ValidHostHeader(host) {
		return Request{}, fmt.Errorf("%w: host %q", ErrRequest, host)
	}
	if len(body) > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		fields.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	head := method + " " + target.RequestURI() + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields.String() + "\r\n"
	return Request{Message: append([]byte(head), body...), NoBody: method == http.MethodHead}, nil
}
