package identity_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

const storedIssuer = "https://issuer.example"

var storedAt = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func openStore(t testing.TB, dir string) *identity.Store {
	t.Helper()
	s, err := identity.OpenStore(dir, "test", storedIssuer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func storeFile(dir string) string { return filepath.Join(dir, "test.keys.json") }

// setOf is a set of usable keys, as fetched at storedAt.
func setOf(t testing.TB, document []byte) *cache.KeySet {
	t.Helper()
	keys, _, err := token.ParseKeySet(document, token.KeySetOptions{AllowOtherExponents: true})
	if err != nil {
		t.Fatal(err)
	}
	var k cache.Keys
	if _, err := k.Replace(keys, storedAt); err != nil {
		t.Fatal(err)
	}
	return k.Snapshot()
}

func save(t testing.TB, s *identity.Store, set *cache.KeySet, purged ...cache.Purged) {
	t.Helper()
	if err := s.Save(set, purged); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhatIsStoredComesBackAsItWas(t *testing.T) {
	t.Parallel()
	var keys []*corpus.Key
	for _, alg := range []string{"RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"} {
		key, err := corpus.NewKey(alg, `kid "<\é of `+alg)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	var document struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(corpus.KeySetJSON(keys...), &document); err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"ES256", "EdDSA"} { // Keys whose alg and kid are left open.
		key, err := corpus.NewKey(alg, "")
		if err != nil {
			t.Fatal(err)
		}
		var jwk map[string]any
		raw, err := json.Marshal(key.PublicJWK())
		if err != nil || json.Unmarshal(raw, &jwk) != nil {
			t.Fatal(err)
		}
		delete(jwk, "alg")
		jwk["kid"] = "open " + alg
		document.Keys = append(document.Keys, jwk)
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	set := setOf(t, raw)
	purged := []cache.Purged{
		{KeyID: "gone", Thumbprint: [32]byte{1, 2, 3}, At: storedAt.Add(-time.Hour)},
		{KeyID: "", Thumbprint: [32]byte{4}, At: storedAt},
	}
	dir := t.TempDir()
	save(t, openStore(t, dir), set, purged...)
	got, err := openStore(t, dir).Load(storedAt.Add(time.Hour))
	if err != nil || !got.FetchedAt.Equal(storedAt) || !reflect.DeepEqual(got.Purged, purged) {
		t.Errorf("%v, %+v", err, got)
	}
	back, skipped, err := token.ParseKeySet(got.Document, token.KeySetOptions{})
	if err != nil || len(skipped) != 0 || len(back) != set.Len() || set.Len() != 8 {
		t.Fatalf("%v, %v, %d of %d keys", err, skipped, len(back), set.Len())
	}
	for i, was := range set.All() {
		is := back[i]
		if is.ID() != was.ID() || is.Algorithm() != was.Algorithm() || is.Thumbprint() != was.Thumbprint() ||
			!reflect.DeepEqual(is.Algorithms(), was.Algorithms()) {
			t.Errorf("%q came back as %q", was.ID(), is.ID())
		}
	}
}

func TestAnEmptyStoreIsNoFault(t *testing.T) {
	t.Parallel()
	got, err := openStore(t, t.TempDir()).Load(storedAt)
	if err != nil || got.Document != nil || got.Purged != nil {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestTheStoreIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "state")
	s := openStore(t, dir)
	set := setOf(t, corpus.KeySetJSON(newKey(t, "a")))
	for range 2 {
		save(t, s, set)
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, storeFile(dir): 0o600} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
		// Whatever somebody made of it meanwhile.
		if err := os.Chmod(storeFile(dir), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever saw a private key can sign: it must not be written, nor come back as
// a public one by being stripped.
func TestPrivateMembersAreNeverWritten(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
	good, private := newKey(t, "good").PublicJWK(), newKey(t, "leaked").PublicJWK()
	document := fmt.Sprintf(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","kid":"good","x":%q,"x5c":["`+secret+`"],"note":"`+secret+`"},
		{"kty":"OKP","crv":"Ed25519","kid":"leaked","x":%q,"d":"`+secret+`"},
		{"kty":"oct","kid":"shared","k":"`+secret+`"},
		{"kty":"OKP","crv":"Ed25519","kid":null,"x":%q},
		{"kty":"OKP","crv":"Ed25519","kid":"enc","use":"enc","x":%q},
		{"kty":"OKP","crv":"Ed25519","kid":"sign","key_ops":null,"x":%q}],"d":"`+secret+`"}`,
		good.X, private.X, private.X, private.X, private.X)
	dir := t.TempDir()
	r, keys, _ := stored(t, dir, []byte(document), nil)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := read(t, storeFile(dir))
	for _, never := range []string{"c2Vjc", private.X, `"d"`, `"k"`, "leaked", "shared"} {
		if bytes.Contains(file, []byte(never)) {
			t.Errorf("%s is written", never)
		}
	}
	again, restored, _ := stored(t, dir, nil, errBackend)
	again.Restore(time.Now())
	if got, want := ids(restored), ids(keys); len(want) != 1 || len(got) != 1 || got[0] != want[0] {
		t.Errorf("%q were used, %q come back", want, got)
	}
}

func TestTheLargestSetFitsTheStore(t *testing.T) {
	t.Parallel()
	// A modulus of 8192 bits, odd, and each another.
	jwks := make([]corpus.JWK, token.MaxKeys)
	for i := range jwks {
		modulus := bytes.Repeat([]byte{0xff}, 1024)
		modulus[1] = byte(i)
		jwks[i] = corpus.JWK{
			KeyType: "RSA", Exponent: "AQAB", Modulus: base64.RawURLEncoding.EncodeToString(modulus),
			ID: fmt.Sprintf("%02d", i) + strings.Repeat(`"`, token.MaxStringBytes-2),
		}
	}
	document, err := json.Marshal(map[string]any{"keys": jwks})
	if err != nil {
		t.Fatal(err)
	}
	set := setOf(t, document)
	if set.Len() != token.MaxKeys {
		t.Fatalf("%d keys", set.Len())
	}
	purged := make([]cache.Purged, 256)
	for i := range purged {
		purged[i] = cache.Purged{KeyID: strings.Repeat(`"`, token.MaxStringBytes), Thumbprint: [32]byte{byte(i)}, At: storedAt}
	}
	dir := t.TempDir()
	s := openStore(t, dir)
	save(t, s, set, purged...)
	got, err := s.Load(storedAt)
	if err != nil || len(got.Purged) != len(purged) {
		t.Errorf("%v, %d purges", err, len(got.Purged))
	}
	if back := setOf(t, got.Document); back.Len() != set.Len() {
		t.Errorf("%d keys come back", back.Len())
	}
}
