package statuslist

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const (
	testIssuer = "https://issuer.example"
	listURI    = testIssuer + "/statuslists/1"
	leeway     = 30 * time.Second
)

var b64 = base64.RawURLEncoding

// object is a JSON object under construction.
type object map[string]any

// with returns a copy with changes: a nil value removes the member.
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

// signer signs lists, as the issuer does.
type signer struct {
	kid     string
	private ed25519.PrivateKey
	key     *token.Key
}

func newSigner(tb testing.TB, kid string) *signer {
	tb.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}]}`, kid, b64.EncodeToString(public))
	keys, _, err := token.ParseKeySet([]byte(set), token.KeySetOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return &signer{kid: kid, private: private, key: keys[0]}
}

// sign makes a compact JWS of a header with changes, and of claims.
func (s *signer) sign(tb testing.TB, header, claims object) []byte {
	tb.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	return s.signText(tb, header, string(text))
}

// signText is sign for any payload.
func (s *signer) signText(tb testing.TB, header object, payload string) []byte {
	tb.Helper()
	head, err := json.Marshal(object{"alg": "EdDSA", "kid": s.kid, "typ": "statuslist+jwt"}.with(header))
	if err != nil {
		tb.Fatal(err)
	}
	input := b64.EncodeToString(head) + "." + b64.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodEdDSA.Sign(input, s.private)
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(input + "." + b64.EncodeToString(signature))
}

// keyring is a KeySource.
type keyring struct {
	mu   sync.Mutex
	keys map[string]*token.Key
}

func (k *keyring) Key(kid, _ string) (*token.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.keys[kid]; key != nil {
		return key, nil
	}
	return nil, token.ErrKeyUnknown
}

// replace is what a rotation does.
func (k *keyring) replace(s *signer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, old := range k.keys {
		old.Withdraw()
	}
	k.keys = map[string]*token.Key{s.kid: s.key}
}

func ring(signers ...*signer) *keyring {
	k := &keyring{keys: make(map[string]*token.Key)}
	for _, s := range signers {
		k.keys[s.kid] = s.key
	}
	return k
}

// pack encodes an unpacked list.
func pack(tb testing.TB, data []byte) string {
	tb.Helper()
	var all bytes.Buffer
	w := zlib.NewWriter(&all)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b64.EncodeToString(all.Bytes())
}

// listClaims are those of a good list of these statuses, 8 bits each, issued now.
func listClaims(tb testing.TB, uri string, now time.Time, statuses ...byte) object {
	tb.Helper()
	return object{
		"iss": testIssuer, "sub": uri, "iat": now.Unix(),
		"status_list": object{"bits": 8, "lst": pack(tb, statuses)},
	}
}

func newVerifier(tb testing.TB) *token.Verifier {
	tb.Helper()
	v, err := token.NewVerifier(token.Profile{
		Issuer: testIssuer, Algorithms: []string{"EdDSA"}, Audience: []string{"tthc"}, Leeway: leeway,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// provider is a Fetcher made of a function. It counts.
type provider struct {
	mu      sync.Mutex
	answer  func(ctx context.Context, uri string) ([]byte, error)
	fetches int
	at      []time.Time
}

func (p *provider) GetType(
	ctx context.Context, address, mediaType string, _ func(*url.URL) bool,
) (identity.Document, error) {
	p.mu.Lock()
	p.fetches++
	p.at = append(p.at, time.Now())
	answer := p.answer
	p.mu.Unlock()
	if mediaType != "application/statuslist+jwt" {
		return identity.Document{}, identity.ErrMalformed
	}
	body, err := answer(ctx, address)
	return identity.Document{Body: body}, err
}

// set replaces what is answered.
func (p *provider) set(answer func(ctx context.Context, uri string) ([]byte, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

// serves answers with a list of these statuses that is issued at the time of the question, with changed claims.
func serves(tb testing.TB, s *signer, changes object, statuses ...byte) func(context.Context, string) ([]byte, error) {
	return func(_ context.Context, uri string) ([]byte, error) {
		return s.sign(tb, nil, listClaims(tb, uri, time.Now(), statuses...).with(changes)), nil
	}
}

// goodConfig is that of an issuer whose lists are below one address.
func goodConfig(tb testing.TB, p Fetcher, keys token.KeySource) Config {
	tb.Helper()
	return Config{
		Issuer: "vneid", Addresses: []string{testIssuer + "/statuslists/"}, Verifier: newVerifier(tb), Keys: keys,
		Fetcher: p, Memory: NewMemory(64 << 20), Wait: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
}

// open returns lists that are closed with the test.
func open(tb testing.TB, cfg Config) *Lists {
	tb.Helper()
	l, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.Close)
	return l
}

// check asks as a request does.
func (l *Lists) check(tb testing.TB, uri string, index uint64) Status {
	tb.Helper()
	return l.Check(tb.Context(), uri, index, time.Now())
}
