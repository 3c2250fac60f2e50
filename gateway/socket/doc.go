// Package socket reads and writes sockets with fewer instructions than package
// net spends on it.
//
// net reads a socket as if it were a file that may block: by read(2), whose way
// through the kernel is that of files, after it has told the scheduler that this
// thread may be gone for long. A socket of Go's never blocks. recvfrom(2) and
// sendto(2) reach it directly, and the scheduler need not know. Deadlines, waiting
// and closing stay package net's, by [syscall.RawConn]; but a write deadline becomes
// a timer of its own only when a write has to wait.
//
// Programs that are built with the race detector take net's way.
//
// It is for whoever moves small messages at a high rate: most of the time that a
// proxy takes for a request is spent in these calls.
package socket
