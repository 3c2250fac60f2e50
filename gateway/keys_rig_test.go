package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const operatorToken = "operator-token-of-these-tests-0123456789"

// operated returns the setup with an operator's token and a state directory.
func operated(tb testing.TB, s setup) setup {
	tb.Helper()
	dir := tb.TempDir()
	path := filepath.Join(dir, "operator")
	if err := os.WriteFile(path, []byte(operatorToken+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.admin = "token_file: " + path
	s.top += "\nstate_dir: " + filepath.Join(dir, "state")
	return s
}

// keyInfo and keyView are what tests read of GET /keys.
type keyInfo struct {
	ID           string `json:"kid"`
	Algorithms   []string
	Type         string
	FirstSeen    time.Time `json:"first_seen"`
	LastSeen     time.Time `json:"last_seen"`
	LatestExpiry time.Time `json:"latest_expiry"`
	Tokens       uint64
	Share        float64
	SafeToRetire bool `json:"safe_to_retire"`
}

type keyView struct {
	Issuer      string
	Stale       string
	LastFailure string `json:"last_failure"`
	Keys        []keyInfo
	Purged      []struct {
		ID string `json:"kid"`
		At time.Time
	}
}

// keys asks /keys about one issuer.
func (r *rig) keys(issuer string) keyView {
	r.tb.Helper()
	status, body := r.adminGet("/keys")
	var view struct{ Issuers []keyView }
	if err := json.Unmarshal([]byte(body), &view); err != nil || status != http.StatusOK {
		r.tb.Fatalf("/keys: %d %s (%v)", status, body, err)
	}
	at := slices.IndexFunc(view.Issuers, func(v keyView) bool { return v.Issuer == issuer })
	if at < 0 {
		r.tb.Fatalf("/keys does not know %s: %s", issuer, body)
	}
	return view.Issuers[at]
}

// key finds a key of a view.
func (v keyView) key(tb testing.TB, kid string) keyInfo {
	tb.Helper()
	at := slices.IndexFunc(v.Keys, func(k keyInfo) bool { return k.ID == kid })
	if at < 0 {
		tb.Fatalf("no key %s: %+v", kid, v.Keys)
	}
	return v.Keys[at]
}

// adminDo makes a change, or tries to.
func (r *rig) adminDo(method, path, tok string) (status int, body string) {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.AdminAddress().String()+path, http.NoBody)
	if err != nil {
		r.tb.Fatal(err)
	}
	req.Close = true
	if tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.tb.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(raw))
}
