package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuer = "https://sso.example.vn/realms/citizen"

var fleetSecret = revocation.NewSecret()

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	if !within(patience, is) {
		tb.Fatalf("never: %s", what)
	}
}

func within(d time.Duration, is func() bool) bool {
	end := time.NewTimer(d)
	defer end.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-end.C:
			return is()
		case <-again.C:
		}
	}
	return true
}

// redisServer is a real Redis on loopback that can be killed and started again.
type redisServer struct {
	tb   testing.TB
	addr string
	args []string
	cmd  *exec.Cmd
}

func findRedis(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("redis-server is missing")
		}
		tb.Skip("redis-server is missing")
	}
	return path
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startRedis starts a Redis that keeps nothing on disk, unless args say otherwise.
func startRedis(tb testing.TB, args ...string) *redisServer {
	tb.Helper()
	port := freePort(tb)
	r := &redisServer{tb: tb, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	r.args = append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", tb.TempDir(),
		"--save", "", "--loglevel", "warning",
	}, args...)
	r.start()
	tb.Cleanup(r.kill)
	return r
}

func (r *redisServer) start() {
	r.tb.Helper()
	r.cmd = exec.Command(findRedis(r.tb), r.args...)
	if err := r.cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	c := r.client()
	defer func() { _ = c.Close() }()
	eventually(r.tb, "redis answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

// kill ends it as kill -9 does.
func (r *redisServer) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

func (r *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.addr, Protocol: 2, DisableIdentity: true})
}

// do runs a command, of which nothing but success is expected.
func (r *redisServer) do(args ...any) any {
	r.tb.Helper()
	c := r.client()
	defer func() { _ = c.Close() }()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil {
		r.tb.Fatalf("%v: %v", args[0], err)
	}
	return v
}

// node is a gateway, as far as a fleet can tell.
type node struct {
	*Fleet
	tb      testing.TB
	cfg     Config
	journal *journal.Journal
	dir     string
	stop    func()
}

// newNode is a node that is not started. Change may be nil.
func newNode(tb testing.TB, addr string, change func(*Config)) *node {
	tb.Helper()
	n := &node{tb: tb, dir: tb.TempDir()}
	n.cfg = Config{
		Redis: Redis{Addresses: []string{addr}, Timeout: 5 * time.Second},
		Dir:   filepath.Join(n.dir, "fleet"), SecretID: fleetSecret.ID(), Settle: 300 * time.Millisecond,
		Apply:   func(records []revocation.Record) error { return n.journal.AddRecords(records) },
		Records: n.records,
	}
	if change != nil {
		change(&n.cfg)
	}
	return n
}

func (n *node) records() iter.Seq[revocation.Record] { return n.journal.Store().Records() }

func (n *node) start() *node {
	n.tb.Helper()
	var err error
	n.journal, _, err = journal.Open(journal.Config{
		Dir: filepath.Join(n.dir, "journal"), Secret: fleetSecret, Store: revocation.Config{MaxEntries: 1_000_000},
	})
	if err != nil {
		n.tb.Fatal(err)
	}
	if n.Fleet, err = New(n.cfg); err != nil {
		n.tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			n.tb.Errorf("Run: %v", err)
		}
		n.Close()
		if err := n.journal.Close(); err != nil {
			n.tb.Error(err)
		}
	})
	n.tb.Cleanup(n.stop)
	return n
}

func startNode(tb testing.TB, addr string, change func(*Config)) *node {
	tb.Helper()
	return newNode(tb, addr, change).start()
}

func caughtUp(tb testing.TB, nodes ...*node) {
	tb.Helper()
	for i, n := range nodes {
		eventually(tb, fmt.Sprintf("node %d caught up", i), n.CaughtUp)
	}
}

func jti(i int) revocation.Entry {
	return revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, ID: fmt.Sprint("jti-", i), Until: time.Now().Add(time.Hour)}
}

// accept does what a gateway does with a revocation.
func (n *node) accept(entries ...revocation.Entry) error {
	records := make([]revocation.Record, len(entries))
	for i := range entries {
		var err error
		if records[i], err = n.journal.Store().Record(entries[i]); err != nil {
			return err
		}
	}
	if err := n.journal.AddRecords(records); err != nil {
		return err
	}
	return n.Append(context.Background(), records)
}

func (n *node) mustAccept(entries ...revocation.Entry) {
	n.tb.Helper()
	if err := n.accept(entries...); err != nil {
		n.tb.Fatal(err)
	}
}

// insist offers an entry until it is accepted, as senders do.
func (n *node) insist(e revocation.Entry) {
	n.tb.Helper()
	eventually(n.tb, "accepted", func() bool { return n.accept(e) == nil })
}

func (n *node) revoked(i int) bool {
	return n.journal.Store().Revoked(&token.Claims{Issuer: issuer, TokenID: fmt.Sprint("jti-", i)}, nil)
}

// missing counts which of the entries from to to are not in force.
func (n *node) missing(from, to int) (m int) {
	for i := from; i < to; i++ {
		if !n.revoked(i) {
			m++
		}
	}
	return m
}

func (n *node) holds(from, to int) {
	n.tb.Helper()
	eventually(n.tb, fmt.Sprintf("%d to %d in force", from, to), func() bool { return n.missing(from, to) == 0 })
}

// proxy stands between a node and Redis, and can cut them off from one another.
type proxy struct {
	to       string
	listener net.Listener
	mu       sync.Mutex
	cut      bool
	conns    map[net.Conn]struct{}
	copying  sync.WaitGroup
}

func startProxy(tb testing.TB, to string) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{to: to, listener: l, conns: make(map[net.Conn]struct{})}
	p.copying.Go(p.accept)
	tb.Cleanup(func() {
		l.Close()
		p.setCut(true)
		p.copying.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil || !p.hold(client, server) {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		p.copying.Go(func() { p.copy(client, server) })
		p.copying.Go(func() { p.copy(server, client) })
	}
}

func (p *proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if !p.cut {
			p.conns[c] = struct{}{}
		}
	}
	return !p.cut
}

func (p *proxy) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, to)
	delete(p.conns, from)
}

// setCut cuts the connections that there are, and those to come, or lets them be.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			c.Close()
		}
	}
}

func (n *node) batch(from, to int) (entries []revocation.Entry) {
	for i := from; i < to; i++ {
		entries = append(entries, jti(i))
	}
	return entries
}

// pause stops the process, as a machine that hangs does.
func (r *redisServer) pause() { _ = r.cmd.Process.Signal(unix.SIGSTOP) }

func (r *redisServer) resume() {
	if r.cmd != nil {
		_ = r.cmd.Process.Signal(unix.SIGCONT)
	}
}

func wantError(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("error = %v, want %v", err, want)
	}
}
