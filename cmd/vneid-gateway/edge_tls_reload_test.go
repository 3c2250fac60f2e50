package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// startHTTPS starts a gateway that serves https with one certificate, and
// returns what a client of it is configured with.
func startHTTPS(t *testing.T, more string) (*edge, *edgePair, *tls.Config) {
	t.Helper()
	ours := newAuthority(t)
	pair := newEdgePair(t, ours, testHost)
	g := startEdge(t, edgeConfig{
		listen: fmt.Sprintf(`[{ address: "127.0.0.1:0", tls: { certificates: [%s] } }]`, pair.yaml()),
		more:   more,
	})
	return g, pair, ours.trusting(testHost)
}

// handshakes is clients that connect one time after the other and forgive
// nothing.
type handshakes struct {
	clients      sync.WaitGroup
	stop         atomic.Bool
	good, failed atomic.Int64
	serial       atomic.Int64 // as seen last
}

func newHandshakes(t *testing.T, g *edge, config *tls.Config, clients int) *handshakes {
	h := &handshakes{}
	for range clients {
		h.clients.Go(func() {
			for !h.stop.Load() {
				conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", g.addresses[0])
				if err != nil {
					h.failed.Add(1)
					t.Errorf("a handshake failed: %v", err)
					return
				}
				_ = conn.SetDeadline(time.Now().Add(patience))
				c := &rawConn{conn: conn, in: bufio.NewReader(conn)}
				status, last, err := c.do([]byte(edgeGet))
				if err != nil || status != 200 || last {
					h.failed.Add(1)
					t.Errorf("a request failed: %d, last %v, %v", status, last, err)
					c.close()
					return
				}
				h.serial.Store(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64())
				c.close()
				h.good.Add(1)
			}
		})
	}
	return h
}

func (h *handshakes) end() string {
	h.stop.Store(true)
	h.clients.Wait()
	return fmt.Sprintf("%d handshakes, %d failed", h.good.Load(), h.failed.Load())
}

func TestCertificatesAreReplacedAtSIGHUPWithoutAFailedHandshake(t *testing.T) {
	t.Parallel()
	const swaps, each, clients = 20, 50, 3 // so many handshakes with each
	g, pair, config := startHTTPS(t, "")
	kept := mustSecure(t, g.addresses[0], config)
	kept.serves()
	h := newHandshakes(t, g, config, clients)
	for i := range int64(swaps) {
		pair.renew(t, i+2)
		if err := g.signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		least := h.good.Load() + each
		g.awaitThat(t, "the new certificate", func() bool {
			return h.failed.Load() > 0 || h.serial.Load() == i+2 && h.good.Load() >= least
		})
	}
	t.Logf("%d certificates, %s", swaps+1, h.end())
	_ = kept.serves().Close() // it outlived them all
	for _, reason := range []string{"protocol", "not_tls", "timeout", "client_certificate", "refused_by_client"} {
		if n := g.sum(t, "vneid_gateway_tls_handshake_failures_total", `reason="`+reason+`"`); n != 0 {
			t.Errorf("%v handshakes failed: %s", n, reason)
		}
	}
	g.finish(t)
}

// TestCertificateFilesArePickedUpByThemselvesAndABrokenPairIsNot waits for the
// gateway to look at the files by itself, twice.
func TestCertificateFilesArePickedUpByThemselvesAndABrokenPairIsNot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	t.Parallel()
	g, pair, config := startHTTPS(t, "reload: { watch: false }")
	h := newHandshakes(t, g, config, 1)
	g.awaitThat(t, "a handshake", func() bool { return h.good.Load() > 0 })
	replace(t, pair.key, []byte("-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n"))
	g.awaitMetric(t, `vneid_gateway_tls_reload_failures_total{listener="`+g.addresses[0]+`"}`, 1)
	g.await(t, "certificate not reloaded; the one before stays")
	if c := mustSecure(t, g.addresses[0], config); c.serial() != 1 {
		t.Errorf("the broken pair is served: serial number %d", c.serial())
	} else {
		_ = c.serves().Close()
	}
	// A reload that is asked for says where.
	if err := g.signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.awaitMetric(t, `vneid_gateway_config_reloads_total{outcome="refused"}`, 1)
	g.awaitThat(t, "where, in the log", func() bool { return strings.Contains(g.output(), "listen[0].tls.certificates[0]") })
	if strings.Contains(g.output(), "bm8=") {
		t.Error("the log quotes a key")
	}
	pair.renew(t, 2)
	g.await(t, "certificates reloaded")
	g.awaitThat(t, "the new certificate", func() bool { return h.serial.Load() == 2 || h.failed.Load() > 0 })
	t.Logf("a broken pair and a good one, %s", h.end())
	g.finish(t)
}

func TestSessionsAreResumedAlsoAfterAReload(t *testing.T) {
	t.Parallel()
	g, pair, config := startHTTPS(t, "")
	for i, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := tls.VersionName(version)
		config := config.Clone()
		config.MinVersion, config.MaxVersion = version, version
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		resumes := func(want bool, when string) {
			t.Helper()
			c := mustSecure(t, g.addresses[0], config)
			c.serves() // TLS 1.3 sends its tickets ahead of the first answer
			if got := c.tls.ConnectionState().DidResume; got != want {
				t.Errorf("%s, %s: resumed %v", name, when, got)
			}
			_ = c.Close()
		}
		resumes(false, "at first")
		resumes(true, "again")
		pair.renew(t, int64(i+2))
		if err := g.signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		g.awaitMetric(t, reloadsApplied, float64(i+1))
		g.awaitThat(t, "the new certificate", func() bool {
			fresh := config.Clone()
			fresh.ClientSessionCache = nil
			c := mustSecure(t, g.addresses[0], fresh)
			defer c.Close()
			return c.serial() == int64(i+2)
		})
		resumes(true, "after a reload")
	}
	g.finish(t)
}
