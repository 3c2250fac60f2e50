// Package reject is the one place where a refusal becomes an answer: status,
// challenge (RFC 6750, RFC 9470) and either a problem document (RFC 9457) or,
// for a browser, a page in Vietnamese with English below.
//
// Everything that does not depend on the request is rendered once, by New and
// NewSite; a refusal then copies prepared bytes and costs a small part of a
// served request. Nothing of the request is repeated in an answer but its
// validated id: no token, no personal number, no path.
package reject
