package upstream

import (
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// secured is a TLS connection over loopback, with both of its ends.
type secured struct {
	*conn
	server *tls.Conn
	socket *held
}

// held is a socket whose writes can be held back and let go in part.
type held struct {
	*net.TCPConn
	hold   bool
	writes []byte
}

func (h *held) Write(p []byte) (int, error) {
	if h.hold {
		h.writes = append(h.writes, p...)
		return len(p), nil
	}
	return h.TCPConn.Write(p)
}

func (h *held) letGo(t *testing.T, n int) {
	t.Helper()
	if _, err := h.TCPConn.Write(h.writes[:n]); err != nil {
		t.Fatal(err)
	}
	h.writes = h.writes[n:]
}

func newSecured(t *testing.T, version uint16) *secured {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	server, client := localCertificate(t)
	accepted := make(chan *secured, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		s := &secured{socket: &held{TCPConn: c.(*net.TCPConn)}}
		s.server = tls.Server(s.socket, &tls.Config{Certificates: []tls.Certificate{server}, MaxVersion: version})
		_ = s.server.Handshake()
		accepted <- s
	}()
	e := Endpoint{Address: listener.Addr().String(), TLS: client}.complete()
	l, err := e.dial(context.Background(), (&net.Dialer{}).DialContext, e.Address, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := <-accepted
	s.conn = newConn(l, 0)
	t.Cleanup(func() { _ = l.socket.Close(); _ = s.socket.Close() })
	if err := s.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return s
}

// readable waits until something lies on the socket below, without reading it.
func (s *secured) readable(t *testing.T) {
	t.Helper()
	p := newProbe(s.link.socket)
	for deadline := time.Now().Add(20 * time.Second); p.quietNow(); {
		if time.Now().After(deadline) {
			t.Fatal("nothing came")
		}
	}
}

func TestAKeptTLSConnectionWithATicketOnItIsStillGood(t *testing.T) {
	t.Parallel()
	s := newSecured(t, tls.VersionTLS13)
	s.readable(t) // the server sends its ticket behind the handshake
	for range 3 {
		if !s.fresh() {
			t.Fatal("not good")
		}
	}
	if !newProbe(s.link.socket).quietNow() {
		t.Error("the ticket was left on the socket")
	}
	// What looking did must not have harmed it.
	if _, err := io.WriteString(s.server, "later"); err != nil {
		t.Fatal(err)
	}
	s.readable(t)
	p := make([]byte, 8)
	if n, err := s.link.tls.Read(p); string(p[:n]) != "later" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
}

func TestAKeptTLSConnectionThatIsNoLongerGoodIsFound(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, end := range map[string]func(*testing.T, *secured){
			"closed in order":  func(_ *testing.T, s *secured) { _ = s.server.Close() },
			"half closed":      func(_ *testing.T, s *secured) { _ = s.server.CloseWrite() },
			"closed below TLS": func(_ *testing.T, s *secured) { _ = s.socket.Close() },
			"reset":            func(_ *testing.T, s *secured) { _ = s.socket.SetLinger(0); _ = s.socket.Close() },
			"surplus":          func(_ *testing.T, s *secured) { _, _ = io.WriteString(s.server, "HTTP/1.1 200 OK\r\n\r\n") },
			"a part of a record": func(t *testing.T, s *secured) {
				s.socket.hold = true
				_, _ = io.WriteString(s.server, "HTTP/1.1 200 OK\r\n\r\n")
				s.socket.letGo(t, 12)
			},
			"a part of a record's head": func(t *testing.T, s *secured) {
				s.socket.hold = true
				_, _ = io.WriteString(s.server, "HTTP/1.1 200 OK\r\n\r\n")
				s.socket.letGo(t, 3)
			},
			"no TLS": func(_ *testing.T, s *secured) { _, _ = s.socket.TCPConn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")) },
		} {
			t.Run(tls.VersionName(version)+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := newSecured(t, version)
				if version == tls.VersionTLS13 {
					s.readable(t)
				}
				if !s.fresh() {
					t.Fatal("not good from the start")
				}
				end(t, s)
				s.readable(t)
				if s.fresh() {
					t.Error("taken for good")
				}
			})
		}
	}
}

// crypto/tls reads more from the socket than it is asked for: what it holds is
// not on the socket any more.
func TestSurplusThatTLSHasReadAlreadyIsFound(t *testing.T) {
	t.Parallel()
	s := newSecured(t, tls.VersionTLS12)
	s.socket.hold = true
	_, _ = io.WriteString(s.server, "asked")
	_, _ = io.WriteString(s.server, "not asked")
	s.socket.letGo(t, len(s.socket.writes))
	p := make([]byte, 5)
	if _, err := io.ReadFull(s.link.tls, p); err != nil || string(p) != "asked" {
		t.Fatalf("%q, %v", p, err)
	}
	// Whether the socket still holds it is TLS's affair; none of it may be lost
	// from sight.
	if s.fresh() {
		t.Error("taken for good")
	}
}

func TestRecordsEndWhereTheirHeadsSay(t *testing.T) {
	t.Parallel()
	var stream []byte
	ends := map[int]bool{0: true}
	for _, length := range []int{1, 0, 300, 5, 16384, 2} {
		stream = append(stream, 23, 3, 3, byte(length>>8), byte(length))
		stream = append(stream, make([]byte, length)...)
		ends[len(stream)] = true
	}
	for range 200 {
		r := &records{}
		for at := 0; at < len(stream); {
			n := 1 + rand.IntN(min(len(stream)-at, 1+rand.IntN(400)))
			r.advance(stream[at : at+n])
			at += n
			if got := r.have == 0 && r.left == 0; got != ends[at] {
				t.Fatalf("after %d bytes: at an end %v", at, got)
			}
		}
	}
}
