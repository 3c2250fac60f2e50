package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	idleConnections = 10_000
	// idleBytes bounds what one costs: RSS, that is without the kernel's
	// buffers.
	idleBytes = 10 << 10
	// idleFiles are enough for either side.
	idleFiles = idleConnections + 1000
)

// TestTenThousandIdleConnectionsCostAtMostTenKiBEach holds connections open that
// have each carried a request, and looks at the memory of the process once it
// has settled.
func TestTenThousandIdleConnectionsCostAtMostTenKiBEach(t *testing.T) {
	if testing.Short() {
		t.Skip("opens 10,000 connections")
	}
	raiseFileLimit(t, idleFiles)
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	g := serve(t, strings.Replace(ownConfig(issuer.Issuer(), startSite(t).URL(), "limits: { connections_per_source: 0 }\nshutdown: { delay: 0s, deadline: 5s }"),
		`admin: { address: "127.0.0.1:0" }`, `admin: { address: "127.0.0.1:0", pprof: true }`, 1))
	g.awaitReady(t)
	get := rawRequest("GET", testHost, openPages, "")
	// A first round makes everything that is made once.
	for _, c := range openIdle(t, g, 64, get) {
		c.close()
	}
	settled := g.settles(t, func(int) bool { return true })

	conns := openIdle(t, g, idleConnections, get)
	each := func(rss int) int { return (rss - settled) / idleConnections }
	rss := g.settles(t, func(rss int) bool { return each(rss) <= idleBytes })
	t.Logf("%d idle connections: RSS from %d KiB to %d KiB, %d bytes each (%d allowed)",
		idleConnections, settled>>10, rss>>10, each(rss), idleBytes)
	if each(rss) > idleBytes {
		t.Error("too much")
	}
	if open := g.metric(t, "vneid_gateway_connections"); open < idleConnections {
		t.Errorf("only %v are open", open)
	}
	for i := 0; i < len(conns); i += 100 {
		if status, _, err := conns[i].do(get); status != 200 || err != nil {
			t.Fatalf("connection %d has not survived: %d %v", i, status, err)
		}
	}
	for _, c := range conns {
		c.close()
	}
	g.stop(t)
}

// openIdle opens connections, each of which has had one answer.
func openIdle(t *testing.T, g *process, n int, request []byte) []*rawConn {
	t.Helper()
	conns := make([]*rawConn, n)
	const clients = 8
	var group sync.WaitGroup
	for first := range clients {
		group.Go(func() {
			for i := first; i < n; i += clients {
				c, err := dialRaw(g.data)
				if err != nil {
					t.Error(err)
					return
				}
				conns[i] = c
				if status, _, err := c.do(request); status != 200 || err != nil {
					t.Errorf("%d %v", status, err)
					return
				}
			}
		})
	}
	group.Wait()
	t.Cleanup(func() {
		for _, c := range conns {
			if c != nil {
				c.close()
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return conns
}

// settles collects garbage in the process until its RSS is good and no longer
// falls, or until patience ends, and returns it.
func (p *process) settles(t *testing.T, good func(rss int) bool) int {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for last := 0; ; {
		get(t, p.admin+"/debug/pprof/heap?gc=1")
		rss := rssOf(t, p.pid)
		if falls := last-rss > 256<<10; last > 0 && !falls && good(rss) {
			return rss
		}
		last = rss
		select {
		case <-tick.C:
		case <-limit:
			return rss
		}
	}
}

// rssOf returns the bytes of memory that a process has in RAM.
func rssOf(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("RSS is known from /proc only:", err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// raiseFileLimit lets this process, and those that it starts, open n files.
func raiseFileLimit(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < n {
		t.Skipf("at most %d files may be open, and %d are needed", limit.Max, n)
	}
	// Setting it, even to what it is, also passes it on: the runtime gives
	// children the limit that this process began with otherwise.
	limit.Cur = max(limit.Cur, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}
