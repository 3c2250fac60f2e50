//go:build !linux || !(amd64 || arm64) || race

package socket

// short says that there is no short way: package net's is taken. So it is under the
// race detector, which learns by it alone that what was written before a message was
// sent may be read by whoever received it.
const short = false

func (*transfer) receive(uintptr) bool { return true }

func (*transfer) send(uintptr) bool { return true }
