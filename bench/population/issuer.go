package population

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// issuerFormat is the format of [IssuerFile].
const issuerFormat = "vneid-bench-issuer/1"

// maxIssuerBytes bounds [IssuerFile].
const maxIssuerBytes = 64 << 20

// The issuers of a corpus, and the paths below the first that the others are at.
const (
	issuerVNeID  = "vneid"
	issuerLegacy = "legacy"
	issuerOpaque = "opaque"

	legacyPath = "/legacy"
	opaquePath = "/opaque"

	clientID = "vneid-gateway"
)

// secrets is the content of [IssuerFile]: what only an issuer knows.
type secrets struct {
	Format  string          `json:"format"`
	Issuers []secretIssuer  `json:"issuers"`
	Secret  string          `json:"introspection_client_secret,omitzero"`
	Opaque  []opaqueAccount `json:"opaque_tokens,omitzero"`
}

// secretIssuer is an issuer with its keys.
type secretIssuer struct {
	Name     string      `json:"name"`
	URL      string      `json:"issuer"`
	Audience string      `json:"audience"`
	Keys     []secretKey `json:"keys"`
}

type secretKey struct {
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Private   string `json:"private_key_pkcs8_pem"`
}

// opaqueAccount is an opaque token, and what it stands for.
type opaqueAccount struct {
	Token    string    `json:"token"`
	Subject  string    `json:"sub"`
	Audience string    `json:"aud"`
	From     time.Time `json:"nbf"`
	Expires  time.Time `json:"exp"`
	Active   bool      `json:"active"`
}

// Issuers are the issuers of a corpus, and listen.
type Issuers struct {
	// Running is the first one, at the root of the address.
	*backend.Running
	// Legacy is the old portal's login, and Opaque the issuer of opaque tokens;
	// nil where the corpus has none of theirs.
	Legacy, Opaque *backend.Backend
}

// IssuersConfig says how the issuers of a corpus are served.
type IssuersConfig struct {
	// Address is the loopback "IP:port" to listen on. Optional. Defaults to that of
	// the corpus' issuer URL.
	Address string
	// Control serves [backend.ControlPath] too, of each issuer below its own path.
	Control bool
	// CacheControl is that header's value on key sets. Optional.
	CacheControl string
}

// ServeIssuers serves discovery, key sets and introspection for the corpus in a
// directory until it is closed. Errors wrap [ErrCorpus], or are the system's.
func ServeIssuers(ctx context.Context, dir string, config IssuersConfig) (*Issuers, error) {
	raw, err := readFile(filepath.Join(dir, IssuerFile), maxIssuerBytes)
	if err != nil {
		return nil, err
	}
	var s secrets
	if err := json.Unmarshal(raw, &s, json.RejectUnknownMembers(true)); err != nil || s.Format != issuerFormat || len(s.Issuers) == 0 {
		return nil, fmt.Errorf("%w: %s: not of the format %s", ErrCorpus, IssuerFile, issuerFormat)
	}
	all := &Issuers{}
	below := map[string]*backend.Backend{}
	for _, i := range s.Issuers[1:] {
		c, err := s.config(i, config)
		if err != nil {
			return nil, err
		}
		b := backend.New(c)
		switch i.Name {
		case issuerLegacy:
			all.Legacy, below[legacyPath] = b, b
		case issuerOpaque:
			all.Opaque, below[opaquePath] = b, b
		default:
			return nil, fmt.Errorf("%w: %s: an issuer that is none of %s, %s", ErrCorpus, IssuerFile, issuerLegacy, issuerOpaque)
		}
	}
	if err := s.introduce(all.Opaque); err != nil {
		return nil, err
	}
	first, err := s.config(s.Issuers[0], config)
	if err != nil {
		return nil, err
	}
	first.Below = below
	if first.Address = config.Address; first.Address == "" {
		if first.Address, err = addressOf(s.Issuers[0].URL); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrCorpus, IssuerFile, err)
		}
	}
	all.Running, err = backend.Start(ctx, first)
	return all, err
}

// config is what an issuer is started with.
func (s *secrets) config(i secretIssuer, config IssuersConfig) (backend.Config, error) {
	c := backend.Config{Issuer: i.URL, Audience: i.Audience, CacheControl: config.CacheControl, Control: config.Control}
	for _, k := range i.Keys {
		key, err := corpus.ParseKey(k.Algorithm, k.ID, []byte(k.Private))
		if err != nil {
			return c, fmt.Errorf("%w: %s: key %q: %w", ErrCorpus, IssuerFile, k.ID, err)
		}
		c.Keys = append(c.Keys, key)
	}
	if s.Secret != "" {
		c.Clients = []backend.Client{{ID: clientID, Secret: s.Secret}}
	}
	return c, nil
}

// introduce tells an issuer of its opaque tokens.
func (s *secrets) introduce(b *backend.Backend) error {
	if b == nil {
		return nil
	}
	for _, account := range s.Opaque {
		if !account.Active { // A token that it never heard of is not active: RFC 7662 section 2.2.
			continue
		}
		t := corpus.NewToken(b.Issuer(), account.Audience, account.From)
		t.Subject, t.Expires = account.Subject, account.Expires
		if err := b.IssueAs(account.Token, t); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCorpus, IssuerFile, err)
		}
	}
	return nil
}

// addressOf returns the host and port of an issuer's URL.
func addressOf(issuer string) (string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "http" || u.Port() == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return "", fmt.Errorf("issuer URL %q: write it as http://127.0.0.1:9090", issuer)
	}
	return u.Host, nil
}

// writeSecrets writes [IssuerFile] for nobody else to read.
func writeSecrets(dir string, s *secrets) error {
	raw, err := json.Marshal(s, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, IssuerFile), append(raw, '\n'), 0o600)
}
