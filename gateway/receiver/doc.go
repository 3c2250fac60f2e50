// Package receiver is the listener on which identity backends call the gateway:
// security events that they push (RFC 8935) and back-channel logouts (OpenID
// Connect Back-Channel Logout 1.0). It is neither the citizens' listener nor the
// operators': it answers while either is full, needs other firewall rules, and
// where [Config.TLS] asks for client certificates only backends reach a handler.
//
// It runs on net/http. What comes in is a POST to one of a few paths, compared
// byte for byte: nothing is redirected, cleaned or listed. A request without a
// route is answered with a small JSON object, {"error": "…"}:
//
//	404  no such path
//	405  another method than POST; Allow says so
//	413  Content-Length beyond Config.MaxBodyBytes
//	500  the handler panicked before it answered
//	503  Config.MaxRequests are being answered; Retry-After says when to come back
//
// Whatever a handler answers carries X-Content-Type-Options: nosniff and, unless
// the handler says otherwise, Cache-Control: no-store.
//
// # Bounds
//
// Connections, requests at a time, the length of head and body, and the time for
// a handshake, a head, a request and an idle connection are all bounded. The
// handler's context ends with Config.RequestTimeout; that an answer can still be
// written then is seen to.
//
// # Traps of net/http
//
//   - A ServeMux redirects paths with "//" or ".." in them, and answers a POST to
//     one with 301, after which a client may come back with GET:
//     TestPathsAreComparedByteForByte.
//   - It recovers a handler's panic by closing the connection, without an answer,
//     and writes the panic's value, which may hold a token, to its log:
//     TestPanicIsA500AndItsValueIsNotLogged.
//   - Server.Shutdown knows no listener before Serve was called:
//     TestShutdownBeforeServeClosesTheSocket.
//   - A failed handshake is told to the error log and to nobody else, once for
//     each: anybody could fill the disk with it.
//     TestComplaintsAreCountedAndTheirLogIsBounded.
//   - HTTP/2 would come with TLS, and with it a hundred requests on a connection:
//     only HTTP/1.1 is offered. TestOnlyHTTP1IsSpoken.
package receiver
