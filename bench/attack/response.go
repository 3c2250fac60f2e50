package attack

import (
	"bytes"
	"iter"
)

// Response is an answer, as a predicate sees it. It and all that it points to
// are the connection's, and good until the predicate returns.
type Response struct {
	// Status is the final status, 200 to 599.
	Status int
	// BodyBytes is the length of the body, without its framing.
	BodyBytes int64
	// Body is the body, without its framing, or as much of its beginning as
	// [Config.MaxBodyBytes] lets the run keep.
	Body []byte

	head []byte // status line and fields, each line with its end
}

// Header returns the value of the first header field of that name, in whatever
// case, without the space around it, and whether there is one.
func (r *Response) Header(name string) ([]byte, bool) {
	for n, value := range fields(r.head) {
		if equalFold(n, name) {
			return value, true
		}
	}
	return nil, false
}

// fields goes through the fields of a head that was parsed before.
func fields(head []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		_, rest, _ := bytes.Cut(head, crlf)
		for len(rest) > 0 {
			var line []byte
			line, rest, _ = bytes.Cut(rest, crlf)
			name, value, colon := bytes.Cut(line, []byte{':'})
			if colon && !yield(name, bytes.Trim(value, " \t")) {
				return
			}
		}
	}
}

// equalFold compares in whatever case of ASCII's letters, without allocating.
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// HeaderIs accepts an answer with a header field of that name and value.
func HeaderIs(name, value string) func(*Response) bool {
	return func(r *Response) bool {
		got, ok := r.Header(name)
		return ok && string(got) == value
	}
}

// BodyContains accepts an answer whose body, as far as it is kept, contains text.
func BodyContains(text string) func(*Response) bool {
	want := []byte(text)
	return func(r *Response) bool { return bytes.Contains(r.Body, want) }
}

// All accepts an answer that each of some predicates accepts.
func All(accept ...func(*Response) bool) func(*Response) bool {
	return func(r *Response) bool {
		for _, a := range accept {
			if !a(r) {
				return false
			}
		}
		return true
	}
}
