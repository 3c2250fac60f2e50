//go:build !linux || !(amd64 || arm64)

package socket

// short says that there is no short way: package net's is taken.
const short = false

func (*transfer) receive(uintptr) bool { return true }

func (*transfer) send(uintptr) bool { return true }
