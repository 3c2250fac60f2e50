// Package overload decides what is served when there is more work than
// processor time. It imports nothing of the project: time, classes and keys
// come in, outcomes come out.
//
// # Parts
//
//   - [Verifications] lets a bounded number of signatures be verified at once
//     and makes the others wait in a short line.
//   - [Shedder] bounds the requests in flight by a limit that follows the
//     process's own delay, and says which of them are shed first.
//   - [Monitor] measures that delay and moves the limit.
//   - [RateLimits] bounds the rate of a site, a client or a source.
//
// # What is shed first
//
// New verifications, then requests of sites over their share, then the rest.
// Two mechanisms do it. A verification takes its turn behind everything that is
// ready to run, so that a storm of new tokens gets the processor time that
// requests with verified ones leave over. And while the process is late, the
// limit on requests in flight shrinks: new verifications meet it before it is
// reached, and of the others only those of a site that holds more than its
// share.
//
// # Why a semaphore is not enough
//
// A goroutine that verifies a signature never blocks. On one processor two of
// them never run at once, so a semaphore of one is always free, and a hundred
// new tokens that arrive together are verified one after another before a
// request that arrived with them gets its turn. Besides, Go's scheduler looks
// at the network only when no goroutine is ready to run (or every 10 ms): a
// chain of verifications that wake one another keeps every other request
// waiting in its socket. So a verification that does not find the process idle
// waits in line, and the line moves on by way of the network poller: one turn a
// slot, each behind all that has arrived by then.
package overload
