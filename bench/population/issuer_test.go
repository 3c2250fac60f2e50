package population_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// keysOf are the public keys of a corpus, by kid, as its issuers serve them.
func keysOf(t *testing.T, c *population.Corpus) map[string]crypto.PublicKey {
	t.Helper()
	issuers := serve(t, c)
	keys := map[string]crypto.PublicKey{}
	for _, b := range []*backend.Backend{issuers.Backend, issuers.Legacy} {
		for _, k := range b.Keys() {
			keys[k.ID()] = k.Public()
		}
	}
	return keys
}

func serve(t *testing.T, c *population.Corpus) *population.Issuers {
	t.Helper()
	issuers, err := population.ServeIssuers(t.Context(), c.Dir(), population.IssuersConfig{Address: "127.0.0.1:0", Control: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuers.Close() })
	return issuers
}

func ask(t *testing.T, response *http.Response, err error) (status int, body []byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// client keeps no connection, so that no goroutine is left behind.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func TestIssuersServeTheKeysOfTheManifestBelowTheirPaths(t *testing.T) {
	t.Parallel()
	c := tiny()
	made := mint(t, c)
	issuers := serve(t, made)
	for i, path := range []string{"", "/legacy"} {
		want := made.Manifest.Issuers[i]
		response, err := client.Get(issuers.URL() + path + backend.DiscoveryPath)
		_, body := ask(t, response, err)
		var discovery struct {
			Issuer string `json:"issuer"`
			JWKS   string `json:"jwks_uri"`
		}
		if err := json.Unmarshal(body, &discovery); err != nil || discovery.Issuer != want.URL || discovery.JWKS != want.URL+"/jwks" {
			t.Errorf("%s: %s %v", path, body, err)
		}
		response, err = client.Get(issuers.URL() + path + backend.KeySetPath)
		_, body = ask(t, response, err)
		var set population.KeySet
		if err := json.Unmarshal(body, &set); err != nil || !reflect.DeepEqual(set, want.JWKS) || len(set.Keys) != 2 {
			t.Errorf("%s: %s, the manifest has %+v, %v", path, body, want.JWKS, err)
		}
	}
}

func TestOpaqueTokensAreActiveAsTheirClassSays(t *testing.T) {
	t.Parallel()
	c := tiny()
	made := mint(t, c)
	issuers := serve(t, made)
	secret := read(t, made, population.ClientSecret)
	asked := map[population.Class]int{}
	for _, l := range lines(t, made) {
		if l.Class != population.Opaque && l.Class != population.OpaqueInactive {
			continue
		}
		asked[l.Class]++
		form := url.Values{"token": {strings.TrimPrefix(l.Authorization, "Bearer ")}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuers.URL()+"/opaque/introspect", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("vneid-gateway", secret)
		response, err := client.Do(request)
		status, body := ask(t, response, err)
		var answer struct {
			Active bool `json:"active"`
		}
		if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK || answer.Active != (l.Class == population.Opaque) {
			t.Errorf("%s: %d %s %v", l.Class, status, body, err)
		}
	}
	if len(asked) != 2 {
		t.Errorf("%v", asked)
	}
}

func TestFaultsAreOrderedOfEachIssuerBelowItsPath(t *testing.T) {
	t.Parallel()
	c := tiny()
	issuers := serve(t, mint(t, c))
	response, err := client.Post(issuers.URL()+"/legacy/control/fault?kind=status&code=503", "", nil)
	if status, body := ask(t, response, err); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	for path, want := range map[string]int{"": 200, "/legacy": 503} {
		response, err := client.Get(issuers.URL() + path + backend.KeySetPath)
		if status, _ := ask(t, response, err); status != want {
			t.Errorf("%s/jwks: %d, want %d", path, status, want)
		}
	}
}

func TestBrokenIssuerFileIsNoCorpus(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":           "",
		"another format":  `{"format":"x","issuers":[{"name":"vneid"}]}`,
		"without issuers": `{"format":"vneid-bench-issuer/1","issuers":[]}`,
		"an unknown name": `{"format":"vneid-bench-issuer/1","issuers":[{"name":"vneid"},{"name":"other"}]}`,
		"a key of none":   `{"format":"vneid-bench-issuer/1","issuers":[{"name":"vneid","keys":[{"kid":"a","alg":"RS256","private_key_pkcs8_pem":"secret"}]}]}`,
		"a URL":           `{"format":"vneid-bench-issuer/1","issuers":[{"name":"vneid","issuer":"x"}]}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, population.IssuerFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := population.ServeIssuers(t.Context(), dir, population.IssuersConfig{})
		if !errors.Is(err, population.ErrCorpus) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
