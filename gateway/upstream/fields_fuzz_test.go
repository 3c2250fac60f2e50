package upstream_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// own is what the gateway states in these tests.
const own = "X-VNeID-Subject: the-only-one\r\nX-Request-Id: r1\r\n"

// ends are the fields that are known to go through.
var ends = []string{
	"Accept", "X-A", "x-b", "X-VNeI", "VNeID-Subject", "XX-VNeID-Subject", "Content-Type", "Range", "If-Match", "X_C",
	"Y-VNeID", "Date", "Via", "X-Forwarde", "Origin", "a", "~", "Hos", "Hostt", "Connectio", "Connections",
}

// gone are the fields that never do: hop by hop, credentials and what proxies
// say.
var gone = []string{
	"Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Proxy-Authorization", "HTTP2-Settings", "Authorization",
	"X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "traceparent", "tracestate", "X-Request-ID", "Proxy",
	"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
}

// fieldSet makes field lines biased towards nasty names, and tells which of them
// are to arrive.
func fieldSet(r *rand.Rand) (lines, want []string) {
	var nominated []string
	n := r.IntN(24)
	for i := range n {
		value := strings.Repeat(" ", r.IntN(3)) + fmt.Sprint("v", i) + strings.Repeat("\t", r.IntN(2))
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			name := ends[r.IntN(len(ends))]
			lines = append(lines, name+":"+value)
			want = append(want, name+": "+strings.TrimSpace(value))
		case 4:
			lines = append(lines, disguise(r, gone[r.IntN(len(gone))])+":"+value)
		case 5:
			if len(nominated) > 8 {
				continue
			}
			options := []string{"close", "", " ", "Host", "Content-Length", "X-VNeID-Subject", ends[r.IntN(len(ends))]}
			list := []string{options[r.IntN(len(options))], strings.ToUpper(options[r.IntN(len(options))])}
			nominated = append(nominated, list...)
			lines = append(lines, "cOnnection:"+strings.Join(list, "\t , "))
		default:
			lines = append(lines, disguise(r, "X-VNeID-"+[]string{"Subject", "Account-Level", "Issuer", "", "Zzz"}[r.IntN(5)])+": forged")
		}
	}
	want = slices.DeleteFunc(want, func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.ContainsFunc(nominated, func(item string) bool { return strings.EqualFold(item, name) })
	})
	return lines, slices.Clip(append([]string{}, want...)) // never nil
}

// disguise spells a name so that some server or other reads it as that name.
func disguise(r *rand.Rand, name string) string {
	const noise = "-_.~!#$%&'*+^`|"
	var b strings.Builder
	for _, c := range []byte(name) {
		for r.IntN(4) == 0 {
			b.WriteByte(noise[r.IntN(len(noise))])
		}
		switch {
		case c == '-' && r.IntN(2) == 0:
			if r.IntN(2) == 0 {
				b.WriteByte(noise[r.IntN(len(noise))])
			}
		case r.IntN(2) == 0:
			b.WriteString(strings.ToUpper(string(c)))
		default:
			b.WriteString(strings.ToLower(string(c)))
		}
	}
	return b.String()
}

// folded is the name as the laxest server might read it.
func folded(name string) string {
	return strings.ToLower(strings.Map(func(c rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c) {
			return c
		}
		return -1
	}, name))
}

func TestNoIdentityFieldPassesAndAllOthersArriveInOrder(t *testing.T) {
	t.Parallel()
	f := newFields(t)
	for seed := range uint64(2000) {
		lines, want := fieldSet(rand.New(rand.NewPCG(seed, 0)))
		f.check(t, lines, want)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// fields sends field lines through a front to a recorder.
type fields struct {
	front  *front
	client *client
	last   atomic.Pointer[origin.Request]
}

func newFields(t testing.TB) *fields {
	f := &fields{}
	recorder, err := origin.Record(context.Background(), func(r origin.Request) origin.Answer {
		f.last.Store(&r)
		return origin.OK()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	f.front = newFront(t, setup{addresses: []string{recorder.Address()}, request: func(r *upstream.Request) {
		r.Own = []byte(own)
	}})
	return f
}

func (f *fields) check(t testing.TB, lines, want []string) {
	t.Helper()
	if f.client == nil {
		f.client = f.front.client(t)
	}
	f.client.send("GET / HTTP/1.1\r\nHost: a.example\r\n" + strings.Join(append(lines, "", ""), "\r\n"))
	resp, _, err := f.client.read("GET")
	if resp.StatusCode != 200 || err != nil {
		t.Fatalf("%q: %d %v %v", lines, resp.StatusCode, resp.Header, err)
	}
	if resp.Close {
		f.client = nil
	}
	f.checkGot(t, *f.last.Load(), lines, want)
}

func (f *fields) checkGot(t testing.TB, got origin.Request, lines, want []string) {
	t.Helper()
	head := got.Head
	if n := bytes.Count(head, []byte(own)); n != 1 || !bytes.HasSuffix(head, []byte(own+"\r\n")) {
		t.Errorf("what the gateway states comes %d times: %q", n, head)
	}
	rest := origin.Request{Head: bytes.Replace(head, []byte(own), nil, 1)}
	for _, line := range rest.Lines()[1:] {
		if name, _, _ := strings.Cut(line, ":"); strings.HasPrefix(folded(name), "xvneid") {
			t.Errorf("%q of %q passed", line, lines)
		}
	}
	if arrived := endToEnd(rest); want != nil && !slices.Equal(arrived, want) {
		t.Errorf("sent %q\ngot  %q\nwant %q", lines, arrived, want)
	}
}

// FuzzFields sends one field of any name and value that the framing checks let
// through, and one that nominates it.
func FuzzFields(f *testing.F) {
	for _, name := range append(slices.Concat(ends, gone), "X-VNeID-Subject", "x_vneid!subject", "Connection", "Cookie") {
		f.Add(name, "v", name)
	}
	sent := newFields(f)
	f.Fuzz(func(t *testing.T, name, value, nominates string) {
		if strings.ContainsAny(name+value+nominates, "\r\n") {
			t.Skip()
		}
		c := sent.front.client(t)
		c.send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close, " + nominates + "\r\n" + name + ": " + value + "\r\n\r\n")
		_ = c.Conn.(*net.TCPConn).CloseWrite() // what waits for a body gets none
		if raw, _ := c.raw(); !strings.HasPrefix(raw, "HTTP/1.1 200 ") {
			return // refused, or no request at all
		}
		sent.checkGot(t, *sent.last.Load(), []string{name, value, nominates}, nil)
	})
}
