package main

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// rewrite replaces the configuration file, whole or not at all.
func (p *process) rewrite(t testing.TB, config string) {
	t.Helper()
	next := p.file + ".next"
	if err := os.WriteFile(next, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, p.file); err != nil {
		t.Fatal(err)
	}
}

// config returns the configuration file.
func (p *process) config(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const reloadsApplied = `vneid_gateway_config_reloads_total{outcome="applied"}`

// awaitMetric returns when a series has reached a value.
func (p *process) awaitMetric(t testing.TB, series string, least float64) {
	t.Helper()
	p.awaitThat(t, series, func() bool { return p.metric(t, series) >= least })
}

func (p *process) awaitThat(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-p.ended:
			t.Fatalf("it ended: %v", p.err)
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestTwoHundredReloadsUnderLoadFailNoRequestAndLeakNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	t.Parallel()
	const reloads, pace, clients = 200, 100 * time.Millisecond, 4
	g, token := readyGateway(t, "ES256", "reload: { watch: false }\nlimits: { requests_per_connection: 0 }\nshutdown: { delay: 0s, deadline: 5s }")
	plain := g.config(t)
	versions := []string{
		strings.Replace(plain, "/tra-cuu/**", "/tra-cuu/nhanh/**", 1),
		strings.Replace(plain, "refresh: 1s", "refresh: 2s", 1),
		strings.Replace(plain, "    issuers: [vneid]", "    issuers: [vneid]\n    max_upstream_connections: 9", 1),
		plain,
	}
	for i, v := range versions[:3] {
		if v == plain {
			t.Fatalf("version %d is no other", i)
		}
	}
	request := rawRequest("GET", testHost, reading, token)
	var stop atomic.Bool
	var served, failed atomic.Int64
	var load sync.WaitGroup
	for range clients {
		c, err := dialRaw(g.data)
		if err != nil {
			t.Fatal(err)
		}
		load.Go(func() {
			defer c.close()
			for !stop.Load() {
				status, last, err := c.do(request)
				if err != nil || status != http.StatusOK || last {
					failed.Add(1)
					t.Errorf("a request failed: status %d, last %v, %v", status, last, err)
					return
				}
				served.Add(1)
			}
		})
	}
	g.awaitThat(t, "load", func() bool { return served.Load() > 1000 })
	goroutines, files := g.metric(t, "go_goroutines"), g.metric(t, "process_open_fds")
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range reloads {
		g.rewrite(t, versions[i%len(versions)])
		if err := g.signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		g.awaitMetric(t, reloadsApplied, float64(i+1))
		<-tick.C
	}
	stop.Store(true)
	load.Wait()
	if n := g.metric(t, `vneid_gateway_config_reloads_total{outcome="refused"}`); n != 0 {
		t.Errorf("%v reloads refused", n)
	}
	// What may differ: a scrape's connection, and connections to the upstream.
	const slack = clients + 8
	g.awaitThat(t, "no goroutine and no file left over", func() bool {
		return g.metric(t, "go_goroutines") <= goroutines+slack && g.metric(t, "process_open_fds") <= files+slack
	})
	t.Logf("%d reloads, %d requests, %d failed; goroutines %v before, %v after; files %v before, %v after", reloads, served.Load(), failed.Load(),
		goroutines, g.metric(t, "go_goroutines"), files, g.metric(t, "process_open_fds"))
	g.stop(t)
}

func TestARefusedReloadKeepsTheOldConfigurationAndSaysWhere(t *testing.T) {
	t.Parallel()
	g, token := readyGateway(t, "ES256", "reload: { watch: false }\nshutdown: { delay: 0s, deadline: 5s }")
	good := g.config(t)
	for i, test := range []struct{ name, config, said string }{
		{"a typing error", strings.Replace(good, "upstreams:", "upstrems:", 1), "did you mean upstreams?"},
		{"what needs a restart", good + "\nlimits: { connections: 9 }", "limits.connections: cannot change while the gateway runs; restart it"},
		{"another listener", strings.Replace(good, `listen: [{ address: "127.0.0.1:0" }]`, `listen: [{ address: "127.0.0.1:1" }]`, 1), "listen: cannot change"},
	} {
		g.rewrite(t, test.config)
		if err := g.signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		g.awaitMetric(t, `vneid_gateway_config_reloads_total{outcome="refused"}`, float64(i+1))
		g.awaitThat(t, test.name+" in the log", func() bool { return strings.Contains(g.output(), test.said) })
		if n := g.metric(t, "vneid_gateway_config_last_reload_successful"); n != 0 {
			t.Errorf("%s: successful %v", test.name, n)
		}
		send(t, g.data, request{host: testHost, path: reading, token: token}).echo(t)
	}
	g.awaitStatus(t, http.StatusOK)
	g.rewrite(t, good)
	if err := g.signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	g.awaitMetric(t, reloadsApplied, 1)
	if n := g.metric(t, "vneid_gateway_config_last_reload_successful"); n != 1 {
		t.Errorf("successful %v", n)
	}
	g.stop(t)
}

func TestAChangedFileIsReloadedByItself(t *testing.T) {
	t.Parallel()
	g, _ := readyGateway(t, "ES256", "shutdown: { delay: 0s, deadline: 5s }")
	send(t, g.data, request{host: testHost, path: "/moi"}).refusedWith(t, http.StatusUnauthorized, "credential_missing")
	g.rewrite(t, strings.Replace(g.config(t), "/tra-cuu/**", "/moi", 1))
	g.awaitMetric(t, reloadsApplied, 1)
	send(t, g.data, request{host: testHost, path: "/moi"}).echo(t)
	g.stop(t)
}
