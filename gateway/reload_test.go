package gateway

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestReloadChangesTheRulesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	conn := r.dial()
	if a := conn.send(request("GET", "/private")).answer("GET"); a.status != 401 {
		t.Fatalf("before: %d %s", a.status, a.code)
	}
	r.reload(setup{site: "issuers: [vneid]\n    rules: [{ paths: [/private], access: public }]"})
	if a := conn.send(request("GET", "/private")).answer("GET"); a.status != 200 {
		t.Errorf("after: %d %s", a.status, a.code)
	}
	if n := r.metric("config_reloads_total", "outcome=applied"); n != 1 {
		t.Errorf("%v reloads counted", n)
	}
}

func TestAReloadThatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		next func(r *rig)
		want string
	}{
		{"an invalid file", func(r *rig) { r.next = nil }, "test.yaml:1:9: listen"},
		{"what needs a restart", func(r *rig) {
			r.next = r.config(setup{top: "limits: { connections: 7 }"})
		}, "limits.connections: cannot change while the gateway runs"},
		{"an issuer that does not answer", func(r *rig) {
			gone := startBackend(r.tb, backend.Config{Keys: []*corpus.Key{testKeys()["ES256"]}})
			gone.SetFault(backend.Status(500))
			r.legacy = gone
			r.next = r.config(setup{})
		}, "issuer legacy: its keys could not be fetched"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{})
			tok := r.token()
			before := r.state.Load()
			test.next(r)
			err := r.Reload("test")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if r.state.Load() != before {
				t.Error("another state is in force")
			}
			if a := r.get("/private", bearer(tok)); a.status != 200 {
				t.Errorf("%d %s", a.status, a.code)
			}
			if !strings.Contains(r.log.String(), test.want) {
				t.Errorf("the log does not say why:\n%s", r.log)
			}
			if good, bad := r.metric("config_last_reload_successful"), r.metric("config_reloads_total", "outcome=refused"); good != 0 || bad != 1 {
				t.Errorf("last successful %v, refused %v", good, bad)
			}
			if missing := r.Missing(); len(missing) > 0 {
				t.Errorf("not ready: %q", missing)
			}
		})
	}
}

func TestAReloadKeepsKeysVerdictsAndConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	r.warm(tok)
	fetches := r.metric("keyset_fetches_total", "issuer=vneid")
	for range 3 {
		r.reload(setup{site: "issuers: [vneid]"})
		r.reload(setup{})
	}
	hits := r.metric("verdict_cache_lookups_total", "result=hit")
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.code)
	}
	if n := r.metric("verdict_cache_lookups_total", "result=hit"); n != hits+1 {
		t.Error("the verdict was not kept")
	}
	if n := r.metric("keyset_fetches_total", "issuer=vneid"); n != fetches {
		t.Errorf("%v fetches more for an issuer that did not change", n-fetches)
	}
	if n := r.metric("upstream_connections", "site=hanoi"); n != 1 {
		t.Errorf("%v connections to the upstream", n)
	}
}

func TestAChangedIssuerKeepsItsKeysAndLosesItsVerdicts(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	r.warm(tok)
	r.backend.SetFault(backend.Status(500)) // nobody can be asked
	r.reload(setup{issuer: "max_lifetime: 10h"})
	hits := r.metric("verdict_cache_lookups_total", "result=hit")
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	if n := r.metric("verifications_total", "issuer=vneid", "reason=none"); n < 2 {
		t.Errorf("%v verifications, %v hits: a verdict under the old claims was believed", n, hits)
	}
}

func TestAPurgedKeyStaysPurgedOverAReload(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.signed(testKeys()["ES256"])
	if n, _ := (keyAdmin{r.Gateway}).Purge("vneid", "es-1"); n != 1 {
		t.Fatal("not purged")
	}
	r.reload(setup{issuer: "max_lifetime: 10h"})
	r.reload(setup{keySet: "refresh_min: 2m"})
	r.refresh()
	if a := r.get("/private", bearer(tok)); a.status != 401 {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestASiteThatIsGoneTakesItsSeriesWithIt(t *testing.T) {
	t.Parallel()
	more := `
  - { name: hue, hosts: [hue.example], issuers: [vneid], upstreams: ["UPSTREAM-LIVE"] }`
	r := newRig(t, setup{sites: more})
	if r.metric("upstream_connections_limit", "site=hue") == 0 {
		t.Fatal("no series of the site")
	}
	r.reload(setup{})
	r.eventually("no series of the site", func() bool {
		families, err := r.metrics.Gatherer().Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.Metric {
				for _, label := range m.Label {
					if label.GetName() == "site" && label.GetValue() == "hue" {
						return false
					}
				}
			}
		}
		return true
	})
}

func TestManyReloadsUnderLoadFailNoRequestAndLeakNothing(t *testing.T) {
	r := newRig(t, setup{})
	tok := r.token()
	var stop atomic.Bool
	var sent, failed atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			conn := r.dial()
			for !stop.Load() {
				a := conn.send(request("GET", "/private", bearer(tok))).answer("GET")
				sent.Add(1)
				if a.status != 200 {
					failed.Add(1)
				}
			}
		})
	}
	setups := []setup{
		{site: strings.Replace(defaultSite, "/level2/", "/level3/", 1)},
		{issuer: "max_lifetime: 10h"},
		{site: defaultSite + "\n    max_upstream_connections: 7"},
		{},
	}
	goroutines := runtime.NumGoroutine()
	const reloads = 200
	for i := range reloads {
		r.reload(setups[i%len(setups)])
	}
	stop.Store(true)
	clients.Wait()
	if failed.Load() > 0 || sent.Load() == 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), sent.Load())
	}
	r.eventually("old states are gone", func() bool { return r.retired.Load() == 0 })
	// Connections that fell silent have a goroutine each for a while.
	const slack = 12
	r.eventually("no goroutine is left over", func() bool { return runtime.NumGoroutine() <= goroutines+slack })
	t.Logf("%d reloads, %d requests, %d failed", reloads, sent.Load(), failed.Load())
}

func TestNoReloadWhileDraining(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.next = r.config(setup{})
	r.stop()
	if err := r.Reload("test"); !errors.Is(err, ErrDraining) {
		t.Error(err)
	}
}

func TestReloadOverTheAdminListenerNeedsTheToken(t *testing.T) {
	t.Parallel()
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("sixteen-letters-x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, setup{admin: "token_file: " + tokenFile})
	post := func(token string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.AdminAddress().String()+"/reload", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body strings.Builder
		if err := resp.Write(&body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body.String()
	}
	before := r.state.Load()
	if status, _ := post(""); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	if status, body := post("sixteen-letters-x"); status != 422 || !strings.Contains(body, "test.yaml:1:9") {
		t.Errorf("an invalid file: %d %s", status, body)
	}
	if r.state.Load() != before {
		t.Fatal("reloaded")
	}
	r.next = r.config(setup{admin: "token_file: " + tokenFile})
	if status, body := post("sixteen-letters-x"); status != 200 || r.state.Load() == before {
		t.Errorf("%d %s", status, body)
	}
	for _, want := range []string{"action=reload", "result=refused", "result=done"} {
		if !strings.Contains(r.log.String(), want) && !strings.Contains(r.log.String(), strings.ReplaceAll(want, "=", `":"`)) {
			t.Errorf("no %s in the log:\n%s", want, r.log)
		}
	}
}

func TestAChangedFileIsTakenWhenItHasSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "gateway.yaml")
		look := func() []stamp {
			info, _ := os.Stat(name)
			return []stamp{{info}}
		}
		write := func(text string) {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("a")
		w := watcher{applied: look()}
		step := func(want bool, why string) {
			t.Helper()
			time.Sleep(watchTick)
			if got := w.settled(time.Now(), look()); got != want {
				t.Errorf("%s: %v", why, got)
			}
		}
		step(false, "nothing changed")
		write("ab")
		step(false, "just changed")
		write("abc")
		step(false, "changed again")
		step(false, "one second old")
		step(true, "two seconds old")
		step(false, "taken already")
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		step(false, "gone")
		write("abc")
		step(false, "back as another file")
		step(false, "one second old")
		step(true, "two seconds old")
	})
}
