//go:build !race

package wire

import (
	"strings"
	"testing"
)

func TestCheckingAllocatesNothing(t *testing.T) {
	var all strings.Builder
	all.Write(plainRequest())
	for _, raw := range passingRequests {
		if !strings.Contains(raw, "[") { // the check of an IPv6 address may allocate
			all.WriteString(raw)
		}
	}
	requests := NewServerConn(endless{data: []byte(all.String())}, Limits{})
	p := make([]byte, all.Len())
	if n := testing.AllocsPerRun(100, func() {
		if _, err := requests.Read(p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for requests", n)
	}

	response := []byte(okChunk + "5\r\nhello\r\n0\r\nServer-Timing: a\r\n\r\n")
	k := NewClientConn(endless{data: response}, Limits{})
	method := []byte("GET")
	if n := testing.AllocsPerRun(100, func() {
		if err := k.Expect(method, false); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Read(p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a response", n)
	}
}

func TestRefusingAllocatesNothing(t *testing.T) {
	c := &scriptedConn{data: []byte(post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")}
	s := NewServerConn(c, Limits{})
	p := make([]byte, 1024)
	if n := testing.AllocsPerRun(100, func() {
		c.offset, s.err = 0, nil
		s.begin()
		if _, err := s.Read(p); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(p); err == nil {
			t.Fatal("not refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParsingTargetsAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	for _, raw := range []string{"/api/ho-so?x=1", "/a//b/../%41%c3%a9", "/a%2fb", "/a#b", "/.."} {
		in := []byte(raw)
		if n := testing.AllocsPerRun(100, func() { _, buf, _ = ParseTarget(buf, in) }); n != 0 {
			t.Errorf("%q: %v allocations", raw, n)
		}
	}
}
