// Package statuslist tells what an issuer's Token Status Lists say of its tokens: whether one that was verified still
// holds. It follows draft-ietf-oauth-status-list, whose sections are cited by its version 20, in the JWT format.
//
// A token says in its claim status where its status is told: the address of a list and an index in it (section 6.2,
// read by package token). [Lists] holds the lists of one issuer in memory and answers from there. A list is asked for the
// first time by the first token that refers to it, and from then on kept fresh in the background, until no token has
// referred to it for a while.
//
// # What is believed
//
//   - Only addresses that the configuration covers are fetched, byte for byte; a redirect must stay within them, too. A
//     token cannot make the gateway call anybody else.
//   - A list is a signed JWT of type statuslist+jwt by a key of the same issuer, about that very address (section 5.1),
//     not expired, and not issued before the one that is held: who can replay an old list cannot undo a revocation.
//   - A list stops counting when its exp has passed (section 13.7), when its key is withdrawn, and when it could not be
//     refreshed for [Config.HardStale].
//
// # What is refused
//
// Of the statuses only VALID lets a token pass: INVALID and SUSPENDED are both refused, the latter until the list says
// otherwise, and so are application-specific and reserved values, of which the former can be allowed one by one
// (section 7.1). An index outside the list is refused (section 8.3). Where a status is unknown, since its list is not
// there or does not count any more, [Config.AllowUnknown] decides.
//
// # What it costs
//
// A look-up reads an immutable edition of the list behind an atomic pointer: no lock, no allocation. Everything else is
// bounded: the bytes fetched and unpacked of one list, the lists of an issuer, the memory of all lists, the fetches at
// one time and over time, the requests that wait and how long they do. A list is unpacked twice, first to learn its size:
// a decompression bomb is refused before any memory is set aside for it.
package statuslist
