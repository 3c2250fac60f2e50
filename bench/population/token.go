package population

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// early is how long before they are made tokens are valid, for machines whose
// clocks are behind.
const early = time.Minute

// beyond is how far behind the corpus' end tokens begin that are not yet valid.
const beyond = time.Hour

// minter makes tokens. It is safe for concurrent use.
type minter struct {
	config  *Config
	created time.Time
	expires time.Time
	vneid   []*corpus.Key // one for each algorithm
	legacy  []*corpus.Key
}

// newMinter makes the keys.
func newMinter(c *Config, now time.Time) (*minter, error) {
	m := &minter{config: c, created: now, expires: now.Add(c.Lifetime)}
	for _, a := range c.Algorithms {
		for name, keys := range map[string]*[]*corpus.Key{issuerVNeID: &m.vneid, issuerLegacy: &m.legacy} {
			key, err := corpus.NewKey(a.Of, name+"-"+a.Of)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrConfig, err)
			}
			*keys = append(*keys, key)
		}
	}
	return m, nil
}

// minted is a request, and what its issuer or an operator has to know of it.
type minted struct {
	line    Line
	revoked string         // the jti that is to be revoked
	opaque  *opaqueAccount // what an opaque token stands for
}

// mint makes the request that a draft describes.
func (m *minter) mint(d *draft, pool Pool) (minted, error) {
	site := &m.config.Sites[d.site]
	t := d.class.trait()
	made := minted{line: Line{
		Class: d.class, Pool: pool, Method: http.MethodGet, Host: site.Host, Path: site.Paths[d.turn%len(site.Paths)],
		Expect: Expectation{Status: []int{t.status}, Code: t.code},
	}}
	switch d.class {
	case LevelTooLow:
		made.line.Method, made.line.Path = http.MethodPost, levelPath
	case Public:
		made.line.Path = publicPath + site.Paths[d.turn%len(site.Paths)]
	case LegacyOrganisation:
		if c := m.config.OrganisationCutover; c.IsZero() || c.After(m.expires) {
			made.line.Expect = Expectation{Status: []int{http.StatusOK}}
		}
	}
	var raw string
	var err error
	switch t.kind {
	case kindNone:
		return made, nil
	case kindOpaque:
		raw = rand.Text()
		made.opaque = &opaqueAccount{
			Token: raw, Subject: rand.Text(), Audience: site.Audience,
			From: m.created.Add(-early), Expires: m.expires, Active: d.class == Opaque,
		}
	default:
		raw, made.revoked, err = m.jwt(d, site)
	}
	made.line.Authorization = "Bearer " + raw
	return made, err
}

// jwt signs the token that a draft describes. Of one that is to be revoked it
// returns the jti.
func (m *minter) jwt(d *draft, site *Site) (raw, revoked string, err error) {
	key, issuer := m.vneid[d.algorithm], m.config.IssuerURL
	if d.class.trait().kind == kindLegacy {
		key, issuer = m.legacy[d.algorithm], issuer+legacyPath
	}
	t := corpus.NewToken(issuer, site.Audience, m.created.Add(-early))
	t.Expires, t.Size = m.expires, m.config.Sizes[d.size].Of
	switch d.class {
	case ValidLevel1, LevelTooLow:
		t.AccountLevel = 1
	case Organisation, LegacyOrganisation:
		t = t.Organisation()
	case Revoked:
		revoked = t.ID
	case NotYetValid:
		t.NotBefore = m.expires.Add(beyond)
		t.Expires = t.NotBefore.Add(corpus.DefaultLifetime)
	}
	if fault := faults[d.class]; fault != "" {
		raw, err = t.SignFaulty(key, fault)
	} else {
		raw, err = t.Sign(key)
	}
	return raw, revoked, err
}

// faults are those of the tokens of a class.
var faults = map[Class]corpus.Fault{ //nolint:gochecknoglobals // a constant, if Go had them
	Expired: corpus.Expired, Forged: corpus.Forged, Altered: corpus.Altered,
	UnknownKey: corpus.UnknownKid, WrongAudience: corpus.WrongAudience, WrongIssuer: corpus.WrongIssuer,
}
