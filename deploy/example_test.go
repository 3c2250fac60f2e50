package deploy_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
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
	certificate, key := pair(t)
	for name, text := range map[string]string{
		"admin-token":       "0123456789abcdef0123456789abcdef\n",
		"push-token":        "0123456789abcdef0123456789abcdef\n",
		"redis-password":    "redis-password\n",
		"revocation-secret": strings.Repeat("5d", 32) + "\n",
		"portal-hue.secret": "portal-secret\n",
		"identity-ca.pem":   certificate,
		"hanoi.crt":         certificate,
		"hanoi.key":         key,
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
	fleet, told := &c.Revocation.Fleet, &shown.Revocation
	if c.Revocation.Directory == "" || c.Revocation.Receiver.Address == "" || !fleet.Enabled() || !told.Events.Enabled() ||
		!told.Logout.Enabled() || !told.StatusLists.Enabled() || c.Admin.TLS.CertFile == "" {
		t.Fatalf("not all ways to revoke: %+v, %+v, %+v", c.Revocation, told, c.Admin)
	}
	fleet.Redis, fleet.TLS, fleet.Username, fleet.PasswordFile = nil, false, "", ""
	c.Revocation.Directory, c.Revocation.SecretFile, c.Revocation.Receiver = "", "", plain.Revocation.Receiver
	listener, site := &c.Listen[0], &c.Sites[1]
	if !listener.TLS.Enabled() || len(listener.ProxyProtocol) == 0 || site.HealthCheck.Path == "" {
		t.Fatalf("no certificate, no balancer or no health check: %+v, %+v", listener, site.HealthCheck)
	}
	listener.TLS.Certificates, listener.ProxyProtocol = nil, plain.Listen[0].ProxyProtocol
	site.HealthCheck.Path = ""
	for _, same := range []struct{ shown, without any }{
		{c.Listen, plain.Listen},
		{c.Sites, plain.Sites},
		{c.Limits, plain.Limits},
		{c.Overload, plain.Overload},
		{c.Revocation, plain.Revocation},
		{c.Memory, plain.Memory},
		{c.Reload, plain.Reload},
	} {
		if !reflect.DeepEqual(same.shown, same.without) {
			t.Errorf("shown as a default, but none: %+v, want %+v", same.shown, same.without)
		}
	}
}

// pair returns some certificate and its key in PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}
