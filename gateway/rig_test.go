package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

// patience bounds every wait of a test; no test passes or fails by less.
const patience = 20 * time.Second

// testKeys are made once: RSA keys take a while.
var testKeys = sync.OnceValue(func() map[string]*corpus.Key {
	keys := make(map[string]*corpus.Key)
	for alg, kid := range map[string]string{"RS256": "rs-1", "ES256": "es-1", "EdDSA": "ed-1", "PS256": "spare"} {
		key, err := corpus.NewKey(alg, kid)
		if err != nil {
			panic(err)
		}
		keys[alg] = key
	}
	return keys
})

// setup is how the gateway of a test differs from the plain one.
type setup struct {
	answer      func(origin.Request) origin.Answer // of the upstream; default: 200
	upstreams   string                             // instead of the recorder
	issuer      string                             // further fields of the issuer
	trusted     string                             // CIDRs of trusted proxies
	keySet      string                             // further fields of its jwks
	site        string                             // further fields of the site
	top         string                             // further parts of the configuration, limits and cutover
	sites       string                             // further sites
	shutdown    string                             // default: at once
	access      string                             // default: every request
	level       slog.Level
	fault       backend.Fault // of the identity backend, from the start
	keys        []*corpus.Key // default: RS256, ES256, EdDSA
	revocations Revocations
	admin       string // further fields of the admin listener
	notReady    bool   // do not wait for keys
}

const testConfig = `
listen: [{ address: "127.0.0.1:0", trusted_proxies: [TRUSTED] }]
admin: { address: "127.0.0.1:0", ADMIN }
issuers:
  - name: vneid
    issuer: ISSUER
    jwks: { url: ISSUER/jwks, refresh: 24h, soft_stale: 30h, hard_stale: 48h, KEYSET }
    audience: { any_of: [tthc] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation, "9": officer } }
      account_level: { claim: account_level }
      personal_number: preferred_username
    ISSUER-MORE
  - name: legacy
    issuer: LEGACY
    jwks: { url: LEGACY/jwks, refresh: 24h, soft_stale: 30h, hard_stale: 48h }
    audience: { any_of: [tthc] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
sites:
  - name: hanoi
    hosts: [hanoi.example]
    upstreams: UPSTREAMS
    SITE-MORE
SITES
TOP
verdicts: { max_bytes: 1MiB }
log: { access: ACCESS }
shutdown: SHUTDOWN
`

// defaultSite has one rule of each kind.
const defaultSite = `
    issuers: [vneid]
    cookie: session
    identity_headers: [subject, account_kind, account_level, issuer, auth_time, token_id]
    rules:
      - { paths: [/open/**], access: public }
      - { paths: [/level2/**], account_level: 2 }
      - { paths: [/officer/create], deny: citizen_account_creation_removed }
      - { paths: [/api/cam/**], deny: route_denied }`

// rig is a gateway between an identity backend and an upstream, all on
// loopback.
type rig struct {
	*Gateway
	tb       testing.TB
	backend  *backend.Running
	legacy   *backend.Running
	upstream *origin.Recorder
	log      *logged
	next     *config.Config // of the next reload; nil: it cannot be read
}

func newRig(tb testing.TB, s setup) *rig {
	tb.Helper()
	r := buildRig(tb, s)
	if err := r.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.stop)
	if !s.notReady {
		r.eventually("ready", func() bool { return len(r.Missing()) == 0 })
	}
	return r
}

// buildRig starts everything but the gateway.
func buildRig(tb testing.TB, s setup) *rig {
	tb.Helper()
	if s.keys == nil {
		keys := testKeys()
		s.keys = []*corpus.Key{keys["RS256"], keys["ES256"], keys["EdDSA"]}
	}
	if s.answer == nil {
		s.answer = origin.Always(origin.OK())
	}
	r := &rig{tb: tb, log: newLogged(s.level)}
	r.backend = startBackend(tb, backend.Config{Keys: s.keys})
	r.backend.SetFault(s.fault)
	r.legacy = startBackend(tb, backend.Config{Keys: []*corpus.Key{testKeys()["PS256"]}})
	var err error
	if r.upstream, err = origin.Record(context.Background(), s.answer); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.upstream.Close() })
	cfg := r.config(s)
	if r.Gateway, err = New(Options{
		Config: cfg, Load: r.load, Log: r.log.logger, Version: Version{Version: "test"}, Revocations: s.revocations,
	}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// load is how the gateway reads its configuration for a reload.
func (r *rig) load() (*config.Config, error) {
	if r.next == nil {
		return config.Parse("test.yaml", []byte("listen: 7\nsites: []"), "")
	}
	return r.next, nil
}

// reload puts the configuration of s in force.
func (r *rig) reload(s setup) {
	r.tb.Helper()
	r.next = r.config(s)
	if err := r.Reload("test"); err != nil {
		r.tb.Fatal(err)
	}
}

func startBackend(tb testing.TB, c backend.Config) *backend.Running {
	tb.Helper()
	b, err := backend.Start(context.Background(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.Close() })
	return b
}

func (r *rig) config(s setup) *config.Config {
	r.tb.Helper()
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	parts := strings.NewReplacer(
		"ISSUER-MORE", s.issuer,
		"ISSUER", r.backend.Issuer(),
		"LEGACY", r.legacy.Issuer(),
		"UPSTREAM-LIVE", r.upstream.URL(),
		"UPSTREAMS", or(s.upstreams, "["+r.upstream.URL()+"]"),
		"SITE-MORE", strings.TrimSpace(or(s.site, defaultSite)),
		"SITES", s.sites,
		"TRUSTED", s.trusted,
		"KEYSET", or(s.keySet, ""),
		"ADMIN", s.admin,
		"TOP", s.top,
		"ACCESS", or(s.access, "{ sample: 1, refused_per_second: 1000000 }"),
		"SHUTDOWN", or(s.shutdown, "{ delay: 0s, deadline: 10s }"),
	)
	text := parts.Replace(parts.Replace(testConfig)) // parts name parts
	cfg, err := config.Parse("test.yaml", []byte(text), r.tb.TempDir())
	if err != nil {
		r.tb.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// on returns the rig for a test within the test that made it.
func (r *rig) on(tb testing.TB) *rig {
	inner := *r
	inner.tb = tb
	return &inner
}

// stop drains the gateway; twice is once.
func (r *rig) stop() {
	r.tb.Helper()
	if r.draining.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		r.tb.Errorf("drain: %v", err)
	}
}

// eventually waits for what another goroutine is about to do.
func (r *rig) eventually(what string, holds func() bool) {
	r.tb.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			r.tb.Fatalf("never %s; log:\n%s", what, r.log)
		case <-tick.C:
		}
	}
}

// token returns a token of a citizen with level 2, with changes.
func (r *rig) token(changes ...func(*corpus.Token)) string {
	r.tb.Helper()
	return r.signed(testKeys()["ES256"], changes...)
}

func (r *rig) signed(key *corpus.Key, changes ...func(*corpus.Token)) string {
	r.tb.Helper()
	t := corpus.NewToken(r.backend.Issuer(), r.backend.Audience(), time.Now())
	for _, change := range changes {
		change(&t)
	}
	raw, err := t.Sign(key)
	if err != nil {
		r.tb.Fatal(err)
	}
	return raw
}

// refresh fetches the issuer's keys again, now.
func (r *rig) refresh() {
	r.tb.Helper()
	if err := r.state.Load().issuers[0].refresher.Refresh(context.Background()); err != nil {
		r.tb.Fatal(err)
	}
}

// warm presents a token until its verdict comes from the cache.
func (r *rig) warm(tok string) {
	r.tb.Helper()
	before := r.metric("verdict_cache_lookups_total", "result=hit")
	r.eventually("a cached verdict", func() bool {
		if a := r.get("/warm", "Authorization: Bearer "+tok); a.status != 200 {
			r.tb.Fatalf("%d %s", a.status, a.code)
		}
		return r.metric("verdict_cache_lookups_total", "result=hit") > before
	})
}

// reached returns how many requests came to the upstream.
func (r *rig) reached() int { return len(r.upstream.Requests()) }

// idle waits until no request is in flight.
func (r *rig) idle() {
	r.tb.Helper()
	r.eventually("idle", func() bool { return r.metric("in_flight_requests") == 0 })
}

func (r *rig) address() string { return r.Addresses()[0].String() }

// closedPort returns an address that nobody listens on.
func closedPort(tb testing.TB) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func bearer(tok string) string { return fmt.Sprintf("Authorization: Bearer %s", tok) }
