package main

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// shedConns is more connections than verifications fit into what a new token
// waits for at most while it is busy.
const shedConns = 192

// shedCitizens is how many requests with a known token are to pass meanwhile.
const shedCitizens = 50

// TestNewTokensAreShedAndWarmOnesGoOn asks with new tokens on many connections
// at once, until some are refused. Nobody who was logged in is, and new logins
// work again when the storm is over.
func TestNewTokensAreShedAndWarmOnesGoOn(t *testing.T) {
	t.Parallel()
	key, err := corpus.NewKey("ES256", "k1") // cheap to sign and dear to verify
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	// A short line, so that clients which are slow themselves can fill it.
	g := serve(t, ownConfig(issuer.Issuer(), startSite(t).URL(),
		"log: { access: { off: true } }\noverload: { verification_queue: 1, verification_wait: 1ms }"), "GOMAXPROCS=1")
	g.awaitReady(t)
	token := func() string {
		token, err := issuer.Token(backend.Citizen2, "")
		if err != nil {
			t.Error(err)
		}
		return token
	}
	known := token()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for g.metric(t, `vneid_gateway_verdict_cache_lookups_total{result="hit"}`) == 0 {
		g.ask(t, known).echo(t)
		<-tick.C
	}

	var served, refused, citizens atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	clients.Go(func() {
		c, err := dialRaw(g.data)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		warm := rawRequest("GET", testHost, reading, known)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if status, _, err := c.do(warm); err != nil || status != http.StatusOK {
				t.Errorf("a token that is known: %d %v", status, err)
				return
			}
			citizens.Add(1)
		}
	})
	for range shedConns {
		clients.Go(func() {
			c, err := dialRaw(g.data)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch status, last, err := c.do(rawRequest("GET", testHost, reading, token())); {
				case err != nil || last:
					t.Errorf("a new token: closed, %v", err)
					return
				case status == http.StatusOK:
					served.Add(1)
				case status == http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("a new token: %d", status)
					return
				}
			}
		})
	}
	end := time.After(patience)
	for waiting := true; waiting && (refused.Load() < shedConns || citizens.Load() < shedCitizens); {
		select {
		case <-end:
			t.Error("too few were refused, or too few with a known token served")
			waiting = false
		case <-tick.C:
		}
	}
	close(stop)
	clients.Wait()
	g.ask(t, token()).echo(t)
	t.Logf("%d new tokens served, %d refused; %d requests with a known one", served.Load(), refused.Load(), citizens.Load())
}
