package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
)

const (
	ok      = "HTTP/1.1 200 OK\r\n"
	okChunk = ok + "Transfer-Encoding: chunked\r\n\r\n"
)

// refusedResponses are answers to a GET that break one rule, under tight.
var refusedResponses = []struct {
	name, raw string
	reason    Reason
}{
	{"bare LF after the status line", "HTTP/1.1 200 OK\nA: b\r\n\r\n", ErrBareLF},
	{"bare LF in the head", ok + "A: b\nContent-Length: 0\r\n\r\n", ErrBareLF},
	{"bare CR in a value", ok + "A: b\rc\r\n\r\n", ErrBareCR},
	{"control byte in the reason phrase", "HTTP/1.1 200 O\x01K\r\n\r\n", ErrControlByte},
	{"blank line first", "\r\n" + ok + "\r\n", ErrStatusLine},
	{"no HTTP", "SSH-2.0-OpenSSH\r\n", ErrStatusLine},
	{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", ErrStatusLine},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", ErrStatusLine},
	{"ICY", "ICY 200 OK\r\n\r\n", ErrStatusLine},
	{"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", ErrStatusLine},
	{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", ErrStatusLine},
	{"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", ErrStatusLine},
	{"status 099", "HTTP/1.1 099 OK\r\n\r\n", ErrStatusLine},
	{"status 600", "HTTP/1.1 600 OK\r\n\r\n", ErrStatusLine},
	{"head beyond MaxHeadBytes", ok + "A: " + strings.Repeat("a", 512) + "\r\n\r\n", ErrHeadTooLarge},
	{"header lines beyond MaxHeaderCount", ok + strings.Repeat("A: b\r\n", 9) + "\r\n", ErrHeaderCount},
	{"whitespace before the first field", ok + " A: b\r\n\r\n", ErrLeadingSpace},
	{"folded value", ok + "A: b\r\n c\r\n\r\n", ErrObsFold},
	{"space before the colon", ok + "Content-Length : 5\r\n\r\nhello", ErrSpaceBeforeColon},
	{"name with a space", ok + "A B: c\r\n\r\n", ErrSpaceBeforeColon},
	{"name empty", ok + ": c\r\n\r\n", ErrHeaderName},

	{"Content-Length negative", ok + "Content-Length: -1\r\n\r\n", ErrContentLengthInvalid},
	{"Content-Length list", ok + "Content-Length: 5, 5\r\n\r\nhello", ErrContentLengthInvalid},
	{"Content-Length twice, equal", ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ErrContentLengthRepeated},
	{"Content-Length twice, differing", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ErrContentLengthRepeated},
	{"Content-Length and Transfer-Encoding", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrFramingConflict},
	{"Transfer-Encoding twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrTransferEncodingRepeated},
	{"Transfer-Encoding gzip", ok + "Transfer-Encoding: gzip\r\n\r\n", ErrTransferEncodingUnsupported},
	{"Transfer-Encoding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrTransferEncodingVersion},
	{"Content_Length", ok + "Content_Length: 5\r\n\r\nhello", ErrFramingSpelling},
	{"body beyond MaxBodyBytes", ok + "Content-Length: 1001\r\n\r\n", ErrBodyTooLarge},
	{"chunk size malformed", okChunk + "x\r\n", ErrChunkSize},
	{"chunk extension", okChunk + "1;a\r\nb\r\n0\r\n\r\n", ErrChunkExtension},
	{"chunk data too long", okChunk + "1\r\nab\r\n0\r\n\r\n", ErrChunkEnd},
	{"trailer Content-Length", okChunk + "0\r\nContent-Length: 5\r\n\r\n", ErrTrailer},
	{"trailer Transfer-Encoding", okChunk + "0\r\nTransfer-Encoding: chunked\r\n\r\n", ErrTrailer},
	{"trailer without a name", okChunk + "0\r\n: x\r\n\r\n", ErrHeaderName},
	{"trailers beyond MaxHeaderCount", okChunk + "0\r\n" + strings.Repeat("A: b\r\n", 9) + "\r\n", ErrHeaderCount},
	{"trailers beyond MaxHeadBytes", okChunk + "0\r\nA: " + strings.Repeat("a", 512) + "\r\n\r\n", ErrHeadTooLarge},
	{"trailer section ended by CR", okChunk + "0\r\n\ra", ErrBareCR},

	{"204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrBodylessFraming},
	{"204 with Content-Length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", ErrBodylessFraming},
	{"100 with Content-Length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello", ErrBodylessFraming},
	{"interim responses without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 17) + ok + "Content-Length: 0\r\n\r\n", ErrInterimFlood},
	{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\n\r\nframes", ErrUpgradeUnasked},
	{"surplus after no content", "HTTP/1.1 204 No Content\r\n\r\nx", ErrSurplus},
	{"surplus after Content-Length", ok + "Content-Length: 5\r\n\r\nhello\r\n", ErrSurplus},
	{"surplus after chunks", okChunk + "0\r\n\r\n" + ok, ErrSurplus},
	{"surplus after 304 with Content-Length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", ErrSurplus},
}

func expectGet(t testing.TB, c *ClientConn) {
	t.Helper()
	if err := c.Expect([]byte("GET"), false); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedResponseReleasesNothingBehindTheViolation(t *testing.T) {
	t.Parallel()
	for _, tc := range refusedResponses {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := tc.raw + ok + "Content-Length: 0\r\n\r\n"
			for cut := range len(in) {
				c := &scriptedConn{data: []byte(in), cuts: []byte{byte(cut), 255, 255, 255, 255}}
				k := NewClientConn(c, tight)
				expectGet(t, k)
				out, err := readAll(k)
				refusedAt(t, []byte(in), out, err, tc.reason)
				if e := ErrorOf(k); e == nil || e.Status != 502 {
					t.Fatalf("Refusal is %v, want status 502", e)
				}
				reads := c.reads
				if n, again := k.Read(make([]byte, 8)); n != 0 || !errors.Is(again, err) || c.reads != reads {
					t.Fatalf("the refusal does not stick: %d, %v", n, again)
				}
				if k.Idle() || k.Expect([]byte("GET"), false) == nil {
					t.Fatal("the connection would be used again")
				}
			}
		})
	}
}

// exchange is a request's method and the whole response to it.
type exchange struct {
	method  string
	upgrade bool
	raw     string
}

var passingExchanges = []exchange{
	{"GET", false, ok + "Content-Length: 0\r\n\r\n"},
	{"GET", false, ok + "Content-Length: 5\r\nHost: x y\r\nExpect: z\r\nTrailer: A\r\n\r\nhello"},
	{"GET", false, "HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno"},
	{"GET", false, "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab"},
	{"GET", false, "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nab"},
	{"GET", false, "HTTP/1.1 200 \xc4\x90\xc6\xb0\xe1\xbb\xa3c\tr\xe1\xbb\x93i\r\nContent-Length: 2\r\n\r\nab"},
	{"GET", false, okChunk + "5\r\nhello\r\n0\r\n\r\n"},
	{"GET", false, okChunk + "5\r\nhello\r\n0\r\nServer-Timing: a\r\nExpires: b\r\n\r\n"},
	{"GET", false, "HTTP/1.1 204 No Content\r\n\r\n"},
	{"GET", false, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
	{"GET", false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n"},
	{"GET", false, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{"GET", false, "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"},
	{"HEAD", false, ok + "Content-Length: 500\r\n\r\n"},
	{"HEAD", false, okChunk},
	{"HEAD", false, ok + "\r\n"},
	{"POST", false, "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na"},
	{"GET", false, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 16) + okChunk + "0\r\n\r\n"},
	{"GET", true, ok + "Content-Length: 1\r\n\r\na"},
}

func TestWellFormedResponsesPassAndLeaveTheConnectionIdle(t *testing.T) {
	t.Parallel()
	for cut := range 64 {
		c := &scriptedConn{cuts: []byte{byte(cut)}}
		k := NewClientConn(c, tight)
		p := make([]byte, 4096)
		for _, x := range passingExchanges {
			if !k.Idle() || k.Started() {
				t.Fatalf("before %q: idle %v, started %v", x.raw, k.Idle(), k.Started())
			}
			if err := k.Expect([]byte(x.method), x.upgrade); err != nil {
				t.Fatal(err)
			}
			if k.Idle() || k.Started() {
				t.Fatalf("expecting %q: idle %v, started %v", x.raw, k.Idle(), k.Started())
			}
			if err := k.Expect([]byte("GET"), false); !errors.Is(err, ErrBusy) {
				t.Fatalf("a second expectation: %v", err)
			}
			c.data, c.offset = []byte(x.raw), 0
			var out []byte
			for c.offset < len(c.data) {
				if len(out) > 0 && (k.Idle() || !k.Started()) {
					t.Fatalf("after %q of %q: idle %v, started %v", out, x.raw, k.Idle(), k.Started())
				}
				n, err := k.Read(p)
				if err != nil {
					t.Fatalf("%q: %v", x.raw, err)
				}
				out = append(out, p[:n]...)
			}
			if string(out) != x.raw {
				t.Fatalf("%q became %q", x.raw, out)
			}
		}
		if out, err := readAll(k); len(out) > 0 || !errors.Is(err, io.EOF) {
			t.Fatalf("closed while idle: %q, %v", out, err)
		}
		if k.Idle() || k.Expect([]byte("GET"), false) == nil {
			t.Fatal("a closed connection would be used again")
		}
	}
}

func TestResponseCutShortIsUnexpectedEOF(t *testing.T) {
	t.Parallel()
	for _, x := range passingExchanges {
		for n := range len(x.raw) {
			k := NewClientConn(&scriptedConn{data: []byte(x.raw[:n])}, tight)
			if err := k.Expect([]byte(x.method), x.upgrade); err != nil {
				t.Fatal(err)
			}
			if out, err := readAll(k); !errors.Is(err, io.ErrUnexpectedEOF) || k.Idle() {
				t.Fatalf("%q ends with %v after %q", x.raw[:n], err, out)
			}
			if k.Started() != (n > 0) {
				t.Fatalf("after %q: started %v", x.raw[:n], k.Started())
			}
		}
	}
}

func TestCloseDelimitedResponseEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	for _, head := range []string{ok, "HTTP/1.0 200 OK\r\n", "HTTP/1.1 500 E\r\nConnection: close\r\n"} {
		raw := head + "\r\n" + ok + "\r\nany\n\x00"
		k := NewClientConn(&scriptedConn{data: []byte(raw)}, tight)
		expectGet(t, k)
		p := make([]byte, 4096)
		if n, err := k.Read(p); string(p[:n]) != raw || err != nil || k.Idle() {
			t.Fatalf("%q, %v, idle %v", p[:n], err, k.Idle())
		}
		if _, err := k.Read(p); !errors.Is(err, io.EOF) || k.Idle() {
			t.Fatalf("%v, idle %v", err, k.Idle())
		}
	}
}

func TestSwitchedProtocolPassesUnchecked(t *testing.T) {
	t.Parallel()
	for _, x := range []exchange{
		{"GET", true, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello\r\n\r\n"},
		{"CONNECT", false, ok + "\r\n\x16\x03\x01\n"},
	} {
		for cut := range len(x.raw) {
			k := NewClientConn(&scriptedConn{data: []byte(x.raw), cuts: []byte{byte(cut)}}, tight)
			if err := k.Expect([]byte(x.method), x.upgrade); err != nil {
				t.Fatal(err)
			}
			if out, err := readAll(k); string(out) != x.raw || !errors.Is(err, io.EOF) || k.Idle() {
				t.Fatalf("%q, %v, idle %v", out, err, k.Idle())
			}
		}
	}
}

func TestBytesOfAnIdleUpstreamAreSurplus(t *testing.T) {
	t.Parallel()
	k := NewClientConn(&scriptedConn{data: []byte("HTTP/1.1 408 Request Timeout\r\n\r\n")}, tight)
	n, err := k.Read(make([]byte, 64))
	if n != 0 || !errors.Is(err, ErrSurplus) || k.Idle() {
		t.Fatalf("%d, %v, idle %v", n, err, k.Idle())
	}
}
