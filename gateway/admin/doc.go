// Package admin is the second listener: probes, metrics, version, the key view,
// reload, the intake of what operators revoke and, where configured, profiles. It
// is for operators only and must not be reachable by citizens. It runs on
// net/http, apart from the data path: it answers while the data path is full.
//
// # Who may do what
//
// What only reads (probes, metrics, version, the key view, counts of revocations,
// profiles) is open to whoever reaches the listener, with TLS too: a kubelet and a
// Prometheus need no certificate. A certificate that is shown all the same must be
// one of Config.TLS's authorities, or there is no connection.
//
// What changes something (DELETE and PUT of keys, POST /reload, POST /revocations)
// needs an operator: the bearer token of Config.Token (RFC 6750 section 2.1), or a
// client certificate of those authorities, either of them. The certificate is
// verified for each change under the time of that moment and the authorities of the
// last second: a connection that was opened before one was withdrawn or ran out
// changes nothing more. Nothing is taken from a browser's page, whose certificate would come along
// unasked.
//
// Each change, and each attempt at one, leaves an "audit" line: action, remote, by
// (token, or the certificate's name as in cn:an.nguyen; nobody where neither was
// shown) and result.
//
// # Revoking
//
// POST /revocations takes one JSON object (RFC 8259), strictly: UTF-8, no unknown
// and no repeated member, nothing behind it, at most 1 MiB (MaxRevocationBytes)
// that arrives within 10 seconds. One revocation,
//
//	{"issuer":"vneid","sub":"…","before":"2025-07-01T09:00:00+07:00","reason":"ticket 4711: phone stolen"}
//
// or a list of 1 to 10,000 (MaxRevocations) for one reason:
//
//	{"revocations":[{"issuer":"vneid","jti":"…"},…],"reason":"…"}
//
// issuer is a configured name or iss. One of jti, sid, sub, client, kid and
// thumbprint says what is revoked. sub and client cover tokens issued at before or
// earlier (not in the future; default now) or, with "all":true, tokens issued later
// too. until (default: of a key never, else now and the longest life of the issuer's
// tokens) is when the entry ends: what it covers must have expired by then. A subject
// with "all" goes on to be covered until then and no longer, so give until there.
// Nothing takes a revocation back; to purge a key (DELETE /keys) can be. reason is required, 1 to
// 200 letters, digits, punctuation and spaces, and goes into the audit log as it is:
// it must not name a person, and 12 digits in a row, as a personal number has, are
// refused.
//
// It answers 200 {"revoked":n} when all are in force and durable, on the fleet's
// stream too where there is one. Any other answer has "error" and "code":
//
//	400 invalid_revocation        where the fault is, and what is allowed; nothing is in force
//	401 and 403                   as for every change
//	409 no_revocation_store       none is configured
//	413 too_large                 longer than 1 MiB
//	415 unsupported_media_type    not application/json
//	503 as Revocations.Code says  not acknowledged: send all of it again, after Retry-After
//	503 too_many_at_once          four calls are under way
//
// Revoking twice is revoking once, so sending again does no harm. Audit lines hold
// digests, never identifiers: one for each of the first 20 entries, and one that
// sums up a longer list.
package admin
