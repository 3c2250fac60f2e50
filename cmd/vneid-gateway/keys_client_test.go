package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// operatorToken is what changes at the admin listener take in these tests.
const operatorToken = "operator-token-of-these-tests-0123456789"

// operatorFile writes the operator's token and returns its path.
func operatorFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "operator")
	if err := os.WriteFile(path, []byte(operatorToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyView is what tests read of GET /keys.
type keyView struct {
	Issuer      string
	Stale       string
	LastFailure string `json:"last_failure"`
	Keys        []struct {
		ID           string `json:"kid"`
		Algorithms   []string
		FirstSeen    time.Time `json:"first_seen"`
		LastSeen     time.Time `json:"last_seen"`
		Tokens       uint64
		Share        float64
		SafeToRetire bool `json:"safe_to_retire"`
	}
	Purged []struct {
		ID string `json:"kid"`
	}
}

// keys asks /keys about one issuer.
func (p *process) keys(t testing.TB, issuer string) keyView {
	t.Helper()
	a := get(t, p.admin+"/keys")
	var view struct{ Issuers []keyView }
	if err := json.Unmarshal([]byte(a.body), &view); err != nil || a.status != http.StatusOK {
		t.Fatalf("/keys: %d %.200s (%v)", a.status, a.body, err)
	}
	for _, i := range view.Issuers {
		if i.Issuer == issuer {
			return i
		}
	}
	t.Fatalf("/keys does not know %s: %s", issuer, a.body)
	return keyView{}
}

// ids lists the keys in use.
func (v keyView) ids() []string {
	var ids []string
	for _, k := range v.Keys {
		ids = append(ids, k.ID)
	}
	return ids
}

// awaitKey returns when a key is, or is no longer, in use.
func (p *process) awaitKey(t testing.TB, issuer, kid string, there bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ids := p.keys(t, issuer).ids()
		if slices.Contains(ids, kid) == there {
			return
		}
		select {
		case <-tick.C:
		case <-p.ended:
			t.Fatalf("it ended: %v", p.err)
		case <-limit:
			t.Fatalf("key %s: want there %v, got %v", kid, there, ids)
		}
	}
}

// changeKey purges a key (DELETE) or allows it again (PUT).
func (p *process) changeKey(t testing.TB, method, issuer, kid string) answer {
	t.Helper()
	return send(t, p.admin, request{method: method, path: "/keys/" + issuer + "/" + kid, token: operatorToken})
}

// eventually asks until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never %s", what)
		}
	}
}
