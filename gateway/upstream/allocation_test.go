//go:build !race

package upstream_test

import "testing"

func TestAnExchangeAllocatesNothing(t *testing.T) {
	for name, raw := range map[string][]byte{
		"length":   usualAnswer,
		"no field": []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"),
		"chunked":  []byte("HTTP/1.1 200 OK\r\nConnection: X-A\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"),
		"interim":  []byte("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"),
	} {
		e := newExchanger(t, newGroup(t, echoless(t, raw)))
		e.r.TrustProxy = true
		e.r.CredentialCookie = []byte("session")
		e.do(t)
		if n := testing.AllocsPerRun(500, func() { e.do(t) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
