package main

import (
	"fmt"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
)

// demoCase is one thing to try.
type demoCase struct {
	title   string
	host    string
	method  string
	path    string
	account string // "" sends no credential
	legacy  bool
	html    bool
	expect  string
}

const (
	hostPortal = "dichvucong.gov.vn"
	hostHanoi  = "dichvucong.hanoi.gov.vn"
)

var demoCases = []demoCase{
	{"A citizen of level 2 files an application", hostHanoi, "POST", "/api/ho-so/nop", backend.Citizen2, false, false, "200, and the system sees X-VNeID-Subject, -Account-Kind, -Account-Level, -Issuer"},
	{"A citizen of level 1 does the same", hostHanoi, "POST", "/api/ho-so/nop", backend.Citizen1, false, false, "403 account_level_insufficient"},
	{"The same citizen only reads", hostPortal, "GET", "/api/ho-so", backend.Citizen1, false, false, "200"},
	{"An organisation, which has no level, files", hostHanoi, "POST", "/api/ho-so/nop", backend.Organisation, false, false, "200"},
	{"An organisation on the province's old login", hostHanoi, "GET", "/api/ho-so", backend.Organisation, true, false, "403 vneid_account_required (since 2025-07-01)"},
	{"A citizen on the province's old login, in a browser", hostHanoi, "GET", "/api/ho-so", backend.Citizen2, true, true, "403 vneid_account_required (since 2024-07-01), as a page"},
	{"An expired token", hostHanoi, "GET", "/api/ho-so", "expired", false, false, "401 token_expired"},
	{"A forged token", hostHanoi, "GET", "/api/ho-so", "forged", false, false, "401 signature_invalid"},
	{"A payment asks for a stronger login (step-up)", hostHanoi, "GET", "/api/thanh-toan/1", backend.Citizen2, false, false, "401 authentication_insufficient, with acr_values"},
	{"An officer's route that was removed", hostHanoi, "POST", "/api/cong-dan/tao-tai-khoan", backend.Citizen2, false, false, "403 citizen_account_creation_removed"},
	{"No credential", hostHanoi, "GET", "/api/ho-so", "", false, false, "401 credential_missing"},
	{"A public page", hostHanoi, "GET", "/tra-cuu/thu-tuc", "", false, false, "200"},
}

// curlLines renders the cases with fresh tokens.
func (p *demoParts) curlLines(address string, operator demoOperator) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "vneid-gateway demo: the gateway listens on http://%s\n", address)
	fmt.Fprintf(&b, "Probes and metrics: curl http://%[1]s/readyz   curl http://%[1]s/metrics\n", demoAdmin)
	fmt.Fprintf(&b, "More tokens: curl 'http://%s/token?as=citizen2'\n\n", demoIssuer)
	n := 0
	line := func(title, expect, command string) {
		n++
		fmt.Fprintf(&b, "# %d. %s\n#    -> %s\n%s\n\n", n, title, expect, command)
	}
	for _, c := range demoCases {
		command, err := p.curlLine(c, address)
		if err != nil {
			return "", err
		}
		line(c.title, c.expect, command)
	}
	if err := p.revocationLines(line, address, operator); err != nil {
		return "", err
	}
	b.WriteString("Ctrl-C ends the demo.\n")
	return b.String(), nil
}

// revocationLines shows a token before and after an operator has revoked it.
func (p *demoParts) revocationLines(line func(title, expect, command string), address string, operator demoOperator) error {
	token, err := p.vneid.Token(backend.Citizen2, "")
	if err != nil {
		return err
	}
	id, err := tokenID(token)
	if err != nil {
		return err
	}
	use := fmt.Sprintf("curl -i -X GET 'http://%s/api/ho-so' -H 'Host: %s' -H 'Authorization: Bearer %s'", address, hostHanoi, token)
	line("A token that somebody will revoke", "200", use)
	line("An operator revokes it. The same by command:\n#    vneid-gateway revoke --issuer vneid --jti "+id+" --reason demo --token-file "+operator.tokenFile(),
		"200, on disk and in force",
		fmt.Sprintf("curl -i -X POST 'http://%s/revocations' -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '%s'",
			demoAdmin, operator.token, `{"issuer":"vneid","jti":"`+id+`","reason":"demo"}`))
	line("The same token, on its next request", "401 token_revoked", use)
	return nil
}

func (p *demoParts) curlLine(c demoCase, address string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "curl -i -X %s 'http://%s%s' -H 'Host: %s'", c.method, address, c.path, c.host)
	if c.html {
		b.WriteString(" -H 'Accept: text/html'")
	}
	if c.account == "" {
		return b.String(), nil
	}
	from := p.vneid
	if c.legacy {
		from = p.legacy
	}
	token, err := from.Token(c.account, "")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, " -H 'Authorization: Bearer %s'", token)
	return b.String(), nil
}
