// Package fleet makes a revocation that one node accepted known to all nodes,
// through one stream of a Redis 7 or Valkey: [Fleet.Append] puts it there before
// it is acknowledged, and every node follows.
//
// # What is in Redis
//
// Five keys under Config.Prefix, which belong to this package alone:
//
//	meta     hash: version of the layout, id of the secret, epoch and when it began, seq of the stream's last entry
//	stream   entries with a seq (n), one more than that of the entry before, and a message (m) of at most 512 records
//	until    sorted set, the state: kind and digest of each record, by its Until
//	before   hash: Before of the members of until that have one
//	uploads  sorted set: nodes that are offering what they hold, by the second of their last page
//
// Records are [revocation.Record]: identifiers leave a node as keyed digests
// only, and the nodes of a fleet share the secret. A node with another one would
// follow and understand nothing, so it is refused: [ErrSecret]. Messages have a
// version, the secret's id and a CRC-32C. That finds accidents. Who can write to
// Redis but lacks the secret cannot revoke a token of his choice, for he cannot
// make its digest; he can renew what he saw there, fill the nodes' stores, or
// delete everything, upon which the nodes fill it anew. Give the user of the
// gateways to nobody else.
//
// Append is one script, so it happens as a whole: the state gets the later Before
// and Until of each record, and if that changed anything the message goes on the
// stream, which loses its oldest entries. What changes nothing was there already,
// and so was the entry that brought it. Records are taken out of the state ten
// minutes after their Until by Redis's clock.
//
// # Following
//
// A node reads from its position, applies what it reads, and writes the position
// to a file once a second, never ahead of what is applied: after a crash some
// entries come twice, which changes nothing. A seq that does not follow on the
// one before shows that entries are gone (trimmed, usually), and an entry that
// cannot be read is not guessed at; in both cases the node reads the whole state,
// and follows from where the stream ended before it began. Until then it is not
// caught up.
//
// # What Redis may lose
//
// Every node has in its own journal what it ever accepted or applied. Redis is
// therefore allowed to lose everything, and what it lost is given back to it:
//
//   - All of it (no persistence, a key deleted): the keys are made anew, with a new
//     epoch, and each node reads and offers everything.
//   - Its last entries (a dump that is older, a power cut, a failover to a replica
//     that lagged): when the server is not the same process with the same
//     replication id as before, a node looks for the latest entry that it knows of.
//     Redis loses nothing but what came last, so if that entry is there all is;
//     otherwise the node reads and offers everything.
//   - A node and Redis that both started anew: the node no longer knows which entry
//     it appended last, so it offers everything.
//
// Offering is done in pages of 512 at Config.CompareRate, and what is there already
// does not go on the stream again. While any node offers, and for Config.Settle
// after an epoch began, no node that connects is caught up: what another has
// acknowledged may still be on its way. A node that stays away for longer than
// that is not waited for; what it alone holds comes when it does.
//
// # While Redis is away
//
// A session ends with the first call that fails or is not answered in time, and
// the next begins with a look at what Redis still has; connecting is tried again
// after 50 milliseconds, and at most 2 seconds, jittered. Meanwhile Append fails
// at once with [ErrAway], or, as Config.WhenAway says, puts the records into the
// outbox: files with checksums, fsynced before Append returns, bounded, and
// forwarded in their order by the next session, also after a restart. A damaged
// outbox costs nothing but time: the node then offers all that it holds.
//
// # What Redis has to be
//
// One primary, reached directly or through sentinels; not a cluster. Its
// maxmemory-policy must not be allkeys-*: [ErrEvicts]. Persistence is not needed,
// but saves offering. It takes some 120 bytes for a record in the state, and some
// 80 for an entry of one record on the stream. A user needs
// "~prefix* +@read +@write +@scripting +@connection +info +time".
//
// # The client's traps
//
// go-redis repeats calls by itself, keeps connections over a restart of Redis,
// ignores contexts while it waits, logs to standard error, and gives errors that
// repeat arguments, AUTH's among them. Here each session has a client of its own
// without retries (TestRedisThatLostItsLastEntriesIsToldThemAgain), closing it
// ends what waits (every test, by goleak), and of an error of Redis only the code
// is told (TestErrorsRepeatNothingThatWasSent).
package fleet
