package listen

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
)

// from dials the rig from a loopback address of its own.
func (r *rig) from(address string) *client {
	r.tb.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := d.Dial("tcp", r.Addr().String())
	if err != nil {
		r.tb.Skipf("no address %s to dial from: %v", address, err)
	}
	return r.over(c)
}

func TestConnectionsBeyondTheTotalAreClosedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxConnections: 2, ParkAfter: soon}, ListenerConfig{})
	a, b := r.dial(), r.dial()
	a.get()
	b.get()
	for n := range uint64(3) {
		r.dial().wantEnd()
		r.eventually("counted", func() bool { return r.stats().Refused[RefusedTotal] == n+1 })
	}
	// A parked connection counts.
	r.eventually("parked", func() bool { return r.stats().Parked == 2 })
	r.dial().wantEnd()
	_ = a.Close()
	r.eventually("room", func() bool { return r.stats().Open == 1 })
	r.dial().get()
	if s := r.stats(); s.Accepted != 7 || s.Refused[RefusedTotal] != 4 || s.Sources != 0 {
		t.Errorf("%+v", s)
	}
}

func TestConnectionsBeyondASourcesShareAreClosedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxPerSource: 2}, ListenerConfig{})
	a, b := r.from("127.0.0.2"), r.from("127.0.0.2")
	a.get()
	b.get()
	r.from("127.0.0.2").wantEnd()
	r.from("127.0.0.3").get()
	if s := r.stats(); s.Refused != [refusals]uint64{RefusedSource: 1} || s.Sources != 2 || s.Open != 3 {
		t.Errorf("%+v", s)
	}
	_ = a.Close()
	r.eventually("room", func() bool { return r.stats().Open == 2 })
	r.from("127.0.0.2").get()
}

func TestTrustedProxiesAreNotBoundAsASource(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxPerSource: 1}, ListenerConfig{TrustedProxies: networks(t, "127.0.0.2/32")})
	for range 4 {
		if got := r.from("127.0.0.2").get(); got[3] != "true" {
			t.Errorf("not trusted: %v", got)
		}
	}
	if got := r.from("127.0.0.3").get(); got[3] != "false" {
		t.Errorf("trusted: %v", got)
	}
	r.from("127.0.0.3").wantEnd()
}

func TestSourceBehindAProxyIsTheOneThatCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxPerSource: 2}, ListenerConfig{Proxy: ProxyProtocol{From: networks(t, "127.0.0.0/8")}})
	through := func(source string) *client {
		return r.dial().send("PROXY TCP4 " + source + " 10.0.0.1 4000 443\r\n")
	}
	a := through("203.0.113.1")
	a.get()
	through("203.0.113.1").get()
	through("203.0.113.1").send(request).wantEnd()
	for _, other := range []string{"203.0.113.2", "203.0.113.3", "203.0.113.4"} {
		through(other).get()
	}
	if s := r.stats(); s.Refused != [refusals]uint64{RefusedSource: 1} || s.Sources != 4 {
		t.Errorf("%+v", s)
	}
	_ = a.Close()
	r.eventually("room", func() bool { return r.stats().Open == 4 })
	through("203.0.113.1").get()
}

func TestIPv6SourcesCountByTheirNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"203.0.113.7":         "203.0.113.7/32",
		"2001:db8:1:2::3":     "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
	} {
		if got := sourceOf(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
	mapped := &net.TCPAddr{IP: net.ParseIP("::ffff:203.0.113.7")}
	if got := addressOf(mapped).String(); got != "203.0.113.7" {
		t.Errorf("a mapped address is %s", got)
	}
	if got := addressOf(&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}); got.Zone() != "" {
		t.Errorf("%s keeps its zone, which no network contains", got)
	}
	if addressOf(&net.UnixAddr{}).IsValid() {
		t.Error("a unix socket has an address")
	}
}

// TestSourcesAreForgottenWithTheirConnections races arrivals and departures.
func TestSourcesAreForgottenWithTheirConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{MaxPerSource: 100}, ListenerConfig{})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 50 {
				c, err := net.Dial("tcp", r.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(c, request)
				_, _ = c.Read(make([]byte, 1))
				_ = c.Close()
			}
		})
	}
	clients.Wait()
	r.eventually("forgotten", func() bool { s := r.stats(); return s.Open == 0 && s.Sources == 0 })
}

func TestCloseDuringTheHeaderLeavesNoSourceBehind(t *testing.T) {
	t.Parallel()
	reg := NewRegistry(Config{MaxConnections: 1, MaxPerSource: 1})
	l := &Listener{registry: reg, cfg: ListenerConfig{Proxy: ProxyProtocol{From: networks(t, "0.0.0.0/0")}}}
	a, b := net.Pipe()
	defer b.Close()
	c := reg.admit(a, l)
	_ = c.Close()
	if !c.countSource(netip.MustParseAddr("203.0.113.1")) {
		t.Error("refused")
	}
	if n := reg.sources.held(); n != 0 {
		t.Errorf("%d sources held by a closed connection", n)
	}
}

// shortListener fails as a system does that is out of files.
type shortListener struct {
	net.Listener
	failures int
}

func (l *shortListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestShortageOfFilesIsWaitedOut(t *testing.T) {
	t.Parallel()
	r := NewRegistry(Config{MaxConnections: 8})
	l, err := r.Listen(t.Context(), ListenerConfig{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	l.socket = &shortListener{Listener: l.socket, failures: 3}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if n := l.Stats().AcceptErrors; n != 3 {
		t.Errorf("%d errors counted", n)
	}
	l.socket.(*shortListener).failures = 1 << 30
	ended := make(chan error, 1)
	go func() { _, err := l.Accept(); ended <- err }()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("accepted after the end")
	}
	if err := l.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
