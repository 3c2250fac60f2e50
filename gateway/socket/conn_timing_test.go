package socket_test

import (
	"io"
	"net"
	"testing"
)

// BenchmarkMessage sends a request's worth of bytes over a loopback and reads it,
// package net's way and ours in turn.
func BenchmarkMessage(b *testing.B) {
	for range 3 {
		for _, way := range []string{"net", "socket"} {
			b.Run(way, func(b *testing.B) {
				short, to := pair(b, "tcp")
				var from net.Conn = short
				if way == "net" {
					from = short.NetConn()
				}
				p := make([]byte, 1200)
				for b.Loop() {
					if _, err := to.Write(p); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(from, p); err != nil {
						b.Fatal(err)
					}
					if _, err := from.Write(p); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(to, p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
