// Package secevent takes Security Event Tokens (RFC 8417) of a transmitter, usually an identity backend, and puts the
// revocations in them in force.
//
//   - [Stream] is one transmitter: it verifies tokens, reads events, remembers what it took. Its [Stream.Take] returns nil
//     only when what a token revokes is durable.
//   - [NewPush] is the handler to which a transmitter delivers tokens (RFC 8935).
//   - [Poller] asks a transmitter for them (RFC 8936).
//
// # What an event revokes
//
// The tokens of a subject that were issued up to the moment of the event, by sub:
//
//   - credential-change (CAEP 1.0 section 3.3), whatever the change_type: a token was obtained under other credentials than
//     the account has now. The price of a newly enrolled credential is one login.
//   - token-claims-change (CAEP 1.0 section 3.2): tokens tell what is no longer so. Of a jwt_id, that token.
//   - credential-compromise and sessions-revoked (RISC 1.0 section 2).
//
// Those of a session, by sid, or where none is named those of the subject up to the moment of the event:
//
//   - session-revoked (CAEP 1.0 section 3.1), and logout in a security event token (RFC 8417 section 2.1.2).
//
// All tokens of a subject, those issued later included, for as long as a token may be good:
//
//   - account-disabled and account-purged (RISC 1.0 section 2). An account that is enabled again before that time waits for
//     it to pass: entries are never removed.
//
// verification and stream-updated (SSF 1.0 section 8.1) revoke nothing and are signs of life; a stream that its transmitter
// paused or disabled is an error in the log. All other events are acknowledged without effect, and counted.
//
// # Subjects
//
// The subject of an event is its subject member, else the token's sub_id (SSF 1.0 section 3, RFC 9493 section 4.1), else
// sid and sub. iss_sub, opaque, jwt_id, aliases and complex subjects are understood (RFC 9493 section 3.2, SSF 1.0 section
// 3); subject_type, the name of format in earlier drafts and in the examples of RFC 8935, is too. No token has an email
// address, a telephone number or the name of a device by which it could be revoked: an event about nothing else is
// unmapped. It is refused, so that both sides see it, unless [Config] says to acknowledge it; it is counted and logged in
// either case, without the identifier.
//
// A transmitter speaks for the token issuers in its Config and for no other: access_denied.
//
// # Acknowledgement
//
// A token is acknowledged when [Accepter] has said that its entries are durable, or when it has none. It is remembered
// only after that. A token that was delivered before is acknowledged again, without effect; the memory is bounded, and
// forgetting is harmless: to revoke the same thing twice is to revoke it once.
//
// What cannot be verified or made durable now is answered 503 with Retry-After, or neither acknowledged nor reported to a
// transmitter that is polled, which sends it again.
package secevent
