package gateway

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
)

// keeping is a part of the configuration with a place for revocations.
func keeping(dir string) string { return "revocation: { directory: " + dir + " }" }

// revoke has an operator revoke something of the rig's issuer.
func (r *rig) revoke(kind revocation.Kind, id string, before time.Time) {
	r.tb.Helper()
	err := r.intake.From(intake.Operators).Accept(r.tb.Context(), revocation.Entry{
		Kind: kind, Issuer: r.backend.Issuer(), ID: id, Before: before, Until: time.Now().Add(time.Hour),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
}

// Invariant 5, and the second thing that the store is for: cached verdicts see a
// revocation on the very next request.
func TestARevocationHoldsFromTheVeryNextRequest(t *testing.T) {
	t.Parallel()
	citizen := func(t *corpus.Token) {
		t.ID, t.SessionID, t.Subject, t.AuthorizedParty = "jti-1", "sid-1", "sub-1", "portal"
	}
	for _, c := range []struct {
		name  string
		kind  revocation.Kind
		id    string
		dated bool
		other func(*corpus.Token) // is not covered
	}{
		{"token", revocation.KindToken, "jti-1", false, func(t *corpus.Token) { t.ID = "jti-2" }},
		{"session", revocation.KindSession, "sid-1", false, func(t *corpus.Token) { t.SessionID = "sid-2" }},
		{"subject", revocation.KindSubject, "sub-1", true, func(t *corpus.Token) { t.Subject = "sub-2" }},
		{"client", revocation.KindClient, "portal", true, func(t *corpus.Token) { t.AuthorizedParty = "other" }},
		{"key", revocation.KindKeyID, "es-1", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{top: keeping(filepath.Join(t.TempDir(), "a", "revoked"))})
			conn := r.dial()
			warm, cold := r.token(citizen), r.token(citizen)
			r.warm(warm)
			other := r.signed(testKeys()["RS256"], citizen)
			if c.other != nil {
				other = r.token(citizen, c.other)
			}
			var before time.Time
			if c.dated {
				before = time.Now()
			}
			r.revoke(c.kind, c.id, before)
			for name, tok := range map[string]string{"warm": warm, "cold": cold} {
				if a := conn.send(request("GET", "/private", bearer(tok))).answer("GET"); a.status != 401 || a.code != "token_revoked" {
					t.Errorf("%s: %d %s", name, a.status, a.code)
				}
			}
			if a := conn.send(request("GET", "/private", bearer(other))).answer("GET"); a.status != 200 {
				t.Errorf("not covered: %d %s", a.status, a.code)
			}
		})
	}
}

func TestARevocationOutlivesReloadAndRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "revoked")
	r := newRig(t, setup{top: keeping(dir)})
	tok := r.token(func(t *corpus.Token) { t.ID = "jti-1" })
	r.revoke(revocation.KindToken, "jti-1", time.Time{})
	r.reload(setup{top: keeping(dir), issuer: "max_lifetime: 20h"})
	if a := r.get("/private", bearer(tok)); a.code != "token_revoked" {
		t.Errorf("reloaded: %d %s", a.status, a.code)
	}
	r.stop()
	again, err := New(Options{Config: r.config(setup{top: keeping(dir)}), Log: r.log.logger})
	if err != nil {
		t.Fatal(err)
	}
	next := *r
	next.Gateway = again
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.stop)
	next.eventually("ready", func() bool { return len(next.Missing()) == 0 })
	if a := next.get("/private", bearer(tok)); a.code != "token_revoked" {
		t.Errorf("restarted: %d %s", a.status, a.code)
	}
	if a := next.get("/private", bearer(next.token())); a.status != 200 {
		t.Errorf("another: %d %s", a.status, a.code)
	}
}

func TestADirectoryOfRevocationsHasOneProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "revoked")
	r := newRig(t, setup{top: keeping(dir)})
	_, err := New(Options{Config: r.config(setup{top: keeping(dir)}), Log: r.log.logger})
	if err == nil || !strings.Contains(err.Error(), "revocation: directory") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestWhatWasOpenedWithARevokedTokenIsClosed(t *testing.T) {
	t.Parallel()
	address, _ := startChat(t)
	r := newRig(t, setup{upstreams: "[http://" + address + "]", top: keeping(filepath.Join(t.TempDir(), "revoked"))})
	named := func(id string) string {
		return bearer(r.token(func(t *corpus.Token) { t.ID = id }))
	}
	revoked, stays := r.chat(named("jti-1")), r.chat(named("jti-2"))
	revoked.wantEcho("hello")
	r.revoke(revocation.KindToken, "jti-1", time.Time{})
	revoked.wantEnd() // all other limits are minutes
	stays.wantEcho("still here")
	r.eventually("counted", func() bool { return r.metric("revoked_connections_closed_total") == 1 })
	r.tunnels.Sweep()
	stays.wantEcho("still here")
	_ = stays.Close()
	r.idle()
}

func TestNoTokenOutlivesItsRevocation(t *testing.T) {
	t.Parallel()
	lives := func(d time.Duration) func(*corpus.Token) {
		return func(t *corpus.Token) { t.Expires = t.IssuedAt.Add(d) }
	}
	for _, c := range []struct {
		name, top, issuer string
		life              time.Duration
		code              string
	}{
		{"no longer than keep", "keep: 2h", "", 2 * time.Hour, ""},
		{"longer than keep", "keep: 2h", "", 2*time.Hour + time.Second, "token_lifetime_too_long"},
		{"longer than keep where its issuer may", "keep: 2h", "max_lifetime: 3h", 3 * time.Hour, ""},
		{"nothing is kept", "", "", 1000 * time.Hour, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup{issuer: c.issuer}
			if c.top != "" {
				s.top = "revocation: { directory: " + filepath.Join(t.TempDir(), "revoked") + ", " + c.top + " }"
			}
			r := newRig(t, s)
			if a := r.get("/private", bearer(r.token(lives(c.life)))); a.code != c.code {
				t.Errorf("%d %s", a.status, a.code)
			}
			life := r.state.Load().issuers[0].verifier.Leeway()*2 + max(c.life/time.Hour*time.Hour, time.Hour)
			if got := r.lifetimeOf(r.backend.Issuer()); c.top != "" && got != life {
				t.Errorf("kept for %s, want %s", got, life)
			}
		})
	}
}
