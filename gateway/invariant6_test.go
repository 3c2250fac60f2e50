package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// admin asks the admin listener.
func (r *rig) adminGet(path string) (status int, body string) {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.AdminAddress().String()+path, http.NoBody)
	if err != nil {
		r.tb.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.tb.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

func TestInvariant6ReadinessSaysWhatIsMissingAndComesByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{fault: backend.Down(), notReady: true})
	r.eventually("a failed fetch", func() bool {
		return r.metric("key_set_fetch_failures_total", "issuer=vneid", "reason=unreachable") > 0
	})
	r.eventually("the other issuer's keys", func() bool { return len(r.Missing()) == 1 })
	status, body := r.adminGet("/readyz")
	var readiness struct {
		Status  string
		Missing []string
	}
	if err := json.Unmarshal([]byte(body), &readiness); err != nil || status != http.StatusServiceUnavailable {
		t.Fatalf("%d %s", status, body)
	}
	if len(readiness.Missing) != 1 || readiness.Missing[0] != "keys of issuer vneid: not fetched yet, last attempt: unreachable" {
		t.Errorf("%s", body)
	}
	if status, _ := r.adminGet("/livez"); status != http.StatusOK {
		t.Errorf("not alive for want of keys: %d", status)
	}
	r.wantMetric(0, "ready")
	r.wantMetric(0, "key_set_keys", "issuer=vneid")
	r.wantMetric(0, "key_set_age_seconds", "issuer=vneid")

	// A token cannot be judged: that is nobody's fault but ours.
	a := r.get("/private", bearer(r.token()))
	if a.status != 503 || a.code != "keys_unavailable" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", a.status, a.code, a.header)
	}
	if a := r.get("/private"); a.status != 401 {
		t.Errorf("without a token: %d %s", a.status, a.code)
	}
	if a := r.get("/open/x"); a.status != 200 {
		t.Errorf("public: %d %s", a.status, a.code)
	}
	r.wantMetric(1, "requests_total", "outcome=failed", "reason=keys_unavailable")

	r.backend.SetFault(nil)
	r.eventually("ready", func() bool { status, _ := r.adminGet("/readyz"); return status == http.StatusOK })
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("with keys: %d %s", a.status, a.code)
	}
	r.wantMetric(1, "ready")
	r.wantMetric(3, "key_set_keys", "issuer=vneid")
}

func TestInvariant6TheBackendIsAskedWithinTheBudget(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	fetches := func() int64 { return r.backend.Fetches(backend.KeySetPath) }
	before := fetches()
	for range 20 {
		r.get("/private", bearer(r.faulty(corpus.Forged)))
		r.get("/private", bearer(r.faulty(corpus.WrongIssuer)))
	}
	if got := fetches(); got != before {
		t.Errorf("tokens under known keys made %d fetches", got-before)
	}
	const budget = 3 // jwks.unknown_key.burst
	for i := range 50 {
		stranger, err := corpus.NewKey("ES256", "stranger-"+decimal(i))
		if err != nil {
			t.Fatal(err)
		}
		if a := r.get("/private", bearer(r.signed(stranger))); a.status != 401 || a.code != "key_unknown" {
			t.Fatalf("%d %s", a.status, a.code)
		}
	}
	if got := fetches() - before; got != budget {
		t.Errorf("50 unknown keys made %d fetches, want %d", got, budget)
	}
	r.wantMetric(budget, "unknown_key_lookups_total", "issuer=vneid", "outcome=absent")
	r.wantMetric(50-budget, "unknown_key_lookups_total", "issuer=vneid", "outcome=budget_spent")
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("a good key was lost: %d %s", a.status, a.code)
	}
}

func TestRotatedKeyIsFetchedByTheFirstTokenUnderIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.warm(r.token())
	next, err := corpus.NewKey("ES256", "next")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.backend.AddKey(next); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/private", bearer(r.signed(next))); a.status != 200 {
		t.Errorf("the first token under a new key: %d %s", a.status, a.code)
	}
	r.wantMetric(1, "unknown_key_lookups_total", "issuer=vneid", "outcome=found")
	r.wantMetric(4, "key_set_keys", "issuer=vneid")
}

func TestKeyThatCouldNotBeLookedUpIsAnsweredAsConfigured(t *testing.T) {
	t.Parallel()
	stranger, err := corpus.NewKey("ES256", "stranger")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answer string
		status int
		code   string
	}{
		{"refuse", 401, "key_unknown"},
		{"unavailable", 503, "keys_unavailable"},
	} {
		t.Run(c.answer, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{keySet: "unknown_key: { answer: " + c.answer + " }"})
			r.backend.SetFault(backend.Status(500))
			if a := r.get("/private", bearer(r.signed(stranger))); a.status != c.status || a.code != c.code {
				t.Errorf("%d %s, want %d %s", a.status, a.code, c.status, c.code)
			}
			r.wantMetric(1, "unknown_key_lookups_total", "issuer=vneid", "outcome=fetch_failed")
		})
	}
}

func TestKeysPastTheirHardLimitVerifyNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	r.warm(tok)
	vneid := r.state.Load().issuers[0]
	vneid.hardStale = 0
	for _, tok := range []string{tok, r.token()} {
		if a := r.get("/private", bearer(tok)); a.status != 503 || a.code != "keys_stale" || a.header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.status, a.code)
		}
	}
	r.wantMetric(1, "key_set_stale", "issuer=vneid", "limit=hard")
	r.wantMetric(0, "ready")
	if missing := r.Missing(); len(missing) != 1 || missing[0] != "keys of issuer vneid: older than hard_stale" {
		t.Errorf("%q", missing)
	}
	if a := r.get("/open/x"); a.status != 200 {
		t.Errorf("public: %d", a.status)
	}
	vneid.hardStale = time.Hour
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Errorf("fresh again: %d %s", a.status, a.code)
	}
}
