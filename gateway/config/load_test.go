package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAFileThatCannotBeReadIsAFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#"), maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(dir, "absent.yaml")
	for name, want := range map[string]string{
		absent: absent + ": cannot be read: no such file or directory",
		dir:    dir + ": cannot be read: not a regular file",
		large:  large + ": has more than 4194304 bytes",
	} {
		c, err := Load(name)
		if _, ok := errors.AsType[*Faults](err); !ok || c != nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Parse("x", bytes.Repeat([]byte("#"), maxFileBytes+1), ""); err == nil {
		t.Error("Parse took more than the bound")
	}
}

func TestARelativePathIsRelativeToTheFile(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/working_full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.StateDir:                                  "state",
		c.Admin.TokenFile:                           "token.txt",
		c.Issuers[0].Backend.CAFile:                 "ca.pem",
		c.Issuers[0].Backend.ClientCertFile:         "client.pem",
		c.Issuers[0].Backend.ClientKeyFile:          "client.key",
		c.Issuers[0].Introspection.PrivateKeyFile:   "client.key",
		c.Issuers[1].JWKS.File:                      "keys.json",
		c.Issuers[3].Introspection.ClientSecretFile: "client-secret.txt",
	} {
		if want = filepath.Join("testdata", want); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := join("/etc", "/var/keys.json"), "/var/keys.json"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnAbsentFieldHasItsDefault(t *testing.T) {
	t.Parallel()
	c, err := parseMinimal(t)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		c.Admin.Address, c.Limits.HeaderCount, c.Verdicts.MaxBytes, *c.Shutdown.Delay, *c.Log.Access.RefusedPerSecond,
		*c.Issuers[0].Leeway, c.Issuers[0].JWKS.Refresh, c.Issuers[0].Types, c.Issuers[0].Claims.AccountLevel.Map,
		c.Sites[0].Mode, c.Sites[0].Timeouts.Idle, c.Sites[0].Rules, c.Listen[0].TrustedProxies,
		*c.Issuers[0].JWKS.UnknownKey.Burst, *c.Issuers[0].JWKS.UnknownKey.Wait, *c.Issuers[0].Introspection.InactiveAge,
		c.Issuers[0].JWKS.UnknownKey.Answer, c.Issuers[0].Introspection.Tokens, c.Issuers[0].Backend.MaxBytes, c.StateDir,
	}
	want := []any{
		"127.0.0.1:9080", 100, 256 * mib, 5 * time.Second, 100,
		30 * time.Second, 5 * time.Minute,
		[]string{"at+jwt", "JWT", ""},
		map[string]int{"1": 1, "2": 2},
		ModeEnforce, time.Minute, []Rule(nil), []string(nil),
		3, time.Second, 10 * time.Second,
		AnswerRefuse, TokensOpaque, mib, "",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestEveryFieldIsReadFromTheFile(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/working_full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// Every key of the schema is stated somewhere, so no key is lost on the way.
	stated := make(map[string]bool)
	for field := range c.places.stated {
		stated[field[strings.LastIndexByte(field, '.')+1:]] = true
	}
	for _, typ := range schemaTypes() {
		for _, f := range fieldsOf(typ) {
			if !stated[f.key] {
				t.Errorf("%s.%s is not in working_full.yaml", typ.Name(), f.key)
			}
		}
	}
	vietnam := time.FixedZone("", 7*3600)
	got := []any{
		c.Sites[0].Hosts, c.Sites[0].MaxBodyBytes, c.Sites[0].Rules[1], c.Issuers[0].Claims.AccountKind,
		*c.Issuers[0].Leeway, c.Cutover[0].From.Equal(time.Date(2024, 7, 1, 0, 0, 0, 0, vietnam)),
		c.Sites[0].IdentityHeaders, c.Limits.HeaderBytes, *c.Log.Access.RefusedPerSecond,
		*c.Issuers[0].JWKS.UnknownKey.Burst, *c.Issuers[0].JWKS.UnknownKey.Wait, *c.Issuers[0].Introspection.InactiveAge,
		c.Issuers[0].JWKS.HardStale, c.Issuers[3].Introspection.Auth, c.Issuers[3].HasKeySet(), c.Issuers[1].HasKeySet(),
	}
	want := []any{
		[]string{"dichvucong.hanoi.gov.vn", "*.hanoi.gov.vn"},
		gib,
		Rule{
			Paths: []string{"/api/ho-so/**"}, Methods: []string{"POST", "PUT"}, Access: AccessRequire,
			Requirement: Requirement{
				AccountKinds: []string{KindCitizen, KindForeigner}, AccountLevel: 2, ACR: []string{"loa2"}, MaxAuthAge: 15 * time.Minute,
			},
		},
		KindClaim{Claim: "account_type", Default: KindCitizen, Map: map[string]string{
			"1": KindCitizen, "2": KindOrganisation, "3": KindEnterprise, "CB": KindOfficer, "NN": KindForeigner,
		}},
		time.Duration(0), true,
		[]string{},
		16 * kib, 0,
		0, time.Duration(0), time.Duration(0),
		48 * time.Hour, AuthSecretPost, false, true,
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got  %v\nwant %v", got[i], want[i])
		}
	}
}

func TestAReportIsBounded(t *testing.T) {
	t.Parallel()
	_, err := Parse("x", []byte("sites:\n"+strings.Repeat("  - {}\n", 2*maxFaults)), "")
	faults, ok := errors.AsType[*Faults](err)
	if !ok || len(*faults) != maxFaults {
		t.Errorf("%d faults", len(*faults))
	}
}

func TestWarningsOfAConfigWithoutAFileHaveNoPosition(t *testing.T) {
	t.Parallel()
	c := Config{Admin: Admin{Address: ":9080"}}
	w := c.Warnings()
	if len(w) != 1 || w[0].Line != 0 || w[0].Field != "admin.address" {
		t.Errorf("got %v", w)
	}
}

func TestAByteOrderMarkIsNoContent(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/working_minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("x", append([]byte("\ufeff"), data...), ""); err != nil {
		t.Error(err)
	}
}
