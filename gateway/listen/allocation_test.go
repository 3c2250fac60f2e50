//go:build !race

package listen

import (
	"net"
	"testing"
)

func TestRequestAllocatesNothing(t *testing.T) {
	client, server := loopback(t)
	reg := NewRegistry(Config{MaxConnections: 1, MaxPerSource: 1, Serve: func(net.Conn) {}})
	conn := reg.admit(server, &Listener{registry: reg})
	checked := conn.checked(conn)
	p, out := make([]byte, 4096), []byte(request)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := client.Write(out); err != nil {
			t.Fatal(err)
		}
		oneRequest(t, checked, p)
		if !addressOf(checked.RemoteAddr()).IsValid() || Of(checked).TrustsProxy() {
			t.Fatal("no address, or a trusted one")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
