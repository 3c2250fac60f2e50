package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
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
	if len(readiness.Missing) != 1 || readiness.Missing[0] != "keys of issuer vneid: last attempt: unreachable" {
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

func TestInvariant6RequestsNeverAskTheBackend(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	before := r.backend.Fetches(backend.KeySetPath)
	for range 20 {
		for _, fault := range []corpus.Fault{corpus.UnknownKid, corpus.Forged, corpus.WrongIssuer} {
			r.get("/private", bearer(r.faulty(fault)))
		}
	}
	if got := r.backend.Fetches(backend.KeySetPath); got != before {
		t.Errorf("%d requests made %d fetches", 60, got-before)
	}
	if a := r.get("/private", bearer(r.token())); a.status != 200 {
		t.Errorf("a good key was lost: %d %s", a.status, a.code)
	}
}

func TestAKeySetThatCannotBeUsedChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	tok := r.token()
	refresher := r.state.Load().issuers[0].refresher
	for reason, spoil := range map[string]func(){
		"status":        func() { r.backend.SetFault(backend.Status(http.StatusInternalServerError)) },
		"malformed":     func() { r.backend.SetFault(backend.HTML()) },
		"unreachable":   func() { r.backend.SetFault(backend.Down()) },
		"too_large":     func() { r.backend.SetFault(backend.Huge(2 << 20)) },
		"no_usable_key": func() { r.backend.SetFault(nil); r.backend.SetKeySetJSON([]byte(`{"keys":[]}`)) },
	} {
		spoil()
		if err := refresher.Refresh(t.Context()); err == nil {
			t.Errorf("%s: refreshed", reason)
		}
		if a := r.get("/private", bearer(tok)); a.status != 200 {
			t.Errorf("%s: %d %s", reason, a.status, a.code)
		}
		if reason == "malformed" || reason == "no_usable_key" {
			continue // which of the two is the identity package's to say
		}
		r.wantMetric(1, "key_set_fetch_failures_total", "issuer=vneid", "reason="+reason)
	}
	r.wantMetric(5, "key_set_fetch_failures_total", "issuer=vneid")
	r.wantMetric(3, "key_set_keys", "issuer=vneid")
	r.wantMetric(1, "ready")
	if age := r.metric("key_set_age_seconds", "issuer=vneid"); age <= 0 || age > patience.Seconds()+time.Minute.Seconds() {
		t.Errorf("age %v", age)
	}
	if strings.Contains(r.log.String(), r.backend.URL()) {
		t.Error("the log repeats an address")
	}
}
