package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
)

func TestPurgedKeyTakesItsWarmTokensWithItAtTheNextRequest(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	r := newRig(t, operated(t, setup{}))
	gone, stays := r.signed(keys["ES256"]), r.signed(keys["RS256"])
	r.warm(gone)
	r.warm(stays)
	before := r.reached()
	if status, body := r.adminDo(http.MethodDelete, "/keys/vneid/es-1", operatorToken); status != 200 || body != `{"purged":1}` {
		t.Fatalf("%d %s", status, body)
	}
	refused := func(when string) {
		t.Helper()
		for name, tok := range map[string]string{"warm": gone, "cold": r.signed(keys["ES256"])} {
			if a := r.get("/private", bearer(tok)); a.status != 401 || a.code != "key_unknown" {
				t.Errorf("%s, %s: %d %s", when, name, a.status, a.code)
			}
		}
	}
	// The look for it has fetched the set that still holds it.
	refused("purged")
	r.refresh()
	refused("after a refresh")
	if r.reached() != before {
		t.Error("a token of a purged key reached the upstream")
	}
	if a := r.get("/private", bearer(stays)); a.status != 200 {
		t.Errorf("another key's token: %d %s", a.status, a.code)
	}
	view := r.keys("vneid")
	if len(view.Keys) != 2 || len(view.Purged) != 1 || view.Purged[0].ID != "es-1" || view.Purged[0].At.IsZero() {
		t.Errorf("%+v", view)
	}
	r.wantMetric(1, "key_set_purged_keys", "issuer=vneid")
	r.wantMetric(2, "key_set_keys", "issuer=vneid")

	if status, body := r.adminDo(http.MethodPut, "/keys/vneid/es-1", operatorToken); status != 200 || body != `{"allowed":1}` {
		t.Fatalf("%d %s", status, body)
	}
	r.refresh()
	if a := r.get("/private", bearer(gone)); a.status != 200 {
		t.Errorf("allowed again: %d %s", a.status, a.code)
	}
	r.wantMetric(0, "key_set_purged_keys", "issuer=vneid")
	if view := r.keys("vneid"); len(view.Keys) != 3 || len(view.Purged) != 0 {
		t.Errorf("%+v", view)
	}

	var told []string
	for _, line := range r.log.lines("audit") {
		if line["issuer"] != "vneid" || line["kid"] != "es-1" || line["result"] != "done" || line["keys"] != 1.0 ||
			!strings.HasPrefix(line["remote"].(string), "127.0.0.1:") {
			t.Errorf("%v", line)
		}
		told = append(told, line["action"].(string))
	}
	if strings.Join(told, " ") != "purge allow" {
		t.Errorf("audited: %q", told)
	}
	if strings.Contains(r.log.String(), operatorToken) {
		t.Error("the operator's token is in the log")
	}
}

func TestNobodyElseChangesKeys(t *testing.T) {
	t.Parallel()
	open, shut := newRig(t, operated(t, setup{})), newRig(t, setup{})
	for _, method := range []string{http.MethodDelete, http.MethodPut} {
		for name, c := range map[string]struct {
			r      *rig
			token  string
			status int
		}{
			"no token":    {open, "", 401},
			"wrong token": {open, operatorToken + "x", 401},
			"none is set": {shut, operatorToken, 403},
		} {
			r := c.r.on(t)
			if status, body := r.adminDo(method, "/keys/vneid/es-1", c.token); status != c.status {
				t.Errorf("%s %s: %d %s", method, name, status, body)
			}
			if a := r.get("/private", bearer(r.token())); a.status != 200 {
				t.Errorf("%s %s: a key is gone: %d %s", method, name, a.status, a.code)
			}
			r.wantMetric(0, "key_set_purged_keys", "issuer=vneid")
		}
	}
	if lines := open.log.lines("audit"); len(lines) != 4 || lines[0]["result"] != "refused" {
		t.Errorf("audited: %v", lines)
	}
	for _, path := range []string{"/keys/vneid/nobody", "/keys/nobody/es-1", "/keys/vneid"} {
		if status, body := open.adminDo(http.MethodDelete, path, operatorToken); status != 404 && status != 405 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A purge that cannot be kept is in force all the same, and says so.
func TestPurgeWithoutAStateDirIsInForceAndSaysThatItIsNotKept(t *testing.T) {
	t.Parallel()
	s := operated(t, setup{})
	s.top = ""
	r := newRig(t, s)
	tok := r.token()
	r.warm(tok)
	if status, body := r.adminDo(http.MethodDelete, "/keys/vneid/es-1", operatorToken); status != 500 ||
		body != `{"error":"identity: not kept over a restart","purged":1}` {
		t.Errorf("%d %s", status, body)
	}
	if a := r.get("/private", bearer(tok)); a.status != 401 || a.code != "key_unknown" {
		t.Errorf("%d %s", a.status, a.code)
	}
	if status, body := r.adminDo(http.MethodPut, "/keys/vneid/es-1", operatorToken); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// Nothing that was acknowledged is given up for another.
func TestPurgeForWhichThereIsNoRoomIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, operated(t, setup{}))
	keys := r.state.Load().issuers[0].keys
	var earlier []cache.Purged
	for n := range 256 {
		earlier = append(earlier, cache.Purged{KeyID: "old-" + decimal(n), Thumbprint: [32]byte{1, byte(n)}, At: time.Now()})
	}
	keys.Remember(earlier)
	tok := r.token()
	r.warm(tok)
	status, body := r.adminDo(http.MethodDelete, "/keys/vneid/es-1", operatorToken)
	if status != http.StatusConflict || !strings.Contains(body, `"error":"not purged: `) || !strings.Contains(body, "PUT") || strings.Contains(body, `"purged":`) {
		t.Errorf("%d %s", status, body)
	}
	if a := r.get("/private", bearer(tok)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.code)
	}
	if view := r.keys("vneid"); len(view.Purged) != 256 || view.Purged[0].ID != "old-0" || len(view.Keys) != 3 {
		t.Errorf("%d keys, %d purged", len(view.Keys), len(view.Purged))
	}
	if lines := r.log.lines("audit"); len(lines) != 1 || lines[0]["result"] != "refused" || lines[0]["keys"] != 0.0 {
		t.Errorf("audited: %v", lines)
	}
	for _, c := range []struct{ method, kid string }{{http.MethodPut, "old-0"}, {http.MethodDelete, "es-1"}} {
		if status, body := r.adminDo(c.method, "/keys/vneid/"+c.kid, operatorToken); status != 200 {
			t.Errorf("%s %s: %d %s", c.method, c.kid, status, body)
		}
	}
	if a := r.get("/private", bearer(tok)); a.status != 401 || a.code != "key_unknown" {
		t.Errorf("%d %s", a.status, a.code)
	}
}

func TestGatewayWhoseLastKeyWasPurgedIsNotReadyAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t, operated(t, setup{}))
	tok := r.token()
	r.warm(tok)
	for _, kid := range []string{"es-1", "rs-1", "ed-1"} {
		if status, body := r.adminDo(http.MethodDelete, "/keys/vneid/"+kid, operatorToken); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	check := func() {
		t.Helper()
		if a := r.get("/private", bearer(tok)); a.status != 503 || a.code != "keys_unavailable" {
			t.Errorf("%d %s", a.status, a.code)
		}
		if missing := r.Missing(); len(missing) != 1 || missing[0] != "keys of issuer vneid: all of them purged" {
			t.Errorf("%q", missing)
		}
		r.wantMetric(0, "ready")
	}
	check()
	r.refresh()
	check()

	// The next key comes with the first token under it.
	next, err := corpus.NewKey("ES256", "next")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.backend.AddKey(next); err != nil {
		t.Fatal(err)
	}
	if a := r.get("/private", bearer(r.signed(next))); a.status != 200 {
		t.Errorf("under the next key: %d %s", a.status, a.code)
	}
	r.wantMetric(1, "ready")
}
