// Package listen is the side of the gateway that faces clients: sockets, bounds
// on connections, the PROXY protocol, TLS, and what becomes of a connection
// whose client is silent.
//
// A [Registry] bounds the connections of its listeners together. From the
// socket outwards a connection is counted, spoken for by its PROXY header, under
// TLS, and checked by package wire; an HTTP server such as fasthttp sees the
// last of these. Nothing is read before the server reads, in a goroutine of that
// connection.
//
// # Silent clients
//
// A client that sends nothing for [Config.ParkAfter], before its first request
// or between two, is parked. To fasthttp its connection ends there: Read
// returns io.EOF, and Close gives the connection back instead of closing it. A
// goroutine with nothing but its stack waits on the socket, without a buffer,
// and has [Config.Serve] go on when the client speaks. What it costs to be idle,
// measured as RSS over 10,000 connections that had each carried a request, on
// linux/amd64: 6 KiB plain (22 KiB without parking) and 12 KiB under TLS. A
// request within the pause costs no system call, no allocation and no timer
// more; one behind it two or three of each and a new goroutine.
//
// fasthttp's ReduceMemoryUsage is no help: with StreamRequestBody it never gives
// the read buffer up, as large as the largest head, nor the request context.
//
// # Rolling restarts
//
// [Listener.Quiesce] hands a port over to another process that listens on it
// (SO_REUSEPORT), or will (a socket of the service manager), and loses no
// connection. [Registry.CloseIdle] then sends silent clients away.
//
// # Traps of fasthttp
//
//   - Its accept loop gives up at the first error, EMFILE included. Accept waits
//     such shortages out: TestShortageOfFilesIsWaitedOut.
//   - After a failed TLS handshake it goes on to read a request, reports that
//     failure to the ErrorHandler and writes an answer. Here the input ends
//     instead: TestHandshakeFailuresAreCountedAndNotAnswered.
//   - A connection on which no byte ever came holds its shutdown up for five
//     seconds, and is answered 408 at the end of its time, which a browser that
//     connected ahead takes for the answer to its first request:
//     TestCloseIdleClosesSilentClientsAndServesWhatCame,
//     TestSilentClientIsClosedWithoutAnAnswer.
//   - Its shutdown closes kept connections from another goroutine, also while
//     they are being parked; a parked connection comes back in a wrapper of its
//     own, so that a late Close finds the old one.
//   - Server.MaxConnsPerIP must stay unset: with it the accept loop asks for
//     RemoteAddr and hides the connection from [Of]. RemoteAddr never waits for
//     a PROXY header here.
//   - It counts the requests of a connection from one again when it comes back:
//     see [Conn.Earlier].
//   - It sets a read deadline twice for a request. Here one reaches the socket
//     when a read begins: TestRequestMayPauseForLongerThanASilentClient.
//
// And of Go: listeners use MPTCP where the system has it, and such a socket
// takes no filter (TestRollingReplacementLosesNoConnection); the runtime does not
// look at a socket whose deadline has passed, so input is looked for once more
// before a silent client is closed (TestInputBehindAPassedDeadlineIsServed).
package listen
