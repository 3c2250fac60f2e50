package listen

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/valyala/fasthttp"
)

// header2 is a header of version 2.
func header2(tb testing.TB, h proxyproto.Header, tlvs ...proxyproto.TLV) string {
	tb.Helper()
	h.Version = 2
	if err := h.SetTLVs(tlvs); err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func tcp(address string, port int) *net.TCPAddr {
	return &net.TCPAddr{IP: net.ParseIP(address), Port: port}
}

type headerCase struct {
	header string
	source string // "" means the peer itself, "-" that it is cut off
}

func headerCases(tb testing.TB) map[string]headerCase {
	four := proxyproto.Header{
		Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv4,
		SourceAddr: tcp("203.0.113.9", 4711), DestinationAddr: tcp("10.0.0.1", 443),
	}
	six := proxyproto.Header{
		Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv6,
		SourceAddr: tcp("2001:db8::9", 4711), DestinationAddr: tcp("2001:db8::1", 443),
	}
	unix := proxyproto.Header{
		Command: proxyproto.PROXY, TransportProtocol: proxyproto.UnixStream,
		SourceAddr: &net.UnixAddr{Net: "unix", Name: "/a"}, DestinationAddr: &net.UnixAddr{Net: "unix", Name: "/b"},
	}
	udp := proxyproto.Header{
		Command: proxyproto.PROXY, TransportProtocol: proxyproto.UDPv4,
		SourceAddr: &net.UDPAddr{IP: net.ParseIP("203.0.113.9"), Port: 1}, DestinationAddr: &net.UDPAddr{IP: net.ParseIP("10.0.0.1"), Port: 2},
	}
	return map[string]headerCase{
		"version 1, IPv4":             {"PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n", "203.0.113.9:4711"},
		"version 1, IPv6":             {"PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n", "[2001:db8::9]:4711"},
		"version 1, unknown":          {"PROXY UNKNOWN\r\n", ""},
		"version 1, unknown and more": {"PROXY UNKNOWN 1 2 3 4 5\r\n", ""},
		"version 1, a name":           {"PROXY TCP4 localhost 10.0.0.1 4711 443\r\n", "-"},
		"version 1, too long":         {"PROXY TCP4 " + strings.Repeat("1", 120) + "\r\n", "-"},
		"version 1, bare LF":          {"PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\n", "-"},
		"version 1, families mixed":   {"PROXY TCP6 203.0.113.9 10.0.0.1 4711 443\r\n", "-"},
		"version 1, port too large":   {"PROXY TCP4 203.0.113.9 10.0.0.1 65536 443\r\n", "-"},
		"version 2, IPv4":             {header2(tb, four), "203.0.113.9:4711"},
		"version 2, IPv6":             {header2(tb, six), "[2001:db8::9]:4711"},
		"version 2, with TLVs": {header2(tb, four, proxyproto.TLV{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: []byte("other.example")},
			proxyproto.TLV{Type: proxyproto.PP2_TYPE_MIN_CUSTOM, Value: make([]byte, 900)}), "203.0.113.9:4711"},
		"version 2, local":             {header2(tb, proxyproto.Header{Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}), ""},
		"version 2, unix":              {header2(tb, unix), "-"},
		"version 2, UDP":               {header2(tb, udp), "-"},
		"version 2, unknown command":   {string(proxyproto.SIGV2) + "\x22\x11\x00\x0c" + strings.Repeat("\x01", 12), "-"},
		"version 2, unknown family":    {string(proxyproto.SIGV2) + "\x21\x13\x00\x0c" + strings.Repeat("\x01", 12), "-"},
		"version 2, short addresses":   {string(proxyproto.SIGV2) + "\x21\x11\x00\x04\x01\x01\x01\x01", "-"},
		"version 2, beyond any length": {string(proxyproto.SIGV2) + "\x21\x11\xff\xff" + strings.Repeat("\x01", 65535), "-"},
	}
}

func TestPROXYHeaderNamesTheClient(t *testing.T) {
	t.Parallel()
	for _, optional := range []bool{false, true} {
		r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{
			Proxy:          ProxyProtocol{From: networks(t, "127.0.0.0/8"), Optional: optional},
			TrustedProxies: networks(t, "203.0.113.0/24"),
		})
		refused := uint64(0)
		for name, tc := range headerCases(t) {
			for _, whole := range []bool{true, false} {
				c := r.dial()
				if whole {
					c.send(tc.header + request)
				} else {
					c.send(tc.header)
				}
				if tc.source == "-" {
					c.wantEnd()
					refused++
					continue
				}
				if !whole {
					r.eventually("parked behind its header", func() bool { return r.isParked(c) })
					c.send(request)
				}
				for range 2 {
					status, body := c.answer()
					want := tc.source
					if want == "" {
						want = c.LocalAddr().String()
					}
					trusted := strings.HasPrefix(want, "203.")
					if got := strings.Fields(body); status != 200 || got[0] != want || (got[3] == "true") != trusted {
						t.Errorf("%s: %d %s, want %s", name, status, body, want)
					}
					c.send(request)
				}
				c.answer()
			}
		}
		r.eventually("counted", func() bool { return r.stats().Refused == [refusals]uint64{RefusedProxyHeader: refused} })
		if r.unread.Load() != 0 {
			t.Error("a refused peer was answered")
		}
	}
}

func TestPeerWithoutAPROXYHeader(t *testing.T) {
	t.Parallel()
	from := networks(t, "127.0.0.0/8")
	must := newRig(t, Config{}, ListenerConfig{Proxy: ProxyProtocol{From: from}})
	must.dial().send(request).wantEnd()
	must.dial().send("POST / HTTP/1.1\r\nHost: x\r\n\r\n").wantEnd()
	must.eventually("counted", func() bool { return must.stats().Refused == [refusals]uint64{RefusedProxyHeader: 2} })
	_ = must.dial().Close() // a look at the port is nobody's fault
	must.eventually("gone", func() bool { return must.stats().Open == 0 })

	may := newRig(t, Config{}, ListenerConfig{Proxy: ProxyProtocol{From: from, Optional: true}})
	for _, first := range []string{"", "\r\n"} {
		c := may.dial().send(first)
		if got := c.get(); got[0] != c.LocalAddr().String() {
			t.Errorf("%v", got)
		}
	}
	c := may.dial().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	if status, _ := c.answer(); status != 200 {
		t.Errorf("a method with the same first letter: %d", status)
	}
	if s := may.stats(); s.Refused != [refusals]uint64{} || must.stats().Refused[RefusedProxyHeader] != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPROXYHeaderFromAnybodyElseIsNoHTTP(t *testing.T) {
	t.Parallel()
	for name, proxy := range map[string]ProxyProtocol{
		"off": {}, "from others": {From: networks(t, "192.0.2.0/24")}, "optional": {From: networks(t, "192.0.2.0/24"), Optional: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{}, ListenerConfig{Proxy: proxy})
			for kind, tc := range headerCases(t) {
				c := r.dial().send(tc.header + request)
				if status, _ := c.answer(); status != 400 {
					t.Errorf("%s: %d", kind, status)
				}
			}
			if n := r.requests.Load(); n != 0 {
				t.Errorf("%d requests were served", n)
			}
		})
	}
}

// TestSlowPROXYHeaderHoldsNobodyUp: nothing is read before the connection's own
// goroutine reads it, and the head's deadline bounds the header.
func TestSlowPROXYHeaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{ParkAfter: soon}, ListenerConfig{Proxy: ProxyProtocol{From: networks(t, "127.0.0.0/8")}}, func(s *fasthttp.Server) {
		s.ReadTimeout = 200 * time.Millisecond
	})
	var slow []*client
	for range 20 {
		slow = append(slow, r.dial().send(string(proxyproto.SIGV2[:6])))
	}
	r.dial().send("PROXY UNKNOWN\r\n").get()
	for _, c := range slow {
		c.wantEnd()
	}
	r.eventually("counted", func() bool { return r.stats().Refused[RefusedProxyHeader] == 20 })
}

// FuzzFirstBytes: whatever a peer begins with, only one that may state an
// identity gets one, and only from the header that came first.
func FuzzFirstBytes(f *testing.F) {
	for _, tc := range headerCases(f) {
		for _, may := range []bool{true, false} {
			f.Add([]byte(tc.header+request), may, may)
			f.Add([]byte(request+tc.header), may, !may)
		}
	}
	junk, _ := hex.DecodeString("0d0a0d0a000d0a515549540a2111000c")
	f.Add(junk, true, true)
	f.Fuzz(func(t *testing.T, first []byte, may, optional bool) {
		proxy := ProxyProtocol{Optional: optional}
		if may {
			proxy.From = networks(t, "0.0.0.0/0")
		}
		reg := NewRegistry(Config{MaxConnections: 1, MaxPerSource: 1})
		peer := &scripted{in: bytes.NewReader(first)}
		c := reg.admit(peer, &Listener{registry: reg, cfg: ListenerConfig{Proxy: proxy}})
		if c == nil {
			t.Fatal("refused")
		}
		out, err := io.ReadAll(c.checked(c))
		named := c.RemoteAddr().String() != peer.RemoteAddr().String()
		stated := bytes.HasPrefix(first, []byte("PROXY ")) || bytes.HasPrefix(first, proxyproto.SIGV2)
		if named && (!may || !stated) {
			t.Fatalf("%q named its client %s", first, c.RemoteAddr())
		}
		if !addressOf(c.RemoteAddr()).IsValid() {
			t.Fatalf("%q: the client has no address", first)
		}
		if may && !optional && !stated && len(out) > 0 {
			t.Fatalf("%q released %q, %v", first, out, err)
		}
		_ = c.Close()
		if s := reg.Stats(); s.Open != 0 || s.Sources != 0 {
			t.Fatalf("%+v after the end", s)
		}
	})
}

// scripted is a connection with fixed input.
type scripted struct{ in io.Reader }

func (s *scripted) Read(p []byte) (int, error)     { return s.in.Read(p) }
func (*scripted) Write(p []byte) (int, error)      { return len(p), nil }
func (*scripted) Close() error                     { return nil }
func (*scripted) LocalAddr() net.Addr              { return tcp("192.0.2.1", 443) }
func (*scripted) RemoteAddr() net.Addr             { return tcp("192.0.2.2", 5000) }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }
