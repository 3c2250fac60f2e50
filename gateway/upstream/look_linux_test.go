package upstream

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

func TestAClientIsGoneWhenItClosedOrEndedItsSide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave func(ours, theirs *net.TCPConn)
		gone  bool
	}{
		"silent":         {func(_, _ *net.TCPConn) {}, false},
		"sent ahead":     {func(_, theirs *net.TCPConn) { _, _ = theirs.Write([]byte("GET / HTTP/1.1\r\n")) }, false},
		"closed":         {func(_, theirs *net.TCPConn) { _ = theirs.Close() }, true},
		"reset":          {func(_, theirs *net.TCPConn) { _ = theirs.SetLinger(0); _ = theirs.Close() }, true},
		"half closed":    {func(_, theirs *net.TCPConn) { _ = theirs.CloseWrite() }, true},
		"behind bytes":   {func(_, theirs *net.TCPConn) { _, _ = theirs.Write([]byte("GET")); _ = theirs.Close() }, true},
		"closed by us":   {func(ours, _ *net.TCPConn) { _ = ours.Close() }, true},
		"not reading":    {func(ours, _ *net.TCPConn) { _, _ = ours.Write(make([]byte, 1000)) }, false},
		"closed, unread": {func(ours, theirs *net.TCPConn) { _, _ = ours.Write(make([]byte, 1000)); _ = theirs.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := pair(t)
			// As the gateway has it: checked, over TLS or not.
			for _, conn := range []net.Conn{
				ours, wire.NewServerConn(ours, wire.Limits{}), wire.NewTLSServerConn(tls.Server(ours, &tls.Config{}), wire.Limits{}),
			} {
				if newLook(conn).gone() {
					t.Error("gone from the start")
				}
			}
			c.leave(ours, theirs)
			look := newLook(wire.NewServerConn(ours, wire.Limits{}))
			if !c.gone {
				if look.gone() {
					t.Error("gone")
				}
				return
			}
			for !look.gone() { // the news is under way
				if t.Context().Err() != nil {
					t.Fatal("never gone")
				}
			}
		})
	}
}

func TestALookTakesNothing(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	_, _ = theirs.Write([]byte("next request"))
	_ = theirs.Close()
	for look := newLook(ours); !look.gone(); {
	}
	if all, err := io.ReadAll(ours); string(all) != "next request" || err != nil {
		t.Errorf("%q %v", all, err)
	}
}

func TestWhatIsNoSocketIsNeverGone(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	_ = theirs.Close()
	_ = ours.Close()
	if newLook(ours).gone() {
		t.Error("gone")
	}
}
