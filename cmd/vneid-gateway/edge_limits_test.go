package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestHeadsOverTheConfiguredLimitsAreRefused(t *testing.T) {
	t.Parallel()
	const headBytes, fields, targetBytes = 4 << 10, 8, 256
	g := startEdge(t, edgeConfig{more: fmt.Sprintf("limits: { header_bytes: %d, header_count: %d, target_bytes: %d }", headBytes, fields, targetBytes)})
	// head makes a head of these sizes exactly, Host included.
	head := func(bytes, count, target int) string {
		path := "/" + strings.Repeat("p", target-1)
		text := "GET " + path + " HTTP/1.1\r\nHost: " + testHost + "\r\n" + strings.Repeat("A: b\r\n", count-2)
		const around = "Z: \r\n\r\n"
		return text + "Z: " + strings.Repeat("z", max(bytes-len(text)-len(around), 0)) + "\r\n\r\n"
	}
	for name, c := range map[string]struct {
		bytes, count, target int
		status               int
		code                 string
	}{
		"as many bytes as may be":  {headBytes, 3, 20, http.StatusOK, ""},
		"one byte more":            {headBytes + 1, 3, 20, http.StatusRequestHeaderFieldsTooLarge, "header_too_large"},
		"as many fields as may be": {0, fields, 20, http.StatusOK, ""},
		"one field more":           {0, fields + 1, 20, http.StatusRequestHeaderFieldsTooLarge, "header_too_large"},
		"as long a target":         {0, 3, targetBytes, http.StatusOK, ""},
		"one longer":               {0, 3, targetBytes + 1, http.StatusRequestURITooLong, "target_too_long"},
	} {
		c0 := g.dial(t, "")
		a, last := c0.send(head(c.bytes, c.count, c.target)).answerLast()
		if c.code == "" {
			a.echo(t)
			if last {
				t.Errorf("%s: closed", name)
			}
		} else {
			a.refusedWith(t, c.status, c.code)
			if !last {
				t.Errorf("%s: it does not say that it closes", name)
			}
			c0.ended()
		}
		_ = c0.Close()
	}
	for reason, want := range map[string]float64{"head_too_large": 1, "header_count": 1, "target_too_long": 1} {
		if n := g.metric(t, `vneid_gateway_wire_refusals_total{reason="`+reason+`"}`); n != want {
			t.Errorf("%v counted as %s, want %v", n, reason, want)
		}
	}
	g.finish(t)
}

// TestBodiesAreBoundedBySite sends bodies to a site that bounds them and to one
// that does not.
func TestBodiesAreBoundedBySite(t *testing.T) {
	t.Parallel()
	const most = 32 << 10
	g := startEdge(t, edgeConfig{
		site: fmt.Sprintf("    max_body_bytes: %d", most),
		sites: `
  - name: hue
    hosts: [hue.gov.vn]
    upstreams: ["UPSTREAM"]
    rules: [{ paths: [/**], access: public }]`,
	})
	refused := func(c *edgeConn) {
		t.Helper()
		a, last := c.answerLast()
		a.refusedWith(t, http.StatusRequestEntityTooLarge, "body_too_large")
		if !last {
			t.Error("it does not say that it closes")
		}
		c.ended()
		_ = c.Close()
	}
	taken := func(c *edgeConn, bytes int64) {
		t.Helper()
		if saw := c.answer().echo(t); saw.BodyBytes != bytes {
			t.Errorf("%d bytes reached the upstream, want %d", saw.BodyBytes, bytes)
		}
		_ = c.Close()
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 4<<10, strings.Repeat("x", 4<<10))
	const chunked, end = "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"

	taken(g.dial(t, "").send(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", edgePost, most, strings.Repeat("x", most))), most)
	// A part of the body is sent, of which the server reads 8 KiB ahead: the
	// answer cannot have waited for the rest.
	refused(g.dial(t, "").send(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", edgePost, most+1, strings.Repeat("x", 8<<10))))
	refused(g.dial(t, "").send(fmt.Sprintf("%sContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", edgePost, most+1)))

	taken(g.dial(t, "").send(edgePost+chunked+strings.Repeat(chunk, most/(4<<10))+end), most)
	// Neither is the end: the answer comes midway.
	refused(g.dial(t, "").send(edgePost + chunked + strings.Repeat(chunk, most/(4<<10)+1)))

	elsewhere := strings.Replace(edgePost, testHost, "hue.gov.vn", 1)
	taken(g.dial(t, "").send(elsewhere+chunked+strings.Repeat(chunk, 64)+end), 64*4<<10)
	if n := g.refusals(t, "body_too_large"); n != 3 {
		t.Errorf("%v counted", n)
	}
	g.finish(t)
}
