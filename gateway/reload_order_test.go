package gateway

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// slowRig is a rig whose upstream answers /open/slow when it is let go.
func slowRig(t *testing.T, s setup) (r *rig, release func()) {
	t.Helper()
	gate := make(chan struct{})
	s.answer = func(q origin.Request) origin.Answer {
		if strings.Contains(string(q.Head), "/open/slow") {
			<-gate
		}
		return origin.OK()
	}
	r = newRig(t, s)
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	return r, release
}

func TestThePredecessorOfAnIssuerChangesNothingAnyMore(t *testing.T) {
	t.Parallel()
	r, release := slowRig(t, setup{issuer: "algorithms: [RS256]"})
	slow := r.dial().send(request("GET", "/open/slow"))
	if _, err := r.upstream.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	was := r.state.Load().issuers[0]
	r.reload(setup{issuer: "algorithms: [RS256, ES256]"})
	r.refresh()
	keys := r.state.Load().issuers[0].keys
	before := keys.Snapshot().Len()
	if err := was.refresher.Refresh(context.Background()); !errors.Is(err, identity.ErrRetired) {
		t.Errorf("it fetched: %v", err)
	}
	if n := keys.Snapshot().Len(); n != before || n != 2 {
		t.Errorf("%d keys, %d before", n, before)
	}
	release()
	slow.answer("GET")
}

func TestAnIssuerThatStaysKeepsItsKeysFreshBesideANewOneOfTheSameSource(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	stays := r.state.Load().issuers[0]
	r.reload(setup{issuer: `
  - name: twin
    issuer: https://twin.example
    jwks: { url: ISSUER/jwks }
    audience: { any_of: [tthc] }`})
	st := r.state.Load()
	twin := st.named("twin")
	if st.named("vneid") != stays || twin == nil || twin.was != nil {
		t.Fatalf("another vneid, or no twin: %+v", twin)
	}
	for _, i := range []*issuer{stays, twin} {
		if err := i.refresher.Refresh(t.Context()); err != nil {
			t.Errorf("%s: %v", i.name, err)
		}
	}
}

func TestAPurgeDuringAReloadHoldsBehindIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	next := r.config(setup{})
	next.Issuers[0].JWKS.URL += "?moved" // new keys, which must be fetched
	next.Issuers[1].JWKS.URL += "?moved"
	r.next = next
	slow, fetched := make(chan struct{}), make(chan struct{})
	begun := sync.OnceFunc(func() { close(fetched) })
	r.legacy.SetFault(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		begun()
		<-slow
		next.ServeHTTP(w, q)
	})
	reloaded := make(chan error, 1)
	go func() { reloaded <- r.Reload("test") }()
	<-fetched
	if n, _ := (keyAdmin{r.Gateway}).Purge("vneid", "es-1"); n != 1 {
		t.Errorf("%d keys purged", n)
	}
	close(slow)
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	if a := r.get("/private", bearer(tok)); a.status != 401 {
		t.Errorf("%d %s", a.status, a.code)
	}
	if n := len(r.state.Load().issuers[0].keys.Purged()); n != 1 {
		t.Errorf("%d purges remembered", n)
	}
}

func TestAPurgeHoldsForAnIssuerByAnotherName(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	if n, _ := (keyAdmin{r.Gateway}).Purge("vneid", "es-1"); n != 1 {
		t.Fatal("not purged")
	}
	next := r.config(setup{})
	next.Issuers[0].Name = "vneid-renamed"
	next.Sites[0].Issuers = []string{"vneid-renamed"}
	r.next = next
	if err := r.Reload("test"); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/private", bearer(tok)); a.status != 401 {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestARefusedReloadStoresNoKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	top := "state_dir: " + dir
	r := newRig(t, setup{top: top})
	stored := func() string {
		var all strings.Builder
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(name)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all.String()
	}
	r.eventually("stored", func() bool {
		return strings.Contains(stored(), "es-1") && strings.Contains(stored(), "spare")
	})
	other, err := corpus.NewKey("ES256", "other")
	if err != nil {
		t.Fatal(err)
	}
	stranger := startBackend(t, backend.Config{Keys: []*corpus.Key{other}})
	next := r.config(setup{top: top})
	next.Issuers[0].JWKS.URL = stranger.Issuer() + backend.KeySetPath
	next.Issuers[1].JWKS.URL += "?gone"
	r.next = next
	r.legacy.SetFault(backend.Status(500))
	if err := r.Reload("test"); err == nil {
		t.Fatal("not refused")
	}
	if after := stored(); !strings.Contains(after, "es-1") || strings.Contains(after, "other") {
		t.Error("keys of a configuration that was refused were stored")
	}
	r.legacy.SetFault(nil)
	if err := r.Reload("test"); err != nil {
		t.Fatal(err)
	}
	if after := stored(); !strings.Contains(after, "other") {
		t.Error("keys of the configuration in force were not stored")
	}
}

func TestTwoReloadsInARowKeepWhatTheFirstStateUses(t *testing.T) {
	t.Parallel()
	r, release := slowRig(t, setup{})
	slow := r.dial().send(request("GET", "/open/slow"))
	if _, err := r.upstream.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	first := r.state.Load()
	r.reload(setup{site: "issuers: [vneid]\n    rules: [{ paths: [/open/**], access: public }]"})
	r.reload(setup{issuer: "max_lifetime: 10h"})
	// What the second reload left behind is the first state's, too.
	for end := time.Now().Add(10 * waitTick); time.Now().Before(end); time.Sleep(waitTick) {
		if first.issuers[0].ctx.Err() != nil {
			t.Fatal("closed while a request of the first state runs")
		}
	}
	release()
	slow.answer("GET")
	r.eventually("closed", func() bool { return first.issuers[0].ctx.Err() != nil && r.retired.Load() == 0 })
}

func TestASiteThatComesBackKeepsItsSeries(t *testing.T) {
	t.Parallel()
	more := `
  - { name: hue, hosts: [hue.example], issuers: [vneid], upstreams: ["UPSTREAM-LIVE"], rules: [{ paths: [/open/**], access: public }] }`
	r, release := slowRig(t, setup{sites: more})
	slow := r.dial().send(request("GET", "/open/slow"))
	if _, err := r.upstream.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	r.reload(setup{})
	r.reload(setup{sites: more})
	release()
	slow.answer("GET")
	r.eventually("retired", func() bool { return r.retired.Load() == 0 })
	const n = 3
	for range n {
		r.dial().send("GET /open/x HTTP/1.1\r\nHost: hue.example\r\n\r\n").answer("GET")
	}
	r.wantMetric(n, "requests_total", "site=hue", "outcome=allowed")
}

func TestAFileThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "gateway.yaml")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a")
	w := watcher{applied: stamps([]string{name})}
	now := time.Now()
	write("ab")
	seen := stamps([]string{name})
	w.settled(now, seen)
	if !w.settled(now.Add(settleTime), seen) {
		t.Fatal("not settled")
	}
	write("abc") // while a reload reads the version before
	w.follow([]string{name}, seen, []string{name, name + ".key"})
	after := stamps([]string{name, name + ".key"})
	w.settled(now, after)
	if !w.settled(now.Add(settleTime), after) {
		t.Error("the last version is never read")
	}
}

func TestExpectGoesAroundNoRate(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: strings.TrimSpace(defaultSite) + "\n    rate_limits: { source: { per_second: 1, burst: 2 } }"})
	bad := r.signed(testKeys()["PS256"])
	asking := strings.Replace(request("POST", "/private", bearer(bad)), "\r\n\r\n", "\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", 1)
	let, began := 0, time.Now()
	for range 8 {
		if a := r.dial().send(asking).answer("POST"); a.status == 401 {
			let++
		} else if a.status != 429 {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	if let > within(2, began) {
		t.Errorf("%d of 8 let through", let)
	}
	if n := r.shedder.Stats().InFlight; n != 0 {
		t.Errorf("%d requests are still counted as in flight", n)
	}
}
