package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/foreign"
)

// foreignConfig is a configuration with the provider as its only issuer; jwks
// and introspection are these sections' fields, "" for none.
func foreignConfig(t *testing.T, provider *foreign.Provider, jwks, introspection, audience string) string {
	t.Helper()
	sections := ""
	if jwks != "" {
		sections += "\n    jwks: { " + jwks + " }"
	}
	if introspection != "" {
		sections += "\n    introspection: { " + introspection + " }"
	}
	return fmt.Sprintf(`
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0", token_file: %s }
state_dir: %s
issuers:
  - name: foreign
    issuer: %s%s
    audience: { any_of: [%s] }
    claims:
      account_kind: { claim: account_type, map: { "1": citizen, "2": organisation } }
      account_level: { claim: account_level }
      personal_number: preferred_username
sites:
  - name: hanoi
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [foreign]
    identity_headers: [subject, account_kind, account_level]
    rules:
      - { paths: [/api/ho-so/**], methods: [POST], account_level: 2 }
      - { paths: [/api/thanh-toan/**], acr: ["2"], max_auth_age: 15m }
shutdown: { delay: 0s, deadline: 5s }
`, operatorFile(t), filepath.Join(t.TempDir(), "state"), provider.Issuer, sections, audience, testHost, startSite(t).URL())
}

// secretFile writes what only the gateway may read.
func secretFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpaqueTokensOfAForeignIssuerAreJudged(t *testing.T) {
	t.Parallel()
	provider := startProvider(t)
	endpoint := provider.Introspection()
	for name, credentials := range map[string]string{
		"client_secret_basic": fmt.Sprintf("client_id: %s, client_secret_file: %s",
			endpoint.ClientID, secretFile(t, []byte(endpoint.ClientSecret))),
		"private_key_jwt": fmt.Sprintf("auth: private_key_jwt, client_id: %s, private_key_file: %s, private_key_id: %s",
			endpoint.KeyClientID, secretFile(t, endpoint.Key.PrivatePEM()), endpoint.Key.ID()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, foreignConfig(t, provider, "",
				"url: "+endpoint.Endpoint+", max_age: 1s, "+credentials, foreign.AudienceOpaque))
			g.awaitReady(t)
			opaque := func(account string) string {
				token, err := provider.Opaque(t.Context(), account)
				if err != nil {
					t.Fatal(err)
				}
				return token
			}
			ask := func(method, path, token string) answer {
				return send(t, g.data, request{method: method, host: testHost, path: path, token: token})
			}
			high, low, organisation := opaque(foreign.Citizen2), opaque(foreign.Citizen1), opaque(foreign.Organisation)
			for account, token := range map[string]string{
				foreign.Citizen2: high, foreign.Citizen1: low, foreign.Organisation: organisation,
			} {
				saw := ask(http.MethodGet, reading, token).echo(t)
				want := map[string][]string{
					"X-Vneid-Subject": {account}, "X-Vneid-Account-Kind": {"citizen"}, "X-Vneid-Account-Level": {account[len(account)-1:]},
				}
				if account == foreign.Organisation {
					want["X-Vneid-Account-Kind"], want["X-Vneid-Account-Level"] = []string{"organisation"}, nil
				}
				for field, values := range want {
					if got := saw.Values(field); !slices.Equal(got, values) {
						t.Errorf("%s: %s: %q, want %q", account, field, got, values)
					}
				}
			}
			ask(http.MethodPost, filing, high).echo(t)
			ask(http.MethodPost, filing, low).refusedWith(t, http.StatusForbidden, "account_level_insufficient")
			ask(http.MethodGet, paying, high).echo(t) // acr and auth_time were told
			ask(http.MethodGet, reading, "nobody-issued-this").refusedWith(t, http.StatusUnauthorized, "token_inactive")

			if err := provider.Revoke(t.Context(), high); err != nil {
				t.Fatal(err)
			}
			eventually(t, "refused after its revocation", func() bool {
				return ask(http.MethodGet, reading, high).status == http.StatusUnauthorized
			})
			ask(http.MethodGet, reading, high).refusedWith(t, http.StatusUnauthorized, "token_inactive")
			ask(http.MethodGet, reading, low).echo(t)
			g.stop(t)
		})
	}
}
