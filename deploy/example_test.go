package deploy_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/deploy"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

// offered matches the # of a setting that the example only shows.
var offered = regexp.MustCompile(`(?m)^( *)#( {2,}\S|[^ #\n])`)

func TestExampleConfigurationHasNoWarnings(t *testing.T) {
	t.Parallel()
	c, err := config.Parse("gateway.yaml", deploy.ExampleConfig, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings() {
		t.Error(w)
	}
}

// What the example shows in comments is taken as it stands there, and says what
// holds without it.
func TestSettingsThatTheExampleOffersAreAccepted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"admin-token":       "0123456789abcdef0123456789abcdef\n",
		"portal-hue.secret": "portal-secret\n",
		"identity-ca.pem":   certificate(t),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := config.Parse("gateway.yaml", deploy.ExampleConfig, dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("gateway.yaml", offered.ReplaceAll(deploy.ExampleConfig, []byte("$1$2")), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings() {
		t.Error(w)
	}
	if len(c.Issuers) != len(plain.Issuers)+1 || c.StateDir == "" || c.Admin.TokenFile == "" {
		t.Fatalf("%d issuers, state_dir %q, admin.token_file %q", len(c.Issuers), c.StateDir, c.Admin.TokenFile)
	}
	shown, without := c.Issuers[0], plain.Issuers[0]
	if shown.Backend.CAFile == "" {
		t.Error("no backend.ca_file")
	}
	shown.Backend.CAFile = ""
	if !reflect.DeepEqual(shown.Backend, without.Backend) || !reflect.DeepEqual(shown.JWKS, without.JWKS) {
		t.Errorf("shown as a default, but none: %+v %+v, want %+v %+v", shown.Backend, shown.JWKS, without.Backend, without.JWKS)
	}
}

// certificate returns some certificate in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
