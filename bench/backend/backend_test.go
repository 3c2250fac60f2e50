package backend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var keys = sync.OnceValue(func() []*corpus.Key {
	var made []*corpus.Key
	for kid, alg := range map[string]string{"kid-es": "ES256", "kid-ed": "EdDSA"} {
		key, err := corpus.NewKey(alg, kid)
		if err != nil {
			panic(err)
		}
		made = append(made, key)
	}
	return made
})

func TestDiscoveryLeadsToTheKeySet(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys(), CacheControl: "max-age=60"})
	_, body := get(t, b.URL()+backend.DiscoveryPath)
	var document struct {
		Issuer string `json:"issuer"`
		KeySet string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if document.Issuer != b.URL() || document.Issuer != b.Issuer() {
		t.Errorf("issuer %q at %q", document.Issuer, b.URL())
	}
	response, body := get(t, document.KeySet)
	if !bytes.Equal(body, corpus.KeySetJSON(keys()...)) || response.Header.Get("Cache-Control") != "max-age=60" ||
		response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s", response.Header, body)
	}
}

func TestKeysAreSwitchedWhileItRuns(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()[:1]})
	b.SetKeys(keys()[1])
	if _, body := get(t, b.URL()+backend.KeySetPath); !bytes.Equal(body, corpus.KeySetJSON(keys()[1])) {
		t.Errorf("key set %s", body)
	}
	raw, err := b.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	verify(t, raw, keys()[1])
	b.SetKeySetJSON([]byte(`{"keys":null}`))
	if _, body := get(t, b.URL()+backend.KeySetPath); string(body) != `{"keys":null}` {
		t.Errorf("key set %s", body)
	}
	if raw, err = b.Token(backend.Citizen2, ""); err != nil {
		t.Fatal(err)
	}
	verify(t, raw, keys()[1])
}

func TestTokenPathGivesABareTokenForEachAccountAndFault(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	levels := map[string]any{backend.Citizen2: 2.0, backend.Citizen1: 1.0, backend.Organisation: nil}
	for as, level := range levels {
		response, body := get(t, b.URL()+"/token?as="+as)
		if response.Header.Get("Content-Type") != "text/plain; charset=utf-8" || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", response.Header)
		}
		if claims := verify(t, string(body), keys()[0]); claims["account_level"] != level || claims["aud"] != b.Audience() {
			t.Errorf("%s: %v", as, claims)
		}
	}
	for _, fault := range corpus.Faults() {
		if _, body := get(t, b.URL()+"/token?as="+string(fault)); bytes.Count(body, []byte(".")) != 2 {
			t.Errorf("%s: %s", fault, body)
		}
	}
	_, body := get(t, b.URL()+"/token?as=citizen2&alg="+keys()[1].Algorithm())
	verify(t, string(body), keys()[1])
	for _, query := range []string{"", "?as=", "?as=nobody", "?as=citizen2&alg=RS256"} {
		response, body := get(t, b.URL()+"/token"+query)
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "citizen2 | citizen1 | organisation | expired") {
			t.Errorf("%q: %d %s", query, response.StatusCode, body)
		}
	}
}

func TestFaultsAreSeenByThoseWhoFetchAndEndWhenCleared(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	url := b.URL() + backend.KeySetPath

	b.SetFault(backend.Down())
	if _, err := fetch(t, url); err == nil {
		t.Error("down, yet it answers")
	}
	b.SetFault(backend.Status(http.StatusInternalServerError))
	if response, _ := get(t, url); response.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d", response.StatusCode)
	}
	b.SetFault(backend.HTML())
	if response, body := get(t, url); response.StatusCode != http.StatusOK || json.Valid(body) {
		t.Errorf("status %d, %s", response.StatusCode, body)
	}
	b.SetFault(backend.Truncated())
	response, err := fetch(t, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a truncated document was read to its end")
	}
	const size = 1 << 20
	b.SetFault(backend.Huge(size))
	if _, body := get(t, url); len(body) < size || !json.Valid(body) {
		t.Errorf("huge is %d bytes, valid: %v", len(body), json.Valid(body))
	}
	if _, err := b.Token(backend.Citizen2, ""); err != nil {
		t.Errorf("a fault reached the tokens: %v", err)
	}
	b.SetFault(nil)
	if _, body := get(t, url); !bytes.Equal(body, corpus.KeySetJSON(keys()...)) {
		t.Errorf("after the faults: %s", body)
	}
	if got := b.Fetches(backend.KeySetPath); got < 6 {
		t.Errorf("%d fetches counted", got)
	}
}

func TestSlowWaitsAsLongAsOrderedThenAnswersRightly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := backend.New(backend.Config{Issuer: "http://issuer.example", Keys: keys()})
		b.SetFault(backend.Slow(time.Minute))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, backend.KeySetPath, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		begin, recorder := time.Now(), &answer{header: http.Header{}}
		b.ServeHTTP(recorder, request)
		if waited := time.Since(begin); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
		if !bytes.Equal(recorder.Bytes(), corpus.KeySetJSON(keys()...)) {
			t.Errorf("key set %s", recorder.Bytes())
		}
	})
}

func TestCloseDoesNotWaitForASlowAnswer(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{})
	entered := make(chan struct{})
	b.SetFault(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		close(entered)
		backend.Slow(time.Hour)(w, r, next)
	})
	go func() {
		<-entered
		_ = b.Close()
	}()
	if _, err := fetch(t, b.URL()+backend.DiscoveryPath); err == nil {
		t.Error("an answer from a closed backend")
	}
}

func TestFetchesAreCountedByPathAndUnknownPathsAreNot(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	for _, path := range []string{backend.KeySetPath, backend.KeySetPath, backend.DiscoveryPath, "/other", "/jwks/"} {
		get(t, b.URL()+path)
	}
	for path, want := range map[string]int64{backend.KeySetPath: 2, backend.DiscoveryPath: 1, backend.TokenPath: 0, "/other": 0} {
		if got := b.Fetches(path); got != want {
			t.Errorf("%s: %d fetches, want %d", path, got, want)
		}
	}
}

func TestItRefusesToServeTheWorld(t *testing.T) {
	t.Parallel()
	if b, err := backend.Start(t.Context(), backend.Config{Address: "0.0.0.0:0"}); err == nil {
		_ = b.Close()
		t.Error("tokens for everyone")
	}
}

// answer is a http.ResponseWriter in memory.
type answer struct {
	bytes.Buffer
	header  http.Header
	status  int // 0 where the handler set none.
	flushed int
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }
func (a *answer) Flush()                 { a.flushed++ }

func start(t *testing.T, config backend.Config) *backend.Running {
	t.Helper()
	b, err := backend.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func newRequest(t *testing.T, method, to string, form url.Values) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

func fetch(t *testing.T, from string) (*http.Response, error) {
	t.Helper()
	return send(t, newRequest(t, http.MethodGet, from, nil))
}

func send(t *testing.T, request *http.Request) (*http.Response, error) {
	t.Helper()
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err == nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	return response, err
}

func get(t *testing.T, from string) (*http.Response, []byte) {
	t.Helper()
	return do(t, newRequest(t, http.MethodGet, from, nil))
}

func do(t *testing.T, request *http.Request) (*http.Response, []byte) {
	t.Helper()
	response, err := send(t, request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func getJSON(t *testing.T, from string, into any) {
	t.Helper()
	if _, body := get(t, from); json.Unmarshal(body, into) != nil {
		t.Fatalf("no JSON: %s", body)
	}
}

func verify(t *testing.T, raw string, key *corpus.Key) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(token *jwt.Token) (any, error) {
		if token.Header["kid"] != key.ID() {
			t.Errorf("kid %v, want %q", token.Header["kid"], key.ID())
		}
		return key.Public(), nil
	}, jwt.WithValidMethods([]string{key.Algorithm()}), jwt.WithExpirationRequired())
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
