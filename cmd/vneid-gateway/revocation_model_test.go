package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// modelEntry is a revocation as simply as it can be kept.
type modelEntry struct {
	kind, issuer, id string
	before           int64 // in seconds; 0 where it covers tokens whatever their iat
	until            time.Time
}

// modelToken is a token and what it is revoked by.
type modelToken struct {
	minted
	issuer, kid string
}

func (e *modelEntry) covers(t *modelToken) bool {
	if e.issuer != t.issuer {
		return false
	}
	dated := e.before == 0 || t.IssuedAt.Unix() <= e.before
	switch e.kind {
	case "jti":
		return e.id == t.ID
	case "sid":
		return e.id == t.SessionID
	case "sub":
		return e.id == t.Subject && dated
	case "client":
		return e.id == t.AuthorizedParty && dated
	case "kid":
		return e.id == t.kid
	}
	return false
}

// endSlack is how long after its end an entry may still be in force: a second to
// which ends are rounded up, and one until the store's clock is next set.
const endSlack = 3 * time.Second

// model is what was acknowledged.
type model []modelEntry

// end is when the last entry about the same thing as e ends: what is revoked again is
// kept as one entry, of the later before and the later end.
func (m model) end(e *modelEntry) time.Time {
	last := e.until
	for i := range m {
		if o := &m[i]; o.kind == e.kind && o.issuer == e.issuer && o.id == e.id && o.until.After(last) {
			last = o.until
		}
	}
	return last
}

// says tells whether a token is revoked; nothing is certain around the end of an
// entry, nor behind it where another about the same thing goes on.
func (m model) says(t *modelToken, from, to time.Time) (revoked, certain bool) {
	certain = true
	for i := range m {
		switch e := &m[i]; {
		case !e.covers(t) || from.After(m.end(e).Add(endSlack)):
		case to.Before(e.until):
			return true, true
		default:
			certain = false
		}
	}
	return false, certain
}

// modelWorld is two issuers that give the same names to different people, and a
// gateway that is started again and again.
type modelWorld struct {
	*revocationWorld
	t      *testing.T
	rng    *rand.Rand
	config string
	g      *faulted
	call   *callers
	tokens []modelToken
	model  model

	revokes, restarts, crashes, reloads, checks, refused, uncertain int
}

// name is one of few, so that tokens share some and entries meet.
func (w *modelWorld) name(kind string) string { return fmt.Sprintf("%s-%d", kind, w.rng.IntN(30)) }

func newModelWorld(t *testing.T, seed uint64) *modelWorld {
	t.Helper()
	const tokens = 300
	w := &modelWorld{revocationWorld: newRevocationWorld(t), t: t, rng: rand.New(rand.NewPCG(seed, 0)), call: newCallers(t)}
	k2, err := corpus.NewKey("ES256", "k2")
	if err != nil {
		t.Fatal(err)
	}
	keys := []*corpus.Key{w.key, k2}
	w.issuer.SetKeys(keys...)
	other, err := backend.Start(t.Context(), backend.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	issuers := map[string]string{"vneid": w.issuer.Issuer(), "legacy": other.Issuer()}
	w.config = fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0", token_file: %s }
log: { access: { off: true } }
limits: { requests_per_connection: 0 }
overload: { off: true, verification_wait: 10s }
shutdown: { delay: 0s, deadline: 5s }
revocation: { directory: %s, log_bytes: 4KiB }
issuers:
  - { name: vneid, issuer: %q, jwks: { discovery: true }, max_lifetime: 1h, audience: { any_of: [tthc] } }
  - { name: legacy, issuer: %q, jwks: { discovery: true }, max_lifetime: 1h, audience: { any_of: [tthc] } }
sites:
  - { name: s, hosts: [s.example], upstreams: [%q], issuers: [vneid, legacy] }
`, w.operator, newDirectory(t), issuers["vneid"], issuers["legacy"], w.upstream)
	now := time.Now()
	for range tokens {
		x := modelToken{issuer: "vneid", kid: "k1"}
		if w.rng.IntN(2) == 0 {
			x.issuer = "legacy"
		}
		x.Token = corpus.NewToken(issuers[x.issuer], "tthc", now.Add(-time.Duration(w.rng.IntN(100))*time.Second))
		x.Size, x.ID, x.SessionID, x.Subject, x.AuthorizedParty = 0, w.name("jti"), w.name("sid"), w.name("sub"), w.name("client")
		x.ID += w.name("")
		key := keys[w.rng.IntN(2)]
		x.kid = key.ID()
		if x.raw, err = x.Sign(key); err != nil {
			t.Fatal(err)
		}
		w.tokens = append(w.tokens, x)
	}
	w.start()
	return w
}

func (w *modelWorld) start() {
	w.t.Helper()
	w.g = &faulted{process: serve(w.t, w.config)}
	w.g.awaitReady(w.t)
}

// revoke has one to a few entries acknowledged.
func (w *modelWorld) revoke() {
	w.t.Helper()
	var entries []revocationEntry
	for range 1 + w.rng.IntN(2) {
		kinds := []string{"jti", "sid", "sub", "client"}
		e := modelEntry{kind: kinds[w.rng.IntN(len(kinds))], issuer: []string{"vneid", "legacy"}[w.rng.IntN(2)]}
		if w.rng.IntN(40) == 0 {
			e.kind = "kid"
		}
		e.id = w.name(e.kind)
		// Most end soon, so that the test sees the end of most. What covers much does.
		e.until = time.Now().Add(time.Duration(1+w.rng.IntN(3)) * time.Second).Truncate(time.Second)
		switch e.kind {
		case "jti":
			e.id = w.tokens[w.rng.IntN(len(w.tokens))].ID
			if w.rng.IntN(4) == 0 {
				e.until = time.Now().Add(time.Hour).Truncate(time.Second)
			}
		case "kid":
			e.id = []string{"k1", "k2", "k3"}[w.rng.IntN(3)]
		}
		entry := revocationEntry{"issuer": e.issuer, e.kind: e.id, "until": e.until.Format(time.RFC3339)}
		if e.kind == "sub" || e.kind == "client" {
			if w.rng.IntN(4) == 0 {
				entry["all"] = true
			} else {
				at := time.Now().Add(-time.Duration(w.rng.IntN(100)) * time.Second).Truncate(time.Second)
				entry["before"], e.before = at.Format(time.RFC3339), at.Unix()
			}
		}
		if !e.until.After(time.Now().Add(200 * time.Millisecond)) {
			continue // a revocation that is over is none
		}
		entries = append(entries, entry)
		w.model = append(w.model, e)
	}
	if len(entries) == 0 {
		return
	}
	w.call.mustRevoke(w.t, w.g, entries...)
	w.revokes += len(entries)
}

// check asks with some tokens, and compares.
func (w *modelWorld) check(n int) {
	w.t.Helper()
	asked := make([]*modelToken, n)
	plain := make([]minted, n)
	for i := range asked {
		asked[i] = &w.tokens[w.rng.IntN(len(w.tokens))]
		plain[i] = asked[i].minted
	}
	from := time.Now()
	statuses := w.g.statuses(w.t, plain)
	to := time.Now()
	for i, x := range asked {
		revoked, certain := w.model.says(x, from, to)
		want := http.StatusOK
		if revoked {
			want = http.StatusUnauthorized
			w.refused++
		}
		w.checks++
		switch {
		case !certain && (statuses[i] == http.StatusOK || statuses[i] == http.StatusUnauthorized):
			w.uncertain++
		case statuses[i] != want:
			w.t.Errorf("after %d revocations and %d starts: %s %s %s %s %s %s iat %d answered %d, want %d", w.revokes, w.restarts+w.crashes,
				x.issuer, x.ID, x.SessionID, x.Subject, x.AuthorizedParty, x.kid, x.IssuedAt.Unix(), statuses[i], want)
		}
	}
	now := time.Now()
	all := w.model
	w.model = slices.DeleteFunc(slices.Clone(all), func(e modelEntry) bool { return now.After(all.end(&e).Add(endSlack)) })
}

func (w *modelWorld) step() {
	w.t.Helper()
	switch n := w.rng.IntN(100); {
	case n < 12:
		w.revoke()
	case n < 92:
		w.check(20)
	case n < 95:
		w.reload()
	case n < 97:
		w.g.stop(w.t)
		w.start()
		w.restarts++
		w.check(40)
	default:
		kill(w.t, w.g.process)
		w.start()
		w.crashes++
		w.check(40)
	}
}

// reload changes how the issuers' tokens are verified, which forgets all verdicts, in
// a way that does not matter here.
func (w *modelWorld) reload() {
	w.t.Helper()
	before := w.g.metric(w.t, reloadsApplied)
	w.reloads++
	w.g.rewrite(w.t, strings.ReplaceAll(w.config, "max_lifetime: 1h", fmt.Sprintf("max_lifetime: %dh", 1+w.reloads)))
	if err := w.g.signal(syscall.SIGHUP); err != nil {
		w.t.Fatal(err)
	}
	w.g.awaitMetric(w.t, reloadsApplied, before+1)
}

// What was acknowledged is refused until its end, through restarts, crashes and
// reloads, and nothing else is.
func TestRevocationsAgreeWithANaiveModel(t *testing.T) {
	t.Parallel()
	const steps = 2500
	seed := rand.Uint64()
	w := newModelWorld(t, seed)
	n := steps
	if testing.Short() {
		n = 150
	}
	for range n {
		w.step()
		if t.Failed() {
			break
		}
	}
	// Until the last of them that ends soon has ended.
	eventually(t, "every short revocation has ended", func() bool {
		w.check(20)
		return t.Failed() || !slices.ContainsFunc(w.model, func(e modelEntry) bool { return time.Until(w.model.end(&e)) < time.Minute })
	})
	w.check(len(w.tokens))
	t.Logf("seed %d: %d revocations, %d restarts, %d crashes, %d reloads; %d requests compared, %d of them revoked, %d too near an end to say",
		seed, w.revokes, w.restarts, w.crashes, w.reloads, w.checks, w.refused, w.uncertain)
	w.g.stop(t)
}
