package upstream_test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// usualFields are those of a browser behind a proxy, with a bearer token.
var usualFields = []byte("Host: dichvucong.example\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: vi,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Authorization: Bearer " + string(bytes.Repeat([]byte("x"), 900)) + "\r\n" +
	"Connection: keep-alive\r\nReferer: https://dichvucong.example/ho-so\r\n" +
	"Cookie: lang=vi; session=0123456789abcdef\r\nX-Requested-With: XMLHttpRequest\r\n")

// usualAnswer is that of a small API behind nginx.
var usualAnswer = []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
	"Content-Type: application/json\r\nContent-Length: 100\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\r\n" +
	string(bytes.Repeat([]byte("x"), 100)))

// echoless answers every read with raw, without looking or allocating.
func echoless(tb testing.TB, raw []byte) string {
	tb.Helper()
	return serve(tb, func(conn net.Conn) {
		request := make([]byte, 16<<10)
		for {
			if _, err := conn.Read(request); err != nil {
				return
			}
			if _, err := conn.Write(raw); err != nil {
				return
			}
		}
	})
}

// exchanger does one exchange after the other without a client.
type exchanger struct {
	group *upstream.Group
	ctx   fasthttp.RequestCtx
	r     upstream.Request
}

func newExchanger(tb testing.TB, group *upstream.Group) *exchanger {
	tb.Helper()
	e := &exchanger{group: group}
	e.ctx.Request.Header.SetMethod("GET")
	e.r = upstream.Request{
		Method: []byte("GET"), Path: []byte("/api/ho-so/1"), Host: []byte("dichvucong.example"),
		ClientHost: []byte("dichvucong.example"), Fields: usualFields,
		Own: []byte("X-Request-Id: 0123456789abcdef0123456789abcdef\r\n" +
			"traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-00\r\nX-VNeID-Subject: 0123456789\r\n"),
		Client: netip.MustParseAddr("192.0.2.7"), ContentLength: upstream.NoBody,
	}
	return e
}

func (e *exchanger) do(tb testing.TB) {
	if streams, err := e.group.Do(&e.ctx, &e.r, nil); streams || err != nil || e.ctx.Response.StatusCode() != 200 {
		tb.Fatal(streams, err, e.ctx.Response.StatusCode())
	}
}

func newGroup(tb testing.TB, address string) *upstream.Group {
	tb.Helper()
	group := upstream.NewGroup(upstream.GroupConfig{
		Endpoints: endpoints(address), MaxConnections: 1000, Timeouts: patient, Dial: (&net.Dialer{}).DialContext,
	})
	tb.Cleanup(group.Close)
	return group
}

func BenchmarkExchange(b *testing.B) {
	e := newExchanger(b, newGroup(b, echoless(b, usualAnswer)))
	e.do(b)
	b.ReportAllocs()
	for b.Loop() {
		e.do(b)
	}
}

// BenchmarkRoundTrip is what an exchange cannot cost less than here: one write
// and one read on either side.
func BenchmarkRoundTrip(b *testing.B) {
	conn, err := net.Dial("tcp", echoless(b, usualAnswer))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := append([]byte("GET /api/ho-so/1 HTTP/1.1\r\n"), usualFields...)
	answer := make([]byte, len(usualAnswer))
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExchangeInParallel(b *testing.B) {
	group := newGroup(b, echoless(b, usualAnswer))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := newExchanger(b, group)
		for pb.Next() {
			e.do(b)
		}
	})
}
