package logout_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// printed is an intake that shows what it is given.
type printed struct{}

func (printed) Accept(_ context.Context, entries ...revocation.Entry) error {
	for _, e := range entries {
		fmt.Println(e.Kind, e.ID)
	}
	return nil
}

func Example() {
	signer, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		panic(err)
	}
	public, _, err := token.ParseKeySet(corpus.KeySetJSON(signer), token.KeySetOptions{})
	if err != nil {
		panic(err)
	}
	verifier, err := token.NewVerifier(token.Profile{
		Issuer: "https://sso.example", Algorithms: []string{"ES256"}, Audience: []string{"api"},
	})
	if err != nil {
		panic(err)
	}
	handler, err := logout.New(logout.Config{
		Name: "vneid", Verifier: verifier, Keys: &keySet{key: public[0]}, Audience: []string{"tthc"}, Intake: printed{},
		Lifetime: func(string) time.Duration { return time.Hour }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}

	now := time.Now()
	raw, err := corpus.Token{
		Type: "logout+jwt", Issuer: "https://sso.example", Audience: []string{"tthc"}, ID: "bWJq", SessionID: "session-1",
		IssuedAt: now, Expires: now.Add(2 * time.Minute),
		Claims: map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}},
	}.Sign(signer)
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/logout/vneid", strings.NewReader(url.Values{"logout_token": {raw}}.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code)
	// Output:
	// session session-1
	// 200
}
