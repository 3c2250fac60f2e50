package gateway

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
)

func TestBreakerLeavesAFailingBackendAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{issuer: "backend: { break_after: 3, break_for: 200ms }"})
	tok := r.token()
	state := func(want string) {
		t.Helper()
		for _, s := range []string{"closed", "half-open", "open"} {
			n := 0.0
			if s == want {
				n = 1
			}
			r.wantMetric(n, "backend_breaker", "issuer=vneid", "state="+s)
		}
	}
	state("closed")
	r.backend.SetFault(backend.Status(500))
	before := r.backend.Fetches(backend.KeySetPath)
	refresher := r.state.Load().issuers[0].refresher
	for range 3 {
		_ = refresher.Refresh(context.Background())
	}
	// The three of them may take longer than break_for on a busy machine, the
	// count of openings tells.
	r.wantMetric(1, "backend_breaker_opened_total", "issuer=vneid")
	r.eventually("a refused call", func() bool {
		_ = refresher.Refresh(context.Background())
		return r.metric("backend_breaker_refused_total", "issuer=vneid") > 0
	})
	asked, failed := r.backend.Fetches(backend.KeySetPath)-before, r.metric("key_set_fetch_failures_total", "issuer=vneid")
	if refused := r.metric("key_set_fetch_failures_total", "issuer=vneid", "reason=breaker_open"); refused == 0 || float64(asked) != failed-refused {
		t.Errorf("asked %d times, %v failures, %v of them for the breaker", asked, failed, refused)
	}
	for _, tok := range []string{tok, r.token()} {
		if a := r.get("/private", bearer(tok)); a.status != 200 {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	r.wantMetric(0, "backend_breaker_opened_total", "issuer=legacy")

	r.backend.SetFault(nil)
	r.eventually("closed again", func() bool { return refresher.Refresh(context.Background()) == nil })
	state("closed")
}

// Each of these keeps the last good set, and is counted for what it is.
func TestRubbishChangesNothingAndIsCountedByReason(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{issuer: "backend: { timeout: 1s, max_bytes: 64KiB, break_after: 1000 }"})
	warm := r.token()
	r.warm(warm)
	for name, c := range map[string]struct {
		fault  backend.Fault
		reason string
	}{
		"down":           {backend.Down(), "unreachable"},
		"500":            {backend.Status(500), "status"},
		"204":            {backend.Status(204), "status"},
		"page":           {backend.HTML(), "malformed"},
		"truncated":      {backend.Truncated(), "unreachable"},
		"huge":           {backend.Huge(1 << 20), "too_large"},
		"bomb":           {backend.Bomb(1 << 20), "malformed"},
		"slow":           {backend.Slow(patience), "timeout"},
		"trickle":        {backend.Trickle(patience), "timeout"},
		"elsewhere":      {backend.RedirectCrossOrigin(""), "redirect"},
		"duplicate kids": {r.backend.DuplicateKids(), "no_usable_key"},
		"no keys":        {backend.Body("application/json", []byte(`{"keys":[]}`)), "no_usable_key"},
		"null":           {backend.Body("application/json", []byte(`{"keys":null}`)), "no_usable_key"},
		"not a set":      {backend.Body("application/json", []byte(`[]`)), "no_usable_key"},
		"nothing":        {backend.Body("application/json", nil), "malformed"},
	} {
		r.backend.SetFault(c.fault)
		before := r.metric("key_set_fetch_failures_total", "issuer=vneid", "reason="+c.reason)
		if err := r.state.Load().issuers[0].refresher.Refresh(context.Background()); err == nil {
			t.Errorf("%s was taken for a key set", name)
		}
		if got := r.metric("key_set_fetch_failures_total", "issuer=vneid", "reason="+c.reason); got != before+1 {
			t.Errorf("%s is not counted as %s: last failure %s", name, c.reason, r.keys("vneid").LastFailure)
		}
		if got := r.keys("vneid").LastFailure; got != c.reason {
			t.Errorf("%s: last failure %q", name, got)
		}
		for _, tok := range []string{warm, r.token()} {
			if a := r.get("/private", bearer(tok)); a.status != 200 {
				t.Errorf("%s: %d %s", name, a.status, a.code)
			}
		}
		r.wantMetric(3, "key_set_keys", "issuer=vneid")
		r.wantMetric(1, "ready")
	}
}

func TestSetThatCannotBeKeptIsCountedAndUsed(t *testing.T) {
	t.Parallel()
	s := operated(t, setup{})
	r := newRig(t, s)
	r.wantMetric(0, "key_set_unsaved_total", "issuer=vneid")
	dir := r.cfg.StateDir
	for _, issuer := range []string{"vneid", "legacy"} {
		// Keys serve before they are kept.
		file := filepath.Join(dir, issuer+".keys.json")
		r.eventually("kept", func() bool { _, err := os.Stat(file); return err == nil })
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r.refresh()
	r.wantMetric(1, "key_set_unsaved_total", "issuer=vneid")
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	if !slices.ContainsFunc(r.log.lines("key set not stored"), func(l map[string]any) bool { return l["issuer"] == "vneid" }) {
		t.Error("it is not in the log")
	}
}
