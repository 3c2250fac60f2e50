package backend

import (
	"maps"
	"net/url"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// assertionType is the client_assertion_type of RFC 7523 section 2.2.
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// maxAssertionLife bounds how far ahead an assertion may expire, and with it how long its jti is remembered.
	maxAssertionLife = 10 * time.Minute
	// maxAssertions bounds how many assertions are remembered. Beyond it none is accepted.
	maxAssertions = 1 << 17
)

// checkAssertion verifies a client's assertion: RFC 7523 section 3.
func (b *Backend) checkAssertion(form url.Values) *clientError {
	if form.Get("client_assertion_type") != assertionType {
		return badRequest("unknown client_assertion_type")
	}
	raw, claims := form.Get("client_assertion"), jwt.RegisteredClaims{}
	// Who signed is known from what is signed; nothing else is read before the signature is right.
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &claims); err != nil {
		return badClient("the assertion cannot be read")
	}
	client, known := b.clients[claims.Subject]
	if !known || client.Key == nil {
		return badClient("unknown client or no key")
	}
	claims = jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(raw, &claims,
		func(*jwt.Token) (any, error) { return client.Key.Public(), nil },
		jwt.WithValidMethods([]string{client.Key.Algorithm()}),
		// Items 1 and 2: issuer and subject are the client.
		jwt.WithIssuer(client.ID), jwt.WithSubject(client.ID),
		// Item 3: the audience identifies this server.
		jwt.WithAudience(b.issuer, b.issuer+IntrospectPath, b.issuer+TokenPath),
		// Items 4, 5 and 6: the times.
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(b.now))
	if err != nil {
		return badClient("the assertion does not hold: " + err.Error())
	}
	now := b.now()
	switch {
	case form.Has("client_id") && form.Get("client_id") != client.ID:
		return badClient("client_id is not the assertion's subject")
	case !client.may(PrivateKeyJWT):
		return badClient(PrivateKeyJWT + " is not this client's way")
	case claims.ExpiresAt.After(now.Add(maxAssertionLife)):
		return badClient("the assertion lives too long")
	// Item 7, and OpenID Connect Core 1.0 section 9: jti is required, and used once.
	case claims.ID == "":
		return badClient("the assertion has no jti")
	case !b.assertions.first(client.ID+"\x00"+claims.ID, claims.ExpiresAt.Time, now):
		return badClient("the assertion was used before")
	}
	return nil
}

// assertions remembers each assertion until it has expired. The zero value remembers none.
type assertions struct {
	mu   sync.Mutex
	used map[string]time.Time // its end
}

// first reports whether an assertion is seen for the first time.
func (a *assertions) first(id string, expires, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, seen := a.used[id]; seen {
		return false
	}
	if len(a.used) >= maxAssertions {
		maps.DeleteFunc(a.used, func(_ string, end time.Time) bool { return !now.Before(end) })
	}
	if len(a.used) >= maxAssertions {
		return false
	}
	if a.used == nil {
		a.used = map[string]time.Time{}
	}
	a.used[id] = expires
	return true
}
