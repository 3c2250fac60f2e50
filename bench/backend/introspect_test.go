package backend_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const secret = "a secret, with 100% odd:characters+"

// introspected asks as the client "gateway" by basic authentication.
func introspected(t *testing.T, b *backend.Running, token string) map[string]any {
	t.Helper()
	request := newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, url.Values{"token": {token}})
	request.SetBasicAuth("gateway", url.QueryEscape(secret))
	response, body := do(t, request)
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil || response.StatusCode != http.StatusOK ||
		response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", response.StatusCode, response.Header, body)
	}
	return members
}

func startIntrospection(t *testing.T, now func() time.Time) *backend.Running {
	t.Helper()
	return start(t, backend.Config{
		Keys: keys(), Now: now, Control: true,
		Clients: []backend.Client{
			{ID: "gateway", Secret: secret},
			{ID: "poster", Secret: secret, Method: backend.SecretPost},
			{ID: "signer", Key: keys()[0]},
		},
	})
}

func isInactive(members map[string]any) bool {
	return len(members) == 1 && members["active"] == false
}

func TestAnActiveTokenIsToldWithTheClaimsOfAJWT(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	levels := map[string]any{backend.Citizen2: 2.0, backend.Citizen1: 1.0, backend.Organisation: nil}
	for account, level := range levels {
		opaque, err := b.Opaque(account)
		if err != nil || strings.Contains(opaque, ".") {
			t.Fatalf("%q, %v", opaque, err)
		}
		compact, err := b.Token(account, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{opaque, compact} {
			got := introspected(t, b, token)
			for name, want := range map[string]any{
				"active": true, "token_type": "Bearer", "iss": b.Issuer(), "aud": b.Audience(), "azp": b.Audience(),
				"client_id": b.Audience(), "account_level": level, "padding": nil,
			} {
				if got[name] != want {
					t.Errorf("%s: %s is %v, want %v", account, name, got[name], want)
				}
			}
			if exp, ok := got["exp"].(float64); !ok || exp <= float64(time.Now().Unix()) || got["sub"] == nil || got["jti"] == nil {
				t.Errorf("%s: %v", account, got)
			}
		}
	}
	if _, err := b.Opaque("nobody"); !errors.Is(err, backend.ErrAccount) {
		t.Errorf("an opaque token of nobody: %v", err)
	}
	if _, body := get(t, b.URL()+"/token?format=opaque&as="+backend.Citizen2); introspected(t, b, string(body))["active"] != true {
		t.Errorf("%s is not active", body)
	}
}

func TestOnlyWhatTheBackendIssuedIsActive(t *testing.T) {
	t.Parallel()
	b, other := startIntrospection(t, nil), start(t, backend.Config{Keys: keys()})
	inactive := map[string]string{"garbage": "x.y.z", "unknown": "AAAAAAAAAAAAAAAAAAAAAAAAAA", "long": strings.Repeat("x", 40<<10)}
	for _, fault := range corpus.Faults() {
		if fault == corpus.WrongAudience {
			continue // Whom a token is for is the asker's question.
		}
		token, err := b.Token(string(fault), "")
		if err != nil {
			t.Fatal(err)
		}
		inactive[string(fault)] = token
	}
	var err error
	if inactive["of another issuer"], err = other.Token(backend.Citizen2, ""); err != nil {
		t.Fatal(err)
	}
	for name, token := range inactive {
		if got := introspected(t, b, token); !isInactive(got) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestATokenIsInactiveOnceRevokedOrItsKeyWithdrawn(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	opaque, err := b.Opaque(backend.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := b.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, err := b.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{opaque, revoked} {
		if introspected(t, b, token)["active"] != true {
			t.Error("inactive before its revocation")
		}
		if err := b.Revoke(token); err != nil {
			t.Fatal(err)
		}
		if got := introspected(t, b, token); !isInactive(got) {
			t.Errorf("revoked: %v", got)
		}
	}
	if introspected(t, b, withdrawn)["active"] != true {
		t.Error("a revocation reached another token")
	}
	b.SetKeys(keys()[1])
	if got := introspected(t, b, withdrawn); !isInactive(got) {
		t.Errorf("key withdrawn: %v", got)
	}
}

func TestAnOpaqueTokenIsActiveFromNotBeforeUntilExpires(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	token := corpus.NewToken("http://issuer.example", "tthc", now)
	for offset, active := range map[time.Duration]bool{
		-time.Second: false, 0: true, corpus.DefaultLifetime - 1: true, corpus.DefaultLifetime: false,
	} {
		b := startIntrospection(t, func() time.Time { return now.Add(offset) })
		raw, err := b.Issue(token)
		if err != nil {
			t.Fatal(err)
		}
		if got := introspected(t, b, raw); got["active"] != active {
			t.Errorf("at %v: %v", offset, got)
		}
	}
}

func TestNoMoreTokensAreRememberedThanTheBound(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	clock := now
	b := backend.New(backend.Config{Now: func() time.Time { return clock }})
	token, n := corpus.Token{Expires: now.Add(time.Minute)}, 0
	var err error
	for ; err == nil; n++ {
		_, err = b.Issue(token)
	}
	if !errors.Is(err, backend.ErrFull) || n < 100_000 {
		t.Errorf("after %d tokens: %v", n, err)
	}
	clock = token.Expires
	if _, err := b.Issue(token); err != nil {
		t.Errorf("expired tokens make no room: %v", err)
	}
	for n, err = 0, nil; err == nil; n++ {
		err = b.Revoke(string(rune('a'+n%26)) + time.Duration(n).String())
	}
	if !errors.Is(err, backend.ErrFull) || n < 100_000 {
		t.Errorf("after %d revocations: %v", n, err)
	}
}

func TestFaultsReachIntrospection(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	token, err := b.Opaque(backend.Citizen2)
	if err != nil {
		t.Fatal(err)
	}
	b.SetFault(backend.WrongIssuer())
	if got := introspected(t, b, token); got["iss"] == b.Issuer() || got["active"] != true || got["account_level"] != 2.0 {
		t.Errorf("wrong issuer: %v", got)
	}
	b.SetFault(backend.Body("application/json", []byte(`{"active":"true"}`)))
	request := newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, url.Values{"token": {token}})
	if _, body := do(t, request); string(body) != `{"active":"true"}` {
		t.Errorf("body: %s", body)
	}
	if err := b.SetFaultAt(backend.IntrospectPath, backend.RedirectSameOrigin(), 0); err != nil {
		t.Fatal(err)
	}
	request = newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, url.Values{"token": {token}})
	if response, _ := do(t, request); response.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("redirect: %d", response.StatusCode)
	}
	if got := b.Fetches(backend.IntrospectPath); got != 3 {
		t.Errorf("%d fetches", got)
	}
}

func TestAMalformedIntrospectionRequestIsRefused(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	for name, form := range map[string]url.Values{
		"no token":   {},
		"empty":      {"token": {""}},
		"two tokens": {"token": {"a", "b"}},
		"too large":  {"token": {strings.Repeat("x", 65<<10)}},
	} {
		request := newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath, form)
		request.SetBasicAuth("gateway", url.QueryEscape(secret))
		response, body := do(t, request)
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"error":"invalid_request"`) {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	// A token in the query would be in every log on the way: RFC 7662 section 4.
	request := newRequest(t, http.MethodPost, b.URL()+backend.IntrospectPath+"?token=x", url.Values{})
	request.SetBasicAuth("gateway", url.QueryEscape(secret))
	if response, _ := do(t, request); response.StatusCode != http.StatusBadRequest {
		t.Errorf("a token in the query: %d", response.StatusCode)
	}
	if response, _ := get(t, b.URL()+backend.IntrospectPath); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
}
