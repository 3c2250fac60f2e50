// Package revocation is the exact store of what was revoked: single tokens (jti), sessions (sid), everything that a
// subject or a client was given up to a moment, and whole keys. [Store.Revoked] is asked on every request. It is pure
// memory and does no I/O: package journal keeps a store on disk.
//
// # What is covered
//
// Every entry is scoped by its issuer: the same subject of two issuers is two subjects. A token is revoked when an
// entry for its jti, its sid, its client, its subject, or the kid or thumbprint of the key that signed it is in force.
//
//   - Subject and client entries cover tokens that were issued at Before or earlier, the moment itself included. CAEP
//     1.0 section 3.1 (session-revoked) and OpenID Back-Channel Logout 1.0 section 2.6 end what exists at the moment of
//     the event, and iat has whole seconds: a token of the same second may be older than the event, so it is refused.
//     The price is that who logs in again within that second is asked once more. Both sides are rounded up to whole
//     seconds, which can only cover more.
//   - A token without iat is covered by every such entry: nothing shows that it is younger.
//   - A zero Before covers tokens whatever their iat, those issued later included: RISC account-disabled, not a logout.
//   - An entry is in force until Until. Whoever sets it adds the clock leeway that token verification grants to the
//     latest expiry among the tokens covered: at exp itself such a token still passes.
//
// Entries are never removed by hand. Revoking the same thing again keeps the later Before and the later Until, so the
// order in which events arrive, or arrive twice, does not matter.
//
// # Exactness
//
// An identifier is kept as a keyed digest of 128 bits, never as itself: 64 bits of XXH3 under a secret seed, by which
// the entry is found, and 64 bits of SipHash-2-4 under a secret key, which is computed only when the first 64 agree.
// Seed and key differ for each issuer and kind; HKDF-SHA-256 derives them from the store's [Secret].
//
// The odds of refusing a token that nobody revoked: n look-ups against m entries meet a false match with probability at
// most n*m/2^128. At m = 10 million and a million look-ups a second, a year (n = 3.2e13) gives 1e-18. XXH3 is not a
// cryptographic hash. Were it no help at all, SipHash alone would leave 2^-64 for each entry that agrees in the first
// half; who could make entries agree would have to know the seed and have the issuer sign the identifiers.
//
// The odds of letting a revoked token pass are nought: a digest is a function of the identifier.
//
// The secret is what keeps digests from being tested against guesses, and a personal number has few digits: whoever
// holds digests and secret can try them all. Guard the secret like a private key.
//
// # Limits
//
// The store does not evict. At its limit it refuses new entries with [ErrFull] and keeps all that it has; renewing an
// entry that is there needs no room. Entries that are past leave by [Store.Sweep], which [Store.Run] calls. Time is
// the one last given to [Store.Advance]: an entry never ends before Until, and ends with the first Advance from Until
// on. A clock set far forward therefore forgets for good what a sweep then takes away: keep clocks in step.
//
// # Memory
//
// A slot takes 24 bytes, its mark in the index 5.3 to 7.1, for the index grows by a third at a time, each shard by
// itself, and its bits in the filter 1.5 to 2.3, for that grows by half at a time, to 1.5 at the limit: 31 to 33.4 bytes
// an entry. 10 million take 311 MiB at most where that is the limit, 319 where the limit is higher. Slots stay where they
// are when the index grows; a sweep copies the shards in which a sixteenth is past. What that leaves behind is garbage
// until the next collection, and the collector's pace counts live entries as heap: set GOMEMLIMIT, or expect
// (1 + GOGC/100) times it. There are no pointers in entries, so a collection spends no time on them.
//
// # Cost
//
// A look-up hashes each identifier once and reads one word of the filter for each, all words at once. The filter clears
// some 98 in 100 identifiers that are not in the store; for the rest the index is asked, and a slot only where the index
// has its tag. What the filter suspects is settled by slots alone: it makes "not revoked" fast to prove, never "revoked".
//
// Tokens that come again and again find their words in the processor's cache. For one that was never seen before, the
// wait is that of one access to memory, whatever the number of identifiers, not of one access for each; with less than a
// million entries the whole filter is in the cache. On Linux the filter asks for huge pages (transparent_hugepage
// "madvise" or "always"), without which a look-up waits for the tables of pages as well. Kinds without entries cost
// nothing, nor does a key that was looked for since the last entry for a key arrived.
//
// # Concurrency
//
// Everything is safe for concurrent use. Readers take no lock and never wait: a slot is written once, then published by
// an atomic store; only its two times change later, together, in one word. A shard that is full is copied by the
// writer that found it so, while readers go on in the old copy, and is replaced by one atomic store. The copy of a
// shard, up to a sixty-fourth of the limit, is what a writer may have to wait for: milliseconds. A filter that is full is
// replaced by the writer that found it so, which takes that writer a tenth of a second at ten million entries and others
// milliseconds at most. When Add has returned, every look-up that starts afterwards sees the entry.
package revocation
