package listen

import (
	"net"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// What follows measures what a request costs beyond its system calls: fasthttp
// sets two read deadlines and reads once.

func BenchmarkRequestOnSocket(b *testing.B) {
	client, server := loopback(b)
	requests(b, client, wire.NewServerConn(server, wire.Limits{}))
}

func BenchmarkRequestOnConn(b *testing.B) {
	client, server := loopback(b)
	reg := NewRegistry(Config{MaxConnections: 1, Serve: func(net.Conn) {}})
	conn := reg.admit(server, &Listener{registry: reg})
	requests(b, client, conn.checked(conn))
}

func requests(b *testing.B, client, server net.Conn) {
	b.ReportAllocs()
	p := make([]byte, 4096)
	out := []byte(request)
	for b.Loop() {
		if _, err := client.Write(out); err != nil {
			b.Fatal(err)
		}
		oneRequest(b, server, p)
	}
}

// oneRequest does what fasthttp does before it calls a handler.
func oneRequest(tb testing.TB, server net.Conn, p []byte) {
	if err := server.SetReadDeadline(time.Now().Add(75 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	if n, err := server.Read(p); err != nil || n != len(request) {
		tb.Fatal(n, err)
	}
	if err := server.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
}

// loopback returns both ends of a connection.
func loopback(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}
