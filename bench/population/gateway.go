package population

import (
	"bytes"
	"crypto/rand"
	_ "embed" // for the configuration
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed gateway.yaml.tmpl
var gatewayTemplate string

// gatewayView is what the configuration of the gateway is made of.
type gatewayView struct {
	*Manifest

	Listen, Admin       string
	Algorithms          []string
	MaxLifetime         time.Duration
	OrganisationCutover string // "" is none
	Revokes, Plain      bool
	ClientID            string
	PublicPath          string
	LevelPath           string
}

// writeGateway writes a configuration of vneid-gateway with which every class of
// the corpus gets the answer that its requests expect, and the secrets that it
// names.
func (s *scribe) writeGateway(m *Manifest, secret string) error {
	v := gatewayView{
		Manifest: m, Listen: s.config.Listen, Admin: s.config.Admin,
		// Tokens that are not yet valid reach the furthest.
		MaxLifetime: s.config.Lifetime + 2*beyond,
		Plain:       !loopback(s.config.IssuerURL), ClientID: clientID,
		PublicPath: publicPath + "/**", LevelPath: "/api/ho-so/**",
	}
	for _, a := range m.Algorithms {
		v.Algorithms = append(v.Algorithms, a.Name)
	}
	for _, c := range m.Classes {
		v.Revokes = v.Revokes || c.Class == Revoked
	}
	if c := s.config.OrganisationCutover; !c.IsZero() {
		v.OrganisationCutover = c.Format(time.RFC3339)
	}
	text, err := v.render()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name, content string
		mode          os.FileMode
	}{
		{GatewayFile, text, 0o644},
		{AdminToken, rand.Text() + "\n", 0o600},
		{ClientSecret, secret, 0o600},
	} {
		if f.content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(s.dir, f.name), []byte(f.content), f.mode); err != nil {
			return err
		}
	}
	return nil
}

func (v *gatewayView) render() (string, error) {
	t, err := template.New("gateway.yaml").Funcs(template.FuncMap{"quote": quote, "list": list}).Parse(gatewayTemplate)
	if err != nil {
		return "", fmt.Errorf("gateway.yaml: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return "", fmt.Errorf("gateway.yaml: %w", err)
	}
	return b.String(), nil
}

// quote writes a string as JSON does, which YAML reads.
func quote(s string) (string, error) {
	raw, err := json.Marshal(s)
	return string(raw), err
}

// list writes strings as a list in one line.
func list(all []string) (string, error) {
	quoted := make([]string, len(all))
	for i, s := range all {
		var err error
		if quoted[i], err = quote(s); err != nil {
			return "", err
		}
	}
	return "[" + strings.Join(quoted, ", ") + "]", nil
}
