package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// redisServer is a real Redis on loopback, which keeps what it has on disk, and can be
// killed and started again.
type redisServer struct {
	t       testing.TB
	address string
	dir     string
	cmd     *exec.Cmd // nil while it is killed
}

// startRedis skips where there is no Redis, except in continuous integration, which
// installs it.
func startRedis(t testing.TB) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	r := &redisServer{t: t, address: reserve(t), dir: t.TempDir()}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *redisServer) start() {
	r.t.Helper()
	_, port, err := net.SplitHostPort(r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--loglevel", "warning")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, "Redis answers", r.answers)
}

// answers reports whether it is there, and has read what it has on disk.
func (r *redisServer) answers() bool {
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		return false
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "PING\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "+PONG\r\n"
}

// kill ends it as kill -9 does.
func (r *redisServer) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// lose takes away what it has on disk, while it is killed.
func (r *redisServer) lose() {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil || len(entries) == 0 {
		r.t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(r.dir + "/" + e.Name()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// link stands between a node and Redis, and can be cut, or made slow.
type link struct {
	to       string
	listener net.Listener
	copying  sync.WaitGroup
	slow     atomic.Bool

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

func startLink(t testing.TB, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{to: to, listener: listener, conns: make(map[net.Conn]struct{})}
	l.copying.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.setCut(true)
		l.copying.Wait()
	})
	return l
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.to)
		switch {
		case err != nil:
			_ = client.Close()
		case !l.hold(client, server):
			_, _ = client.Close(), server.Close()
		default:
			l.copying.Go(func() { l.copy(client, server) })
			l.copying.Go(func() { l.copy(server, client) })
		}
	}
}

func (l *link) hold(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if !l.cut {
			l.conns[c] = struct{}{}
		}
	}
	return !l.cut
}

// A slow link carries half a megabyte a second in each direction.
const (
	linkChunk = 1 << 10
	linkEvery = 2 * time.Millisecond
)

func (l *link) copy(to, from net.Conn) {
	tick := time.NewTicker(linkEvery)
	defer tick.Stop()
	chunk := make([]byte, linkChunk)
	for {
		n, err := from.Read(chunk)
		if n > 0 && l.slow.Load() {
			<-tick.C
		}
		if _, lost := to.Write(chunk[:n]); err != nil || lost != nil {
			break
		}
	}
	_, _ = to.Close(), from.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, to)
	delete(l.conns, from)
}

// setCut ends the connections that there are and those to come, or lets them be.
func (l *link) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	for c := range l.conns {
		if cut {
			_ = c.Close()
		}
	}
}
