package scenario

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// prepare makes what actions need before the load begins: tokens under keys that are not published yet, and the names of
// those that are to be revoked.
func (a *actors) prepare(c *population.Corpus, src *source) error {
	if len(c.Manifest.Issuers) == 0 || len(c.Manifest.Sites) == 0 {
		return fmt.Errorf("%w: the corpus names no issuer or no site", ErrOptions)
	}
	a.issuer, a.issuerName = c.Manifest.Issuers[0].URL, c.Manifest.Issuers[0].Name
	a.revoke = make([][]stand.Revocation, len(a.scenario.Actions))
	a.refused = make([]*ruling, len(a.scenario.Actions))
	a.rotated = make([]corpus.JWK, len(a.scenario.Actions))
	a.undo = make([]func(context.Context) error, len(a.scenario.Actions))
	for i := range a.scenario.Actions {
		var err error
		switch action := &a.scenario.Actions[i]; action.Do {
		case DoRotateKey:
			if src.rotation != nil {
				return fmt.Errorf("%w: a second %s", ErrOptions, DoRotateKey)
			}
			err = a.prepareRotation(i, c, src)
		case DoRevokeTokens:
			err = a.prepareRevocation(i, c, src)
		}
		if err != nil {
			return fmt.Errorf("action %s: %w", a.scenario.Actions[i].Name, err)
		}
	}
	return nil
}

// prepareRotation makes a key and tokens under it.
func (a *actors) prepareRotation(i int, c *population.Corpus, src *source) error {
	action, issuer := &a.scenario.Actions[i], &c.Manifest.Issuers[0]
	// The configuration of a corpus lets the issuer sign with these only.
	if !slices.ContainsFunc(c.Manifest.Algorithms, func(n population.NamedCount) bool { return n.Name == action.Algorithm }) {
		return fmt.Errorf("%w: algorithm %s is none of the corpus", ErrOptions, action.Algorithm)
	}
	key, err := corpus.NewKey(action.Algorithm, fmt.Sprintf("rotated-%d", time.Now().UnixMilli()))
	if err != nil {
		return err
	}
	h := &a.course.moments[i]
	r := &rotation{
		millionth: int64(action.Share * 1e6),
		published: func() span { return span{time.Duration(h.beginLo.Load()), time.Duration(h.beginHi.Load())} },
	}
	for n := range action.Tokens {
		site := &c.Manifest.Sites[n%len(c.Manifest.Sites)]
		token := corpus.NewToken(issuer.URL, site.Audience, time.Now().Add(-time.Minute))
		token.Expires = c.Manifest.ExpiresAt
		raw, err := token.Sign(key)
		if err != nil {
			return err
		}
		request, err := attack.Build("", &url.URL{Scheme: "http", Host: site.Host, Path: site.Paths[n%len(site.Paths)]},
			map[string][]string{"Authorization": {"Bearer " + raw}}, nil)
		if err != nil {
			return err
		}
		request.Class = uint8(len(src.classes)) // newKeyClass is the last of few.
		request.Expect.Statuses = []int{200}
		r.requests = append(r.requests, request)
	}
	// The private half stays here: the issuer publishes the other one.
	a.rotated[i], src.rotation = key.PublicJWK(), r
	return nil
}

// prepareRevocation finds the most popular valid tokens.
func (a *actors) prepareRevocation(i int, c *population.Corpus, src *source) error {
	r := a.course.moments[i].revocation(src.codes)
	if src.revoked == nil {
		src.revoked = map[int64]*ruling{}
	}
	a.refused[i] = r
	n := int64(0)
	for line, err := range c.Lines() {
		if err != nil {
			return err
		}
		if line.Pool != population.Warm || len(a.revoke[i]) == a.scenario.Actions[i].Tokens {
			break
		}
		if line.Class == population.Valid {
			id, err := identifier(line.Authorization)
			if err != nil {
				return err
			}
			if src.revoked[n] != nil {
				n++
				continue // An earlier action revokes it.
			}
			a.revoke[i] = append(a.revoke[i], stand.Revocation{Issuer: a.issuer, ID: id})
			src.revoked[n] = r
		}
		n++
	}
	return nil
}

// revocation is what tokens get that are revoked from a moment on; codes says whether the answers' are looked at.
func (h *happening) revocation(codes bool) *ruling {
	r := &ruling{statuses: []int{401}, instead: true, window: func() window {
		return window{span{time.Duration(h.beginLo.Load()), time.Duration(h.beginHi.Load())}, span{never, never}}
	}}
	if codes {
		r.codes = []string{"token_revoked"}
	}
	return r
}

// identifier returns the jti of a token, which the corpus vouches for.
func identifier(authorization string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(authorization, "Bearer "), ".")
	if len(parts) == 3 {
		var claims struct {
			ID string `json:"jti"`
		}
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err == nil && json.Unmarshal(payload, &claims) == nil && claims.ID != "" {
			return claims.ID, nil
		}
	}
	return "", fmt.Errorf("%w: a valid token has no jti", population.ErrCorpus)
}
