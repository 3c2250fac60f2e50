package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// load is clients that send one request after the other and forgive nothing.
type load struct {
	t                           testing.TB
	address                     string
	request                     []byte
	clients                     sync.WaitGroup
	stop                        atomic.Bool
	served, failed, connections atomic.Int64
}

func newLoad(t testing.TB, address string, request []byte) *load {
	return &load{t: t, address: address, request: request}
}

// add starts a client that keeps its connection as long as the gateway does, or
// for one request.
func (l *load) add(keeps bool) {
	l.clients.Go(func() {
		var c *rawConn
		defer func() {
			if c != nil {
				c.close()
			}
		}()
		for !l.stop.Load() && l.failed.Load() == 0 {
			if c == nil {
				var err error
				if c, err = dialRaw("http://" + l.address); err != nil {
					l.failed.Add(1)
					l.t.Errorf("no connection: %v", err)
					return
				}
				l.connections.Add(1)
			}
			status, last, err := c.do(l.request)
			if err != nil || status != http.StatusOK {
				l.failed.Add(1)
				l.t.Errorf("a request failed: status %d, %v", status, err)
				return
			}
			l.served.Add(1)
			if last || !keeps {
				c.close()
				c = nil
			}
		}
	})
}

// end stops the clients and says what they saw.
func (l *load) end() string {
	l.stop.Store(true)
	l.clients.Wait()
	if l.served.Load() == 0 {
		l.t.Error("no load")
	}
	return fmt.Sprintf("%d requests on %d connections, %d failed", l.served.Load(), l.connections.Load(), l.failed.Load())
}

func TestFiftyRollingRestartsOnOnePortFailNoRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	const restarts, keeping, dialling = 50, 4, 2
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	token, err := issuer.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	address := reserve(t)
	config := ownConfig(issuer.Issuer(), startSite(t).URL(), "shutdown: { delay: 200ms, deadline: 10s }")
	config = strings.Replace(config, `address: "127.0.0.1:0" }]`, `address: "`+address+`", reuse_port: true }]`, 1)
	launch := func() *process {
		p := serve(t, config)
		p.awaitReady(t)
		return p
	}
	running := [2]*process{launch(), launch()}

	load := newLoad(t, address, rawRequest("GET", testHost, reading, token))
	for i := range keeping + dialling {
		load.add(i < keeping)
	}
	for i := range restarts {
		old := &running[i%2]
		next := launch()
		if err := (*old).signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := (*old).wait(t); err != nil {
			t.Fatalf("restart %d: the old process: %v", i, err)
		}
		*old = next
	}
	t.Logf("%d restarts, %s", restarts, load.end())
	for _, p := range running {
		p.stop(t)
	}
}

// activated starts the gateway as systemd does that holds its socket: LISTEN_PID
// is the gateway's own, so a shell sets it and becomes the gateway.
func activated(t testing.TB, config string, socket *os.File) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" serve --config "$1"`, path, file)
	cmd.ExtraFiles = []*os.File{socket} // file descriptor 3
	p := start(t, cmd, "LISTEN_FDS=1", "LISTEN_FDNAMES=tthc")
	p.file = file
	p.data = "http://" + p.await(t, "serving").Address
	p.admin = "http://" + p.await(t, "admin").Address
	return p
}

func TestRestartsUnderSocketActivationFailNoRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	const restarts, keeping, dialling = 10, 2, 2
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	token, err := issuer.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	config := ownConfig(issuer.Issuer(), startSite(t).URL(), "shutdown: { delay: 200ms, deadline: 10s }")
	config = strings.Replace(config, `listen: [{ address: "127.0.0.1:0" }]`, "listen: [{ socket: tthc }]", 1)

	g := activated(t, config, socket)
	load := newLoad(t, ln.Addr().String(), rawRequest("GET", testHost, reading, token))
	for i := range keeping + dialling {
		load.add(i < keeping)
	}
	for range restarts {
		g.stop(t)
		g = activated(t, config, socket)
	}
	t.Logf("%d restarts, %s", restarts, load.end())
	g.stop(t)
}
