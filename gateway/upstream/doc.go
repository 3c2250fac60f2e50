// Package upstream carries an admitted request to one of a site's upstreams
// and its response back, streaming both ways.
//
// fasthttp reads and writes the messages; what surrounds them is here, because
// fasthttp's client does things that a gateway must not:
//
//   - it rewrites targets (%2f to /, ..%2f resolved): a request head is
//     therefore written from the received field lines and the one normalised
//     path that routing matched (request.go);
//   - it sends a request again when a kept connection breaks: nothing is ever
//     sent twice here (exchange.go);
//   - it drops surplus bytes of a pooled connection silently, so that they may
//     become the next response: a connection is asked for them before each use
//     and after each response (conn.go);
//   - it changes the order of response fields when it deletes some of them:
//     fields of one hop are taken out before it parses a head (response.go);
//   - it buffers responses unless told otherwise: a body that is neither small
//     nor already there is streamed (exchange.go, body.go);
//   - it has no time limit by default: dialling, the first byte and each read
//     and write of a body have one.
//
// # What happens to a request
//
// Removed: fields of one hop and those that Connection nominates (RFC 9110
// section 7.6.1), identity fields in every spelling, the credential unless it
// is to be forwarded, and what proxies say unless they are trusted. Everything
// else goes as received, in order. The gateway's own lines come last.
//
// A request that may have been acted on is never sent again. Only an upstream
// that took no connection is passed over for the next.
package upstream
