// Package upstream carries an admitted request to one of a site's upstreams
// and its response back, streaming both ways.
//
// fasthttp reads and writes the messages; what surrounds them is here, because
// fasthttp's client does things that a gateway must not:
//
//   - it rewrites targets (%2f to /, ..%2f resolved): a request head is
//     therefore written from the received field lines and the one normalised
//     path that routing matched (request.go, TestTheHeadIsWrittenAsRoutingSawIt);
//   - it sends a GET, HEAD or PUT up to five times where its connection breaks,
//     kept or new, whoever is to blame, and however many do so at once: here only
//     an idempotent request without a body that met a stale kept connection is
//     sent again, within a budget (retry.go, TestWhatIsSentAgain);
//   - it drops surplus bytes of a pooled connection silently, so that they may
//     become the next response: a connection is asked for them before each use
//     and after each response (conn.go, TestSurplusBytesNeverBecomeTheNextResponse);
//     so is one under TLS, where neither a ticket on the socket nor an empty
//     socket means what it seems (records.go,
//     TestAKeptTLSConnectionWithATicketOnItIsStillGood,
//     TestSurplusThatTLSHasReadAlreadyIsFound);
//   - it takes a TLS connection that was cut for one that ended, and a body that
//     was cut with it for whole (records.go,
//     TestABodyUpToTheEndOfTLSIsWholeOnlyWhereTLSEndsInOrder);
//   - it changes the order of response fields when it deletes some of them:
//     fields of one hop are taken out before it parses a head (response.go,
//     TestResponseFieldsOfOneHopAreRemovedAndTheOthersKeepTheirOrder);
//   - it buffers responses unless told otherwise: a body that is neither small
//     nor already there is streamed (exchange.go, body.go,
//     TestAGibibytePassesEitherWayInBoundedMemory);
//   - it has no time limit by default: dialling, the first byte, each read and
//     write of a body, and the whole have one (TestDiallingIsBounded,
//     TestAnExchangeIsBoundedAsAWhole).
//
// # What happens to a request
//
// Removed: fields of one hop and those that Connection nominates (RFC 9110
// section 7.6.1), identity fields in every spelling, the credential unless it
// is to be forwarded, and what proxies say unless they are trusted. Everything
// else goes as received, in order. The gateway's own lines come last.
//
// # Which upstream gets it
//
// A configured upstream is an Endpoint. Each address that its name has is a Pool,
// with connections of its own and a standing of its own; a Group draws two of all
// its addresses and uses the one with fewer requests in flight (balance.go). What
// speaks against an address, and what that means:
//
//   - Failures in a row eject it: it is passed over, but used before a request is
//     refused for want of any other (eject.go). At least one address of a group
//     is never ejected.
//   - More of them open its breaker, and failed health checks take it out: it gets
//     nothing at all, until one trial was answered, or some checks have gone well
//     (breaker.go, health.go). Where that is so of all, a request is refused with
//     ErrUnavailable in about a microsecond (BenchmarkUnavailable).
//   - Either way it comes back slowly.
//
// A failure is a connection that cannot be opened, a time limit that passed, a
// broken response, and for an ejection, where asked, a status 502, 503 or 504; not
// a client that left or sent rubbish, nor want of files or ports on this machine.
// A status never opens a breaker: one route that an upstream limits must not take
// the others down (TestAStatusNeverOpensTheBreaker). What an exchange says that
// began before an address was last taken out is not counted.
//
// A request in good times takes no lock that others take and allocates nothing
// (TestTheHealthyPathTakesNoLock, TestBalancingAndJudgingAllocateNothing).
//
// # What is tried again
//
// An upstream that took no connection is passed over for another, as nothing was
// sent; three are tried at most. A request that may have been acted on is sent
// again only as RetryConfig says, which is never by default
// (TestNothingIsEverSentTwice), and what was sent with a body, or as a POST, never
// is (TestAFlappingUpstreamFailsNoRequestOnceEjectedAndDoublesNoPost).
//
// # What lasts
//
// fasthttp's server, too, leaves things to its user. In brackets, the test that
// guards each:
//
//   - It does not tell a handler that its client has gone. When an upstream is
//     silent for 100ms, the client's socket is looked at, then at growing
//     intervals of up to half a second; where the client has closed, reset or
//     ended its side of the connection, the upstream's is closed and the result
//     is ErrClientGone (wait.go, TestAnUpstreamIsLeftWhenItsClientIsGone). A
//     client that only ended its side cannot be told from one that closed, and
//     the latter are nearly all: nginx, Envoy and net/http decide alike, HAProxy
//     with abortonclose. What waits for the client's own body, or for an
//     upstream to take it, has the time limits only.
//   - It calls what hijacks a connection never, and says so to nobody, where an
//     earlier answer cannot be written (takeover.go,
//     TestATunnelNobodyTakesOverIsGivenUp).
//   - Its error on a request's body does not stick, and a read after a timeout
//     may go on inside a chunk's frame: a deadline is set so that to miss it is
//     final (rate.go, TestPatienceEndsWhenItIsCertainToBeTooSlow).
//   - It reads up to 8 KiB of a body of known length before it calls its handler,
//     within the server's ReadTimeout: until then a slow writer holds no
//     connection to an upstream, and a least rate does not hold for it.
//   - It buffers a body of known length up to 4 KiB before it writes: events are
//     sent at once only where their stream has no length, as such streams are
//     (TestAnEventArrivesBeforeTheNextIsMade).
//   - It writes Connection and Content-Length as it sees fit: a 101 response is
//     written here (tunnel.go, TestAnUpgradeGoesUpAndComesBackInOurOwnWords).
//
// Memory is bounded by the slower side: each direction of an exchange has one
// buffer of 32 KiB while it moves, beside those of its connections
// (TestFiftyUploadsToASlowUpstreamTakeLittleMemory and
// TestFiftySlowReadersOfLargeDownloadsTakeLittleMemory).
//
// A request may ask to change the protocol, if its site lets it: see Streaming.
// The tunnel that follows the 101 is watched for its time only, and HTTP in
// another version is never let through (upgrade.go,
// TestWhatIsNoUpgradeGoesOnAsAnOrdinaryRequest). Interim responses and trailers
// of an upstream are not passed on.
package upstream
