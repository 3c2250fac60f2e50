package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// buildIssuer makes the verifier of one issuer and what keeps its keys fresh,
// and restores the keys of an earlier run.
func buildIssuer(
	ctx context.Context, c *config.Config, i *config.Issuer, st *state, m *metrics.Metrics, log *slog.Logger,
) (*issuer, error) {
	profile, err := profileOf(i)
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(profile)
	if err != nil {
		return nil, err
	}
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: i.Backend.BreakAfter, BreakFor: i.Backend.BreakFor})
	built := &issuer{
		name:        i.Name,
		verifier:    verifier,
		keys:        new(cache.Keys),
		guard:       guard,
		counts:      m.Verifications(i.Name),
		softStale:   i.JWKS.SoftStale,
		hardStale:   i.JWKS.HardStale,
		unavailable: i.JWKS.UnknownKey.Answer == config.AnswerUnavailable,
	}
	if i.Introspection.Enabled() {
		if built.introspections, err = introspectionsOf(i, built, st); err != nil {
			return nil, fmt.Errorf("introspection: %w", err)
		}
		built.confirms = i.Introspection.Tokens == config.TokensAll
	}
	source, err := sourceOf(i, guard)
	if err != nil || source == nil {
		return built, err
	}
	refresher := identity.RefresherConfig{
		Issuer:        i.Name,
		Source:        source,
		Keys:          built.keys,
		Algorithms:    i.Algorithms,
		Interval:      i.JWKS.Refresh,
		LeastInterval: i.JWKS.RefreshMin,
		MostInterval:  i.JWKS.RefreshMax,
		HardStale:     i.JWKS.HardStale,
		Log:           log,
	}
	if c.StateDir != "" {
		if refresher.Store, err = identity.OpenStore(c.StateDir, i.Name, i.Issuer); err != nil {
			return nil, err
		}
	}
	built.refresher = identity.NewRefresher(refresher)
	built.refresher.Restore(time.Now())
	built.unknown = identity.NewUnknownKeys(ctx, identity.UnknownConfig{
		Burst:    *i.JWKS.UnknownKey.Burst,
		Every:    i.JWKS.UnknownKey.Every,
		Wait:     *i.JWKS.UnknownKey.Wait,
		Waiters:  i.JWKS.UnknownKey.Waiters,
		Remember: i.JWKS.UnknownKey.Remember,
		Fetch:    built.refresher.Refresh,
		Has: func(kid, alg string) bool {
			_, err := built.keys.Key(kid, alg)
			return err == nil
		},
	})
	return built, nil
}

func profileOf(c *config.Issuer) (token.Profile, error) {
	p := token.Profile{
		Issuer:            c.Issuer,
		Algorithms:        c.Algorithms,
		Types:             c.Types,
		Audience:          c.Audience.AnyOf,
		AudienceClaims:    c.Audience.Claims,
		AudienceUnchecked: c.Audience.Unchecked,
		MaxLifetime:       c.MaxLifetime,
		KindClaim:         c.Claims.AccountKind.Claim,
		LevelClaim:        c.Claims.AccountLevel.Claim,
	}
	if c.Leeway != nil {
		p.Leeway = *c.Leeway
	}
	var err error
	if name := c.Claims.AccountKind.Default; name != "" {
		if p.KindDefault, err = token.ParseKind(name); err != nil {
			return p, err
		}
	}
	p.KindMap = make(map[string]token.Kind, len(c.Claims.AccountKind.Map))
	for value, name := range c.Claims.AccountKind.Map {
		if p.KindMap[value], err = token.ParseKind(name); err != nil {
			return p, err
		}
	}
	p.LevelMap = make(map[string]uint8, len(c.Claims.AccountLevel.Map))
	for value, level := range c.Claims.AccountLevel.Map {
		p.LevelMap[value] = uint8(level)
	}
	return p, nil
}

// clientOf bounds the calls to the issuer's backend.
func clientOf(b *config.Backend, guard *identity.Guard) identity.ClientConfig {
	return identity.ClientConfig{
		Timeout:        b.Timeout,
		MaxBytes:       int64(b.MaxBytes),
		CAFile:         b.CAFile,
		ClientCertFile: b.ClientCertFile,
		ClientKeyFile:  b.ClientKeyFile,
		ProxyURL:       b.ProxyURL,
		Guard:          guard,
	}
}

// sourceOf returns where the key set comes from; nil for an issuer whose tokens
// are introspected only.
func sourceOf(i *config.Issuer, guard *identity.Guard) (identity.Source, error) {
	switch {
	case i.JWKS.File != "":
		return identity.FileSource{Path: i.JWKS.File, MaxBytes: int64(i.Backend.MaxBytes)}, nil
	case i.JWKS.URL == "" && !i.JWKS.Discovery:
		return nil, nil
	}
	client, err := identity.NewClient(clientOf(&i.Backend, guard))
	if err != nil {
		return nil, err
	}
	if i.JWKS.Discovery {
		return identity.DiscoverySource{Client: client, Issuer: i.Issuer, AllowPlainHTTP: i.JWKS.AllowPlainHTTP}, nil
	}
	return identity.URLSource{Client: client, URL: i.JWKS.URL}, nil
}

// introspectionsOf is how the issuer is asked about tokens. It has connections
// of its own: they are kept, unlike those of rare fetches.
func introspectionsOf(i *config.Issuer, built *issuer, st *state) (*identity.Introspections, error) {
	c := &i.Introspection
	credentials := identity.ClientAuthConfig{
		Method: c.Auth, ClientID: c.ClientID, PrivateKeyID: c.PrivateKeyID, Audience: i.Issuer,
	}
	if c.Auth == config.AuthPrivateKeyJWT {
		key, err := c.PrivateKey()
		if err != nil {
			return nil, fmt.Errorf("private_key_file: %w", err)
		}
		credentials.PrivateKey = key
	} else {
		secret, err := c.ClientSecret()
		if err != nil {
			return nil, fmt.Errorf("client_secret_file: %w", err)
		}
		credentials.Secret = string(secret)
	}
	auth, err := identity.NewClientAuth(credentials)
	if err != nil {
		return nil, err
	}
	client, err := identity.NewClient(clientOf(&i.Backend, built.guard))
	if err != nil {
		return nil, err
	}
	asker, err := identity.NewIntrospector(identity.IntrospectorConfig{
		Client: client, URL: c.URL, AllowPlainHTTP: i.JWKS.AllowPlainHTTP, Auth: auth, Concurrency: c.Concurrency,
	})
	if err != nil {
		return nil, err
	}
	built.asker = asker
	return identity.NewIntrospections(identity.IntrospectionsConfig{
		Asker:             asker,
		Verifier:          built.verifier,
		Good:              st.verdicts,
		Refused:           st.refused,
		MaxAge:            c.MaxAge,
		InactiveAge:       *c.InactiveAge,
		UseCachedUntilExp: c.WhenUnavailable == config.UnavailableUseCached,
	}), nil
}
