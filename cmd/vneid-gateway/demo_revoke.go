package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/vneid-gateway/vneid-gateway/deploy"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

// demoOperator is who may revoke in the demo, whose files are in dir.
type demoOperator struct{ dir, token string }

func newDemoOperator(dir string) demoOperator { return demoOperator{dir, rand.Text()} }

func (o demoOperator) tokenFile() string { return filepath.Join(o.dir, "admin-token") }

// config returns the example configuration with an operator and a place for
// revocations.
func (o demoOperator) config() (*config.Config, error) {
	if err := os.WriteFile(o.tokenFile(), []byte(o.token+"\n"), 0o600); err != nil {
		return nil, err
	}
	cfg, err := config.Parse("gateway.yaml", deploy.ExampleConfig, o.dir)
	if err != nil {
		return nil, err
	}
	cfg.Admin.TokenFile = o.tokenFile()
	cfg.Revocation.Directory = filepath.Join(o.dir, "revocations")
	return cfg, nil
}

// tokenID reads the jti of a token that the demo has made itself.
func tokenID(token string) (string, error) {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, ok := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if !ok || err != nil {
		return "", errors.New("demo: not a token")
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil || claims.ID == "" {
		return "", errors.New("demo: a token without jti")
	}
	return claims.ID, nil
}
