// Package wire decides which bytes an HTTP/1.x parser behind it gets to see.
//
// Two parsers that read one byte stream differently are how requests are
// smuggled: past the check that one of them made, or into the next user's
// connection. fasthttp is fast because it is lenient. It joins folded header
// lines, ends chunk lines at odd places, lets a Transfer-Encoding win over a
// Content-Length and appends trailers to the headers that were already
// checked. This package stands in front of it and lets through only messages
// that every parser reads the same way. What RFC 9112 permits but parsers
// disagree about is refused, not repaired.
//
// # Parts
//
//   - [NewServerConn], [NewTLSServerConn] and [NewListener] check requests as
//     they are read from a client.
//   - [NewClientConn] checks responses as they are read from an upstream.
//   - [ParseTarget] turns a request target into the one path that is both
//     matched by routing and forwarded.
//
// # How a connection is checked
//
// Read passes the caller's buffer to the inner connection and runs one state
// machine over the bytes that arrived, however they were split. Nothing is
// buffered: the state is a fixed struct of about 200 bytes and no request
// allocates.
//
// At a violation Read returns the bytes before it, so that earlier pipelined
// messages are still served, and then an [*Error] for ever. From then on the
// inner connection is not read, so nothing behind a refused message is ever
// taken for a message. The line feed that would complete a bad head is never
// released, so a parser never holds a complete bad head.
//
// fasthttp closes silently when a read fails before the first byte of a
// message, and takes a failed read at the start of a trailer section for the
// regular end of the body. At these two places Read releases one byte, 'X', in
// place of the byte that it refused (or of the end of input), so that fasthttp
// reports the failure. The byte belongs to no complete line, hence it can never
// become part of a message.
//
// # Getting the reason
//
// fasthttp wraps most read errors so that errors.As finds the [*Error], but not
// those that a body stream or chunk reader meets. An ErrorHandler asks
// errors.As first and [ErrorOf](ctx.Conn()) second.
//
// # Settings of fasthttp
//
//   - Server.ReadBufferSize must be larger than MaxHeadBytes, or fasthttp's
//     answer to a large head takes the place of ours.
//   - Server.DisablePreParseMultipartForm must be set: forms are not for a
//     gateway to read.
//   - Server.SecureErrorLogMessage must be set, or the heads of refused requests,
//     credentials included, reach the log.
//   - Server.MaxConnsPerIP must stay unset: it wraps connections in a type that
//     hides them from [ErrorOf].
//
// # What a handler may rely on
//
// RequestHeader.Host and RequestHeader.RequestURI are what was checked.
// RequestCtx.URI, Path and Host are not: fasthttp decodes and resolves the
// target once more, in its own way. It also answers 400 to a target that starts
// with "//" and holds "://", which it takes for a URI with a bad scheme.
package wire
