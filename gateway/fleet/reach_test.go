package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPasswordIsReadAnewAndNeverTold(t *testing.T) {
	t.Parallel()
	const password = "hunter2-hunter2"
	server := startRedis(t)
	server.do("ACL", "SETUSER", "gateway", "on", ">"+password, "~"+DefaultPrefix+"*",
		"+@read", "+@write", "+@scripting", "+@connection", "+info", "+time") // As the package's documentation says.
	file := writeFile(t, filepath.Join(t.TempDir(), "password"), "wrong-"+password+"\n")
	n := startNode(t, server.addr, func(c *Config) { c.Redis.Username, c.Redis.PasswordFile = "gateway", file })
	eventually(t, "refused", func() bool { return n.Stats().Fault == ReasonAuth })
	if err := n.accept(jti(1)); !errors.Is(err, ErrAway) || strings.Contains(err.Error(), password) {
		t.Errorf("error = %v", err)
	}
	writeFile(t, file, password+"\n")
	n.insist(jti(1))
	caughtUp(t, n)
}

func TestErrorsRepeatNothingThatWasSent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'u' 'hunter2'": "fleet: Redis refused: ERR",
		"WRONGPASS invalid username-password pair":                                        "fleet: Redis refused: WRONGPASS",
		"hunter2 is no code": "fleet: Redis refused: ERR",
		"":                   "fleet: Redis refused: ERR",
	} {
		if got := classify(told(text)).Error(); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
}

// told is an error that Redis told.
type told string

func (e told) Error() string { return string(e) }
func (told) RedisError()     {}

func TestASocketIsReached(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "redis") // A socket's path must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	startRedis(t, "--unixsocket", path)
	n := startNode(t, "", func(c *Config) { c.Redis.Addresses, c.Redis.Socket, c.Redis.Database = nil, path, 3 })
	n.insist(jti(1))
	caughtUp(t, n)
}

// certificates makes an authority, and a certificate for 127.0.0.1 that it signed.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = writeFile(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	key = writeFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	return cert, cert, key
}

func TestTLSChecksBothSides(t *testing.T) {
	t.Parallel()
	ca, cert, key := certificates(t)
	other, _, _ := certificates(t)
	port := strconv.Itoa(freePort(t))
	startRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca)
	at := func(change func(*Redis)) *node {
		return startNode(t, "127.0.0.1:"+port, func(c *Config) {
			c.Redis.TLS, c.Redis.CAFile, c.Redis.CertFile, c.Redis.KeyFile = true, ca, cert, key
			change(&c.Redis)
		})
	}
	good := at(func(*Redis) {})
	good.insist(jti(1))
	caughtUp(t, good)
	for name, c := range map[string]struct {
		change func(*Redis)
		want   Reason
	}{
		"unknown authority": {func(r *Redis) { r.CAFile = other }, ReasonTLS},
		"another name":      {func(r *Redis) { r.ServerName = "redis.example" }, ReasonTLS},
		"no certificate":    {func(r *Redis) { r.CertFile, r.KeyFile = "", "" }, ReasonTLS},
		"no such file":      {func(r *Redis) { r.CAFile += "x" }, ReasonAuth},
		"no PEM":            {func(r *Redis) { r.CAFile = key }, ReasonAuth},
	} {
		n := at(c.change)
		eventually(t, name, func() bool { return n.Stats().Fault != ReasonNone })
		// The alert that a certificate is due may be lost with the connection.
		if got := n.Stats().Fault; got != c.want && (name != "no certificate" || got != ReasonConnect) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAReplicaAndARedisThatEvictsAreRefused(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	host, port, _ := net.SplitHostPort(server.addr)
	replica := startRedis(t, "--replicaof", host+" "+port)
	n := startNode(t, replica.addr, nil)
	eventually(t, "refused", func() bool { return n.Stats().Fault == ReasonReplica })
	server.do("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
	n = startNode(t, server.addr, nil)
	eventually(t, "refused", func() bool { return n.Stats().Fault == ReasonEvicts })
	server.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	n.insist(jti(1))
	server.do("CONFIG", "SET", "maxmemory", "1")
	wantError(t, n.accept(jti(2)), ErrAway)
	// A node that is not caught up writes by itself, too.
	if st := n.Stats(); st.Errors[ReasonMemory] == 0 || !st.Connected {
		t.Errorf("a Redis that is full: %+v", st)
	}
	local := startNode(t, server.addr, func(c *Config) { c.WhenAway = Local })
	eventually(t, "deferred", func() bool { return local.accept(jti(3)) == nil && local.Stats().Errors[ReasonMemory] > 2 })
	if st := local.Stats(); st.Sessions != 1 || !st.Connected || st.OutboxRecords == 0 {
		t.Errorf("following was given up: %+v", st)
	}
	server.do("CONFIG", "SET", "maxmemory", "0")
	n.holds(3, 4)
	caughtUp(t, local)
}

func TestSentinelsLeadToTheNewPrimary(t *testing.T) {
	t.Parallel()
	primary := startRedis(t)
	host, port, _ := net.SplitHostPort(primary.addr)
	replica := startRedis(t, "--replicaof", host+" "+port)
	sentinelPort := strconv.Itoa(freePort(t))
	file := writeFile(t, filepath.Join(t.TempDir(), "sentinel.conf"), fmt.Sprintf(
		"bind 127.0.0.1\nport %s\nsentinel monitor fleet %s %s 1\nsentinel down-after-milliseconds fleet 300\n"+
			"sentinel failover-timeout fleet 2000\n", sentinelPort, host, port))
	sentinel := &redisServer{tb: t, addr: "127.0.0.1:" + sentinelPort, args: []string{file, "--sentinel"}}
	sentinel.start()
	t.Cleanup(sentinel.kill)
	c := sentinel.client()
	defer func() { _ = c.Close() }()
	eventually(t, "sentinel knows the replica", func() bool {
		list, _ := c.Do(t.Context(), "SENTINEL", "REPLICAS", "fleet").Slice()
		return len(list) == 1
	})
	nodes := three(t, sentinel.addr, func(c *Config) { c.Redis.Master = "fleet" })
	nodes[0].mustAccept(nodes[0].batch(0, 1000)...)
	nodes[1].holds(0, 1000)
	primary.kill()
	nodes[1].insist(jti(1000))
	for _, n := range nodes {
		n.holds(0, 1001)
	}
	caughtUp(t, nodes[:]...)
	r := redis.NewClient(&redis.Options{Addr: replica.addr, Protocol: 2})
	defer func() { _ = r.Close() }()
	late := startNode(t, sentinel.addr, func(c *Config) { c.Redis.Master = "fleet" })
	caughtUp(t, late)
	if m := late.missing(0, 1001); m != 0 {
		t.Errorf("%d are missing after the failover", m)
	}
	if n := r.ZCard(t.Context(), DefaultPrefix+"until").Val(); n != 1002 {
		t.Errorf("%d members on the new primary", n)
	}
}
