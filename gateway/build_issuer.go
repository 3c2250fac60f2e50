package gateway

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// buildIssuer makes the verifier of one issuer and what keeps its keys fresh, or
// takes both over from old where nothing of theirs changed. Where the source of
// the keys is the same, so are the keys; otherwise what was purged stays purged.
// In an old that is nil nothing is found: the keys of an earlier run are
// restored.
func (g *Gateway) buildIssuer(c *config.Config, i *config.Issuer, old *state) (*issuer, error) {
	files, err := digestFiles(i.Backend.CAFile, i.Backend.ClientCertFile, i.Backend.ClientKeyFile,
		i.Introspection.ClientSecretFile, i.Introspection.PrivateKeyFile, i.Revocation.Events.PushTokenFile)
	if err != nil {
		return nil, err
	}
	was := old.predecessor(i)
	if was != nil && was.files == files && reflect.DeepEqual(was.cfg, i) {
		return was, nil
	}
	profile, err := profileOf(c, i)
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(profile)
	if err != nil {
		return nil, err
	}
	built := &issuer{
		cfg:         i,
		was:         was,
		files:       files,
		name:        i.Name,
		verifier:    verifier,
		keys:        new(cache.Keys),
		counts:      g.metrics.Verifications(i.Name),
		softStale:   i.JWKS.SoftStale,
		hardStale:   i.JWKS.HardStale,
		unavailable: i.JWKS.UnknownKey.Answer == config.AnswerUnavailable,
	}
	built.ctx, built.stop = context.WithCancel(g.base)
	if i.Introspection.Enabled() {
		if built.introspections, err = g.introspectionsOf(i, built); err != nil {
			built.stop()
			return nil, fmt.Errorf("introspection: %w", err)
		}
		built.confirms = i.Introspection.Tokens == config.TokensAll
	}
	if err := g.addKeys(c, built, old == nil); err != nil {
		built.close()
		return nil, err
	}
	if err := g.addSources(built); err != nil {
		built.close()
		return nil, fmt.Errorf("revocation: %w", err)
	}
	if err := g.addLists(built); err != nil {
		built.close()
		return nil, fmt.Errorf("revocation.status_lists: %w", err)
	}
	return built, nil
}

// addKeys makes what keeps the keys of an issuer fresh, where it has any. first
// says that it is of the configuration that the process begins with.
func (g *Gateway) addKeys(c *config.Config, built *issuer, first bool) error {
	i, was := built.cfg, built.was
	source, err := sourceOf(i)
	if err != nil || source == nil {
		return err
	}
	switch {
	case was == nil:
	case was.cfg.Issuer == i.Issuer && sameSource(was.cfg, i):
		built.keys = was.keys
	default:
		built.keys.Remember(was.keys.Purged())
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
		OnPanic:       g.onPanic(i.Name),
		Log:           g.log,
	}
	if i.JWKS.File == "" {
		built.fetching = guardOf(&i.Backend)
		refresher.Breaker = built.fetching
	}
	if c.StateDir != "" {
		if refresher.Store, err = identity.OpenStore(c.StateDir, i.Name, i.Issuer); err != nil {
			return err
		}
	}
	built.refresher = identity.NewRefresher(refresher)
	if first {
		built.refresher.Restore(time.Now())
	} else {
		built.refresher.Try()
	}
	built.unknown = identity.NewUnknownKeys(built.ctx, identity.UnknownConfig{
		Burst:    *i.JWKS.UnknownKey.Burst,
		Every:    i.JWKS.UnknownKey.Every,
		Wait:     *i.JWKS.UnknownKey.Wait,
		Waiters:  i.JWKS.UnknownKey.Waiters,
		Remember: i.JWKS.UnknownKey.Remember,
		Fetch:    built.refresher.Refresh,
		OnPanic:  g.onPanic(i.Name),
		Has: func(kid, alg string) bool {
			_, err := built.keys.Key(kid, alg)
			return err == nil
		},
	})
	return nil
}

// onPanic counts a panic behind the back of requests.
func (g *Gateway) onPanic(issuer string) func(stack []byte) {
	return func(stack []byte) {
		g.metrics.Panics.Inc()
		g.log.Error("panic in a call to the identity backend", "issuer", issuer, "stack", string(stack))
	}
}

// close ends what runs for the issuer. No request may use it any more.
func (i *issuer) close() {
	i.stop()
	if i.lists != nil {
		i.lists.Close()
	}
	if i.unknown != nil {
		i.unknown.Wait()
	}
	if i.introspections != nil {
		i.introspections.Close()
		i.asker.Close()
	}
	if i.told.endpoint != nil {
		i.told.endpoint.Close()
	}
}

func profileOf(all *config.Config, c *config.Issuer) (token.Profile, error) {
	p := token.Profile{
		Issuer:            c.Issuer,
		Algorithms:        c.Algorithms,
		Types:             c.Types,
		Audience:          c.Audience.AnyOf,
		AudienceClaims:    c.Audience.Claims,
		AudienceUnchecked: c.Audience.Unchecked,
		StatusIgnored:     c.Revocation.StatusLists.Ignore,
		// Which of them are fetched the addresses say.
		StatusPlainHTTP: c.JWKS.AllowPlainHTTP || slices.ContainsFunc(c.Revocation.StatusLists.Addresses,
			func(address string) bool { return strings.HasPrefix(address, "http://") }),
		MaxLifetime: all.LongestLife(c),
		KindClaim:   c.Claims.AccountKind.Claim,
		LevelClaim:  c.Claims.AccountLevel.Claim,
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
func clientOf(b *config.Backend) identity.ClientConfig {
	return identity.ClientConfig{
		Timeout:        b.Timeout,
		MaxBytes:       int64(b.MaxBytes),
		CAFile:         b.CAFile,
		ClientCertFile: b.ClientCertFile,
		ClientKeyFile:  b.ClientKeyFile,
		ProxyURL:       b.ProxyURL,
	}
}

// guardOf is a breaker for the calls of one kind to the issuer's backend.
func guardOf(b *config.Backend) *identity.Guard {
	return identity.NewGuard(identity.GuardConfig{BreakAfter: b.BreakAfter, BreakFor: b.BreakFor})
}

// sourceOf returns where the key set comes from; nil for an issuer whose tokens
// are introspected only.
func sourceOf(i *config.Issuer) (identity.Source, error) {
	switch {
	case i.JWKS.File != "":
		return identity.FileSource{Path: i.JWKS.File, MaxBytes: int64(i.Backend.MaxBytes)}, nil
	case i.JWKS.URL == "" && !i.JWKS.Discovery:
		return nil, nil
	}
	client, err := identity.NewClient(clientOf(&i.Backend))
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
func (g *Gateway) introspectionsOf(i *config.Issuer, built *issuer) (*identity.Introspections, error) {
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
	client, err := identity.NewClient(clientOf(&i.Backend))
	if err != nil {
		return nil, err
	}
	built.asking = guardOf(&i.Backend)
	asker, err := identity.NewIntrospector(identity.IntrospectorConfig{
		Client: client, URL: c.URL, AllowPlainHTTP: i.JWKS.AllowPlainHTTP, Auth: auth,
		Breaker: built.asking, Concurrency: c.Concurrency,
	})
	if err != nil {
		return nil, err
	}
	built.asker = asker
	return identity.NewIntrospections(identity.IntrospectionsConfig{
		Asker:             asker,
		Verifier:          built.verifier,
		Good:              g.verdicts,
		Refused:           g.refused,
		MaxAge:            c.MaxAge,
		InactiveAge:       *c.InactiveAge,
		UseCachedUntilExp: c.WhenUnavailable == config.UnavailableUseCached,
		OnPanic:           g.onPanic(i.Name),
	}), nil
}
