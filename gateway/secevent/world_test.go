package secevent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// The world of the tests: one transmitter that speaks for two token issuers, and one moment.
const (
	transmitter = "https://idp.example.com/"
	issuerA     = "https://sso.example/a"
	issuerB     = "https://sso.example/b"
	audience    = "https://gateway.example"
	epoch       = 1_750_000_000
	leeway      = 30 * time.Second
)

var (
	testNow = time.Unix(epoch, 0)
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

type object map[string]any

func (o object) with(changes object) object {
	o = maps.Clone(o)
	for name, value := range changes {
		if value == nil {
			delete(o, name)
			continue
		}
		o[name] = value
	}
	return o
}

func (o object) json(tb testing.TB) string {
	tb.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// door is an Accepter that leads to a store.
type door struct {
	store *revocation.Store
	mu    sync.Mutex
	fault error // by mu
	got   []revocation.Entry
	calls int
}

func (d *door) Accept(_ context.Context, entries ...revocation.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.fault != nil {
		return d.fault
	}
	d.got = append(d.got, entries...)
	return d.store.Add(entries...)
}

func (d *door) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = err
}

func (d *door) accepted() []revocation.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.got
}

// keySource has the transmitter's key, or a fault.
type keySource struct {
	key *token.Key
	mu  sync.Mutex
	err error // by mu
}

func (k *keySource) Key(kid, alg string) (*token.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return nil, k.err
	}
	if kid != "" && kid != k.key.ID() || alg != "EdDSA" {
		return nil, token.ErrKeyUnknown
	}
	return k.key, nil
}

func (k *keySource) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// world is a stream with everything around it.
type world struct {
	*Stream
	door *door
	keys *keySource
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(tb testing.TB, change func(*Config)) *world {
	tb.Helper()
	return newWorldOf(tb, transmitter, change)
}

func newWorldOf(tb testing.TB, issuer string, change func(*Config)) *world {
	tb.Helper()
	x := base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	set := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":%q,"kid":"t-1","alg":"EdDSA","use":"sig"}]}`, x)
	keys, _, err := token.ParseKeySet([]byte(set), token.KeySetOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	v, err := token.NewVerifier(token.Profile{Issuer: issuer, Algorithms: []string{"EdDSA"}, AudienceUnchecked: true, Leeway: leeway})
	if err != nil {
		tb.Fatal(err)
	}
	store, err := revocation.New(revocation.Config{MaxEntries: 1000}, revocation.NewSecret())
	if err != nil {
		tb.Fatal(err)
	}
	store.Advance(testNow)
	w := &world{door: &door{store: store}, keys: &keySource{key: keys[0]}, log: &lockedBuffer{}}
	cfg := Config{
		Name: "idp", Verifier: v, Keys: w.keys, Audience: []string{audience}, Issuers: []string{issuerA, issuerB},
		Lifetime: func(string) time.Duration { return time.Hour },
		Accept:   w.door, Now: func() time.Time { return testNow }, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	if w.Stream, err = New(cfg); err != nil {
		tb.Fatal(err)
	}
	return w
}

// goodSET are the claims of a token that revokes what subject has in issuer A.
func goodSET(jti, subject string) object {
	return object{
		"iss": transmitter, "aud": audience, "iat": epoch - 5, "jti": jti,
		"events": object{caep + "session-revoked": object{"subject": issSub(issuerA, subject), "event_timestamp": epoch - 60}},
	}
}

func issSub(iss, sub string) object { return object{"format": "iss_sub", "iss": iss, "sub": sub} }

// sign makes a token of the transmitter.
func sign(tb testing.TB, claims object) string {
	tb.Helper()
	return signText(tb, `{"alg":"EdDSA","typ":"secevent+jwt","kid":"t-1"}`, claims.json(tb))
}

func signText(tb testing.TB, header, payload string) string {
	tb.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodEdDSA.Sign(input, private)
	if err != nil {
		tb.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// covered reports whether a token of the claims is revoked.
func (w *world) covered(c token.Claims) bool { return w.door.store.Revoked(&c, nil) }

// noIdentifiers fails where the log has any of what must not be in it.
func (w *world) noIdentifiers(t *testing.T, identifiers ...string) {
	t.Helper()
	for _, id := range identifiers {
		if strings.Contains(w.log.String(), id) {
			t.Errorf("the log has an identifier: %s", w.log.String())
		}
	}
}
