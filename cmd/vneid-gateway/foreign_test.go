package main

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

const (
	testHost  = "dichvucong.hanoi.gov.vn"
	filing    = "/api/ho-so/nop"
	reading   = "/api/ho-so"
	paying    = "/api/thanh-toan/1"
	openPages = "/tra-cuu/thu-tuc"
)

func TestForeignTokensOfEveryAlgorithmAreJudged(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	for _, alg := range foreign.Algorithms() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			citizen2, citizen1 := w.machine(t, foreign.Citizen2, alg), w.machine(t, foreign.Citizen1, alg)
			organisation := w.machine(t, foreign.Organisation, alg)
			login := w.person(t, foreign.Citizen2, alg)

			t.Run("a good token reaches the upstream with its identity", func(t *testing.T) {
				t.Parallel()
				a := send(t, w.gateway.data, request{
					method: http.MethodPost, host: testHost, path: filing, token: citizen2,
					header: map[string]string{"X-VNeID-Subject": "somebody-else", "X_VNeID_Account-Level": "9"},
				})
				saw := a.echo(t)
				for name, want := range map[string]string{
					"X-Vneid-Subject": foreign.Citizen2, "X-Vneid-Account-Kind": "citizen",
					"X-Vneid-Account-Level": "2", "X-Vneid-Issuer": w.provider.Issuer,
				} {
					if got := saw.Values(name); !slices.Equal(got, []string{want}) {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
				for _, name := range []string{"X-Vneid-Auth-Time", "X-Vneid-Token-Id"} {
					if got := saw.Values(name); len(got) != 1 || got[0] == "" {
						t.Errorf("%s: %q", name, got)
					}
				}
				for _, name := range []string{"Authorization", "X_vneid_account-Level"} {
					if got := saw.Values(name); got != nil {
						t.Errorf("the upstream saw %s", name)
					}
				}
			})
			t.Run("an account level below the rule's is refused", func(t *testing.T) {
				t.Parallel()
				w.ask(t, http.MethodPost, filing, citizen1).refusedWith(t, http.StatusForbidden, "account_level_insufficient")
				w.ask(t, http.MethodGet, reading, citizen1).echo(t)
			})
			t.Run("an organisation has no level and is never checked for one", func(t *testing.T) {
				t.Parallel()
				saw := w.ask(t, http.MethodPost, filing, organisation).echo(t)
				if got := saw.Values("X-Vneid-Account-Kind"); !slices.Equal(got, []string{"organisation"}) {
					t.Errorf("kind %q", got)
				}
				if got := saw.Values("X-Vneid-Account-Level"); got != nil {
					t.Errorf("level %q", got)
				}
			})
			t.Run("a weak login is sent to step up, a strong one passes", func(t *testing.T) {
				t.Parallel()
				weak := w.ask(t, http.MethodGet, paying, citizen2)
				weak.refusedWith(t, http.StatusUnauthorized, "authentication_insufficient")
				challenge := weak.header.Get("WWW-Authenticate")
				for _, want := range []string{`error="insufficient_user_authentication"`, `acr_values="2"`, `max_age="900"`} {
					if !strings.Contains(challenge, want) {
						t.Errorf("challenge %s lacks %s", challenge, want)
					}
				}
				w.ask(t, http.MethodGet, paying, login).echo(t)
			})
			t.Run("a changed token is refused", func(t *testing.T) {
				t.Parallel()
				w.ask(t, http.MethodGet, reading, promoted(t, citizen1)).refusedWith(t, http.StatusUnauthorized, "signature_invalid")
				w.ask(t, http.MethodGet, reading, resigned(citizen1)).refusedWith(t, http.StatusUnauthorized, "signature_invalid")
				w.ask(t, http.MethodGet, reading, citizen1).echo(t)
			})
		})
	}
}

func TestForeignTokenForAnotherAudienceIsRefused(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	narrow := serve(t, w.config(foreign.Audience("ES256")))
	narrow.awaitReady(t)
	ask := func(alg string) answer {
		return send(t, narrow.data, request{host: testHost, path: reading, token: w.machine(t, foreign.Citizen2, alg)})
	}
	ask("ES256").echo(t)
	ask("RS256").refusedWith(t, http.StatusUnauthorized, "audience_mismatch")
}

func TestTokensThatNoProviderWouldMakeAreRefused(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	for as, want := range map[string]struct {
		status int
		code   string
	}{
		"garbage":                    {http.StatusUnauthorized, "token_malformed"},
		"":                           {http.StatusUnauthorized, "credential_missing"},
		string(corpus.Expired):       {http.StatusUnauthorized, "token_expired"},
		string(corpus.NotYetValid):   {http.StatusUnauthorized, "token_not_yet_valid"},
		string(corpus.Forged):        {http.StatusUnauthorized, "signature_invalid"},
		string(corpus.WrongAudience): {http.StatusUnauthorized, "audience_mismatch"},
		string(corpus.WrongIssuer):   {http.StatusUnauthorized, "issuer_unknown"},
		string(corpus.AlgNone):       {http.StatusUnauthorized, "token_algorithm_not_allowed"},
		string(corpus.UnknownKid):    {http.StatusUnauthorized, "key_unknown"},
	} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			token := as
			if as != "" && as != "garbage" {
				var err error
				if token, err = w.own.Token(as, ""); err != nil {
					t.Fatal(err)
				}
			}
			w.ask(t, http.MethodGet, reading, token).refusedWith(t, want.status, want.code)
		})
	}
}

func TestABrowserGetsAPageInVietnamese(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	a := send(t, w.gateway.data, request{
		host: testHost, path: filing, method: http.MethodPost, token: w.machine(t, foreign.Citizen1, "EdDSA"),
		header: map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
	})
	if a.status != http.StatusForbidden || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	for _, want := range []string{`<html lang="vi">`, "mức độ 2", "1900 0368", a.header.Get("X-Request-Id")} {
		if want == "" || !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestAWarmTokenIsAHitOfTheVerdictCache(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	const hits = `vneid_gateway_verdict_cache_lookups_total{result="hit"}`
	const verified = `vneid_gateway_verifications_total{issuer="foreign",reason="none"}`
	token := w.machine(t, foreign.Citizen2, "RS256")
	w.ask(t, http.MethodGet, reading, token).echo(t)
	if n := w.gateway.metric(t, hits); n != 0 {
		t.Fatalf("%v hits after one request", n)
	}
	// The cache takes a verdict in the background: the second request is a hit
	// or asks for a third.
	for range 1000 {
		w.ask(t, http.MethodGet, reading, token).echo(t)
		if w.gateway.metric(t, hits) > 0 {
			break
		}
	}
	before := w.gateway.metric(t, verified)
	w.ask(t, http.MethodGet, reading, token).echo(t)
	if n := w.gateway.metric(t, hits); n < 2 {
		t.Errorf("%v hits", n)
	}
	if after := w.gateway.metric(t, verified); after != before {
		t.Errorf("a warm token was verified again: %v, then %v", before, after)
	}
}

func TestTheProvidersEndIsNoticedByNobody(t *testing.T) {
	t.Parallel()
	w := newForeignWorld(t)
	warm, cold := map[string]string{}, map[string]string{}
	for _, alg := range foreign.Algorithms() {
		warm[alg], cold[alg] = w.person(t, foreign.Citizen2, alg), w.person(t, foreign.Citizen1, alg)
		w.ask(t, http.MethodGet, reading, warm[alg]).echo(t)
	}
	if err := w.provider.Close(); err != nil {
		t.Fatal(err)
	}
	for _, alg := range foreign.Algorithms() {
		w.ask(t, http.MethodPost, filing, warm[alg]).echo(t)
		w.ask(t, http.MethodGet, reading, cold[alg]).echo(t)
		w.ask(t, http.MethodGet, reading, resigned(cold[alg])).refusedWith(t, http.StatusUnauthorized, "signature_invalid")
	}
	if a := get(t, w.gateway.admin+"/readyz"); a.status != http.StatusOK {
		t.Errorf("not ready without a provider: %s", a.body)
	}
	w.gateway.stop(t)
}

// promoted raises the account level in the payload and leaves the signature.
func promoted(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(payload), `"account_level":1`, `"account_level":2`, 1)
	if changed == string(payload) {
		t.Fatalf("no level to change in %s", payload)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(changed))
	return strings.Join(parts, ".")
}

// resigned changes the first character of the signature.
func resigned(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	other := byte('A')
	if token[at] == other {
		other = 'B'
	}
	return token[:at] + string(other) + token[at+1:]
}
