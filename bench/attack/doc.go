// Package attack makes load on an HTTP/1.1 server and measures what comes of it.
//
// # Open and closed loop
//
// In an open loop ([Config.Schedule]) requests are due at times that do not depend
// on the target, as those of many people are, and latency counts from then. A
// target that stalls for 100 ms is charged with every request that was due
// meanwhile, and not only with those that it had taken: the figures are free of
// coordinated omission. Requests that find no connection free wait, and the wait is
// theirs. In a closed loop every connection sends its next request when it has the
// answer to the last; a slow target is asked less, and a stall hides behind the
// requests that were never sent. Use it to learn what throughput a number of
// connections reaches, and not for percentiles.
//
// # The generator is measured too
//
// Every run reports how late the generator was with its own requests, how busy its
// busiest thread was, and what a request cost it. When 1 request in 100 was later
// than [Config.MaxLateness], or a processor of its own was full, [Result.Claimed] is
// false: the figures may be there, but they are not the target's.
//
// # Engines
//
// On Linux, and without TLS, each of [Config.Threads] is a thread with an epoll of
// its own that sends prebuilt requests over raw sockets and allocates nothing. At
// full speed on a loopback a request costs 8 to 9 µs of a processor on a virtual
// machine with two busy ones, which is what wrk takes there; some 1.5 µs of it are
// outside of the kernel. At rates at which the thread sleeps between requests, being
// woken costs more than the request, 20 to 50 µs there; [Config.Spin] never sleeps.
//
// With TLS, and on other systems, every connection has a goroutine, over net and
// crypto/tls. A request costs 15 µs there at full speed over TLS, some 60 µs where it
// sleeps, and a new connection some 300 µs; timers of the Go runtime are up to 1 ms
// late. Both engines behave and report alike, but for the generator's cost and busy
// share, which are those of the whole process with goroutines.
//
// # Memory
//
// Bounded by the connections (with [Expect.Accept], and where a request of a class
// got a status that was not expected, up to [Config.MaxBodyBytes] and 128 KiB each;
// with goroutines 64 KiB more), a few histograms of some 200 KiB for each thread, and
// a point of some 100 bytes for every interval. A request that is due and cannot be
// sent takes no memory at all: the schedule is gone through twice, once to find what
// is due and once to send it.
//
// # Answers
//
// Answers are read as RFC 9112 has them and strictly: what could be read in two ways
// (Content-Length beside Transfer-Encoding, bare line feeds, bytes that nobody asked
// for) is a failed request. Each request says what its answer has to be ([Expect]),
// and one that is otherwise counts as failed, with its reason ([Failure]). A
// connection that the target closes in the middle of an answer, or just as a request
// is sent, fails that request: it is not sent again, because a client would have
// noticed. One that it closes while idle is opened again and counted only.
//
// # Classes
//
// A [Classified] source says of each request which class it is of, and what the
// answers of the class must be. Answers are then counted by class, and one that is
// not as expected is a wrong verdict ([FailureVerdict]), unless the target did not
// judge for want of capacity ([FailureOverload]). A source may have an end: a
// [Finite] one is asked before a schedule is begun whether it lies behind it, and
// whichever returns no request ends the run, which then claims nothing.
//
// Run may be called from many goroutines; each run is its own.
package attack
