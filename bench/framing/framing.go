// Package framing is a corpus of raw HTTP/1.x streams, with what a gateway may make of each: the requests that two
// parsers could read differently, those around them that must pass, and the responses of a broken upstream.
//
// The corpus knows no gateway. It says what an upstream may see in terms of a request's parts; how a gateway writes a
// head, and which fields it adds, is for the test that drives it to say.
//
// A gateway under test serves the host [Host], lets every path pass without a credential, and has the limits of this
// package: [HeadBytes], [Fields], [TargetBytes] and [BodyBytes].
package framing

import (
	"slices"
	"strings"
)

// Host is the host that the requests name.
const Host = "framing.example"

// Trace is the traceparent that the requests carry, so that a gateway that passes it on writes known bytes.
const Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// The limits that the corpus touches.
const (
	HeadBytes   = 16 << 10 // A request head, from the first byte to its empty line.
	Fields      = 100      // Field lines.
	TargetBytes = 8 << 10  // The request target.
	BodyBytes   = 64 << 10 // The content of a body, chunk framing left out.
)

// id stands for the identity of one run of a case.
const id = "{id}"

// Framing says how a request's body is delimited.
type Framing int

// The framings.
const (
	None    Framing = iota // No body, and no field that says so.
	Sized                  // By Content-Length.
	Chunked                // By Transfer-Encoding: chunked.
)

// Forward is one request as an upstream may see it.
type Forward struct {
	Method, Target, Host string
	// HTTP10 says that the client spoke HTTP/1.0 to the gateway.
	HTTP10 bool
	// Fields are the client's field lines that reach the upstream, in their order, "Name: value".
	Fields  []string
	Framing Framing
	// Body is the content.
	Body string
}

// Case is what one client sends on one connection, and what becomes of it.
type Case struct {
	// Name is unique. Rule groups the cases.
	Rule, Name string
	// Seen are the requests that the upstream sees, whole and in this order. No others.
	Seen []Forward
	// Begun is a request of which the upstream may see a beginning, never the whole; behind those in Seen.
	Begun *Forward
	// Status is that of the last answer; the answers before it, one for each in Seen, are 200.
	Status int
	// Interim says that a 100 (Continue) may come before the first final answer.
	Interim bool
	// Closes says that the gateway closes the connection behind the last answer, and reads nothing that follows as a
	// request. Otherwise the connection goes on to serve.
	Closes bool

	raw string
}

// Refused reports whether the last request of the stream is refused by the gateway.
func (c Case) Refused() bool { return c.Status != 200 }

// Answers returns how many final answers come.
func (c Case) Answers() int {
	if c.Refused() {
		return len(c.Seen) + 1
	}
	return len(c.Seen)
}

// Bytes returns what the client sends. id marks the requests that are well-formed, as the value of X-Request-Id: of
// at most 64 letters, digits and dashes.
func (c Case) Bytes(run string) []byte { return []byte(strings.ReplaceAll(c.raw, id, run)) }

// Marker returns the request that a test sends behind a case, on the same connection: it is served if the connection
// goes on, and never if it is closed. It asks for the end of the connection.
func Marker(run string) (stream []byte, seen Forward) {
	raw := "GET /marker HTTP/1.1\r\n" + known + "Connection: close\r\n\r\n"
	return []byte(strings.ReplaceAll(raw, id, run)), Forward{Method: "GET", Target: "/marker", Host: Host}
}

// Before returns a good request that a test sends before a case, on the same connection.
func Before(run string) (stream []byte, seen Forward) {
	raw := "GET /before HTTP/1.1\r\n" + known + crlf
	return []byte(strings.ReplaceAll(raw, id, run)), Forward{Method: "GET", Target: "/before", Host: Host}
}

// Split says in which pieces a stream is written.
type Split int

// The splits.
const (
	Whole    Split = iota // In one write.
	Bytewise              // Byte by byte.
	AtLines               // Before and behind every line feed: between CR and LF, and behind each line.
)

// Splits lists all of them.
func Splits() []Split { return []Split{Whole, Bytewise, AtLines} }

// String names the split.
func (s Split) String() string { return [...]string{"whole", "bytewise", "at-lines"}[s] }

// Writes cuts a stream into the pieces to be written one after the other.
func (s Split) Writes(stream []byte) [][]byte {
	switch s {
	case Bytewise:
		return slices.Collect(slices.Chunk(stream, 1))
	case AtLines:
		var pieces [][]byte
		begin := 0
		for i, c := range stream {
			if c == '\n' {
				pieces = append(pieces, stream[begin:i], stream[i:i+1])
				begin = i + 1
			}
		}
		return append(pieces, stream[begin:])
	case Whole:
	}
	return [][]byte{stream}
}

// Corpus returns all cases, in the same order at every call.
func Corpus() []Case {
	var all []Case
	for _, part := range []func() []Case{
		lengths, codings, chunks, lineEnds, fieldNames, fieldValues, requestLines, targets, hosts, expectations,
		connections, identities, limits, bodies, sequences,
	} {
		all = append(all, part()...)
	}
	return all
}
