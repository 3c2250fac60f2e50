package upstream

import (
	"bytes"
	"net"
	"testing"
	"time"
)

var timingRequest = Request{
	Method: []byte("GET"), Path: []byte("/api/ho-so/1"), Host: []byte("dichvucong.example"), ContentLength: NoBody,
	Fields: []byte("Host: dichvucong.example\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: vi,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Authorization: Bearer " + string(bytes.Repeat([]byte("x"), 900)) + "\r\n" +
		"Connection: keep-alive\r\nReferer: https://dichvucong.example/ho-so\r\n" +
		"Cookie: lang=vi; session=0123456789abcdef\r\nX-Requested-With: XMLHttpRequest\r\n"),
}

func BenchmarkAppendHead(b *testing.B) {
	dst := make([]byte, 0, writeBuffer)
	b.ReportAllocs()
	for b.Loop() {
		var n nominations
		n.collect(timingRequest.Fields)
		dst = timingRequest.appendHead(dst[:0], &n)
	}
}

func BenchmarkCleanHead(b *testing.B) {
	head := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
		"Content-Type: application/json\r\nContent-Length: 100\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\r\n")
	raw := make([]byte, len(head))
	b.ReportAllocs()
	for b.Loop() {
		copy(raw, head)
		if _, _, err := cleanHead(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// idlePool holds n idle connections to a peer that says nothing.
func idlePool(b *testing.B, n int) *Pool {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ln.Close() })
	g := NewGroup(GroupConfig{
		Endpoints:      []Endpoint{{Address: ln.Addr().String()}},
		MaxConnections: n,
		Timeouts:       Timeouts{Connect: time.Minute, FirstByte: time.Minute, Idle: time.Minute},
	})
	b.Cleanup(g.Close)
	p := g.members[0].pools[0]
	conns := make([]*conn, n)
	for i := range conns {
		if conns[i], err = p.take(&call{hint: uint64(i)}, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range conns {
		p.put(c, time.Now())
	}
	return p
}

func BenchmarkTakeAndPut(b *testing.B) {
	p := idlePool(b, 64)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.take(&call{}, now)
		if err != nil {
			b.Fatal(err)
		}
		p.put(c, now)
	}
}

func BenchmarkTakeAndPutWithoutProbe(b *testing.B) {
	p := idlePool(b, 64)
	for i := range p.shards {
		for _, k := range p.shards[i].idle {
			k.c.probe = &probe{}
		}
	}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.take(&call{}, now)
		if err != nil {
			b.Fatal(err)
		}
		p.put(c, now)
	}
}

func BenchmarkTakeAndPutInParallel(b *testing.B) {
	p := idlePool(b, 64)
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for hint := uint64(0); pb.Next(); hint++ {
			c, err := p.take(&call{hint: hint}, now)
			if err != nil {
				b.Fatal(err)
			}
			p.put(c, now)
		}
	})
}
