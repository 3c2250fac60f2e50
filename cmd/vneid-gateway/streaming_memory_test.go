package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	// slowPeers upload to an upstream that does not read, and as many do not
	// read what they download.
	slowPeers = 24
	// slowBody is the size of each body, in bytes: more than the sockets on its
	// way hold.
	slowBody = 24 << 20
	// slowBuffer is what the sockets of the test hold.
	slowBuffer = 64 << 10
	// slowCeiling is what the gateway may hold in bytes, of 1152 MiB under way.
	slowCeiling = 64 << 20
)

// TestLargeBodiesWaitForTheirSlowerSide stops either kind of body at its far end
// until nothing moves any more, looks at the gateway's memory, and lets them go.
func TestLargeBodiesWaitForTheirSlowerSide(t *testing.T) {
	if testing.Short() {
		t.Skip("moves a gibibyte")
	}
	t.Parallel()
	var pushed, pulled, received atomic.Int64
	goOn := make(chan struct{})
	upstream := handle(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-goOn
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			received.Add(n)
			_, _ = fmt.Fprintf(w, "%d", n)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(slowBody))
		_, _ = io.Copy(counted{w, &pulled}, io.LimitReader(zeros{}, slowBody))
	})
	g := guardedGateway(t, "", faultSite{"s", upstream.URL(), ""})
	resume := sync.OnceFunc(func() { close(goOn) })
	defer resume()
	token := g.token(t)
	idle := residentPeak(t, g.pid)

	var clients sync.WaitGroup
	for range slowPeers {
		up, down := g.dial(t), g.dial(t)
		_ = up.Conn.(*net.TCPConn).SetWriteBuffer(slowBuffer)  //nolint:forcetypeassert // dialled
		_ = down.Conn.(*net.TCPConn).SetReadBuffer(slowBuffer) //nolint:forcetypeassert // dialled
		clients.Go(func() {
			up.send(strings.Replace(string(rawRequest("POST", "s.example", "/", token)), "Content-Length: 0", fmt.Sprintf("Content-Length: %d", slowBody), 1))
			if _, err := io.Copy(counted{up.Conn, &pushed}, io.LimitReader(zeros{}, slowBody)); err != nil {
				t.Errorf("an upload: %v", err)
				return
			}
			response, err := http.ReadResponse(up.in, nil)
			if err != nil {
				t.Errorf("an upload: %v", err)
				return
			}
			said, err := io.ReadAll(response.Body)
			if string(said) != fmt.Sprint(slowBody) || err != nil {
				t.Errorf("an upload: %d %s, %v", response.StatusCode, said, err)
			}
			_ = up.Close()
		})
		clients.Go(func() {
			down.send(string(rawRequest("GET", "s.example", "/", token)))
			<-goOn
			response, err := http.ReadResponse(down.in, nil)
			if err != nil {
				t.Errorf("a download: %v", err)
				return
			}
			if n, err := io.Copy(io.Discard, response.Body); n != slowBody || err != nil {
				t.Errorf("a download: %d, %d bytes, %v", response.StatusCode, n, err)
			}
			_ = down.Close()
		})
	}
	g.awaitTotal(t, 2*slowPeers, "upstream_requests_in_flight")
	var before int64
	still := 0
	eventually(t, "nothing moves", func() bool {
		now := pushed.Load() + pulled.Load()
		if now != before {
			before, still = now, 0
			return false
		}
		still++
		return still == 15
	})
	held := residentPeak(t, g.pid)
	up, down := pushed.Load(), pulled.Load()
	resume()
	clients.Wait()
	const all = slowPeers * slowBody
	t.Logf("%d uploads and %d downloads of %d MiB: %d MiB and %d MiB had left when nothing moved; resident %d MiB before, at most %d MiB while they waited, %d MiB in all (%d allowed)",
		slowPeers, slowPeers, slowBody>>20, up>>20, down>>20, idle>>20, held>>20, residentPeak(t, g.pid)>>20, slowCeiling>>20)
	if up == all || down == all {
		t.Error("a body did not wait for its slower side")
	}
	if residentPeak(t, g.pid) > slowCeiling {
		t.Error("too much memory")
	}
	if received.Load() != all || pulled.Load() != all {
		t.Errorf("%d bytes arrived at the upstream, %d left it; want %d", received.Load(), pulled.Load(), all)
	}
	g.leavesNoTrace(t)
	g.stop(t)
}

// counted counts what is written.
type counted struct {
	io.Writer
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}
