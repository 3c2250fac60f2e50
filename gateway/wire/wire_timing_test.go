package wire

import (
	"io"
	"net"
	"strings"
	"testing"
)

// plainRequest is the request that the gateway sees most: about 1.2 KB, most of
// it a bearer token.
func plainRequest() []byte {
	return []byte("GET /api/ho-so/12345?page=2&size=20 HTTP/1.1\r\n" +
		"Host: dichvucong.hanoi.gov.vn\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: application/json\r\nAccept-Language: vi,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Authorization: Bearer " + strings.Repeat("eyJhbGciOi", 90) + "\r\n" +
		"X-Request-Id: 0af7651916cd43dd8448eb211c80319c\r\nConnection: keep-alive\r\n\r\n")
}

// endless hands out the same bytes again and again, all of them in each read.
type endless struct {
	net.Conn
	data []byte
}

func (e endless) Read(p []byte) (int, error) { return copy(p, e.data), nil }

func benchmarkReads(b *testing.B, c io.Reader, size int) {
	p := make([]byte, size)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, err := c.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlainRequest(b *testing.B) {
	raw := plainRequest()
	benchmarkReads(b, NewServerConn(endless{data: raw}, Limits{}), len(raw))
}

func BenchmarkChunkedRequest(b *testing.B) {
	raw := []byte(chnk + strings.Repeat("400\r\n"+strings.Repeat("a", 1024)+"\r\n", 16) + "0\r\n\r\n")
	benchmarkReads(b, NewServerConn(endless{data: raw}, Limits{}), len(raw))
}

func BenchmarkPlainResponse(b *testing.B) {
	raw := []byte(ok + "Content-Type: application/json\r\nContent-Length: 1024\r\nDate: Mon, 01 Jul 2024 00:00:00 GMT\r\nServer: upstream\r\n\r\n" + strings.Repeat("a", 1024))
	k := NewClientConn(endless{data: raw}, Limits{})
	p := make([]byte, len(raw))
	method := []byte("GET")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if err := k.Expect(method, false); err != nil {
			b.Fatal(err)
		}
		if _, err := k.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTarget(b *testing.B) {
	for name, raw := range map[string]string{
		"plain":      "/api/ho-so/12345?page=2&size=20",
		"normalised": "/api//ho-so/./%c4%91%41n/../12345?page=2&size=20",
	} {
		b.Run(name, func(b *testing.B) {
			in, buf := []byte(raw), make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if _, buf, err = ParseTarget(buf, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
