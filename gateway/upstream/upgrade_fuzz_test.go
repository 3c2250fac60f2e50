package upstream

import (
	"bytes"
	"slices"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// However a head asks for an upgrade, what goes out is one that the site allows
// in our own words, or nothing.
func FuzzUpgradeIsOursOrNone(f *testing.F) {
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, seed := range []string{
		"Connection: Upgrade\r\nUpgrade: websocket\r\n" + key,
		"Connection: upgrade, Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n",
		"Connection: Upgrade, Connection\r\nConnection: Sec-WebSocket-Key\r\nUpgrade: echo/2\r\n" + key,
		"connection: close, upgrade\r\nup-grade: websocket\r\nUpgrade:  WebSocket\t\r\nUpgrade: x\r\n" + key,
	} {
		f.Add([]byte(seed))
	}
	streaming := &Streaming{Upgrades: []string{"websocket", "echo/2", "h2c", "TLS/1.0"}}
	f.Fuzz(func(t *testing.T, fields []byte) {
		var n nominations
		if !wellFormed(fields) || !n.collect(fields) {
			t.Skip()
		}
		r := Request{
			Method: []byte("GET"), Path: []byte("/"), Host: []byte("a"), Fields: fields, ContentLength: NoBody, Streaming: streaming,
		}
		var ctx fasthttp.RequestCtx
		r.upgrade = r.wantedUpgrade(&ctx, &n)
		if r.upgrade != "" && r.upgrade != "websocket" && r.upgrade != "echo/2" {
			t.Fatalf("upgrade to %q", r.upgrade)
		}
		head := r.appendHead(nil, &n)
		got := map[string][]string{}
		lines := wire.NewFields(head[bytes.IndexByte(head, '\n')+1 : len(head)-len(crlf)])
		for lines.Next() {
			if folded := string(fold(make([]byte, 0, foldedName), lines.Name)); folded == "upgrade" || folded == "connection" {
				got[folded] = append(got[folded], string(lines.Name)+": "+string(lines.Value))
			}
		}
		if r.upgrade == "" && len(got) > 0 ||
			r.upgrade != "" && (!slices.Equal(got["upgrade"], []string{"Upgrade: " + r.upgrade}) || !slices.Equal(got["connection"], []string{"Connection: Upgrade"})) {
			t.Errorf("upgrade %q: %q", r.upgrade, got)
		}
	})
}

// wellFormed reports whether package wire would let a head with these fields
// pass.
func wellFormed(fields []byte) bool {
	c := wire.NewServerConn(&scripted{then: "GET / HTTP/1.1\r\nHost: a\r\n" + string(fields) + "\r\n"}, wire.Limits{})
	all := make([]byte, 1<<16)
	n, err := c.Read(all)
	return err == nil && c.Refusal() == nil && bytes.HasSuffix(all[:n], []byte("\r\n\r\n")) && len(fields) < 1<<15
}
