package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/renameio/v2"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// ErrStore means that a stored key set cannot be used: it is damaged, of
// another issuer or version, or from the future.
var ErrStore = errors.New("identity: stored key set unusable")

const (
	storeVersion  = 1
	maxStoreBytes = 1 << 20
	// maxAhead is how far a stored set may lie in the future: clocks differ.
	maxAhead = 5 * time.Minute
)

// Store keeps the last good key set of one issuer on disk, for a start while
// the backend is away. It holds public keys only: what is written is made from
// the members of public keys, whatever else the backend sent along.
type Store struct {
	path   string
	issuer string
}

// OpenStore prepares dir, which is created for the owner alone where it does
// not exist, for the issuer of the given configured name and iss.
func OpenStore(dir, name, issuer string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	return &Store{path: filepath.Join(dir, name+".keys.json"), issuer: issuer}, nil
}

// stored is the file's form.
type stored struct {
	Version   int            `json:"version"`
	Issuer    string         `json:"issuer"`
	FetchedAt time.Time      `json:"fetched_at"`
	SHA256    string         `json:"sha256"`
	Content   jsontext.Value `json:"content"`
}

// content is what the checksum is over.
type content struct {
	Keys   []publicJWK `json:"keys"`
	Purged []purgedKey `json:"purged,omitzero"`
}

// publicJWK lists the members of public keys (RFC 7517 section 4, RFC 7518
// section 6, RFC 8037 section 2), and no other.
type publicJWK struct {
	KeyType    string   `json:"kty"`
	Use        string   `json:"use,omitzero"`
	Operations []string `json:"key_ops,omitzero"`
	Algorithm  string   `json:"alg,omitzero"`
	ID         string   `json:"kid,omitzero"`
	Modulus    string   `json:"n,omitzero"`
	Exponent   string   `json:"e,omitzero"`
	Curve      string   `json:"crv,omitzero"`
	X          string   `json:"x,omitzero"`
	Y          string   `json:"y,omitzero"`
}

type purgedKey struct {
	KeyID      string    `json:"kid"`
	Thumbprint string    `json:"thumbprint"`
	At         time.Time `json:"at"`
}

// Save writes a key set document that was accepted, and what is purged. The
// file is replaced whole and is on disk when Save returns.
func (s *Store) Save(document []byte, purged []cache.Purged, fetchedAt time.Time) error {
	var c content
	if len(document) > 0 {
		var set struct {
			Keys []jsontext.Value `json:"keys"`
		}
		if err := json.Unmarshal(document, &set); err != nil {
			return ErrMalformed
		}
		for _, raw := range set.Keys {
			if key, ok := publicOf(raw); ok {
				c.Keys = append(c.Keys, key)
			}
		}
	}
	for _, p := range purged {
		c.Purged = append(c.Purged, purgedKey{KeyID: p.KeyID, Thumbprint: hex.EncodeToString(p.Thumbprint[:]), At: p.At})
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	file, err := json.Marshal(stored{
		Version: storeVersion, Issuer: s.issuer, FetchedAt: fetchedAt, SHA256: hex.EncodeToString(sum[:]), Content: body,
	})
	if err != nil {
		return err
	}
	return renameio.WriteFile(s.path, append(file, '\n'), 0o600)
}

// publicOf reads a public key. One that came with private members was left out
// of the set when it was read, and must not come back by being stripped of
// them: whoever saw the document can sign.
func publicOf(raw jsontext.Value) (publicJWK, bool) {
	var members map[string]jsontext.Value
	if json.Unmarshal(raw, &members) != nil {
		return publicJWK{}, false
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, ok := members[private]; ok {
			return publicJWK{}, false
		}
	}
	var key publicJWK
	err := json.Unmarshal(raw, &key)
	return key, err == nil
}

// Restored is what a Store held.
type Restored struct {
	// Document is a key set document, nil where there was none.
	Document []byte
	// FetchedAt is when the backend was last known to publish it.
	FetchedAt time.Time
	// Purged is what an operator took out of use.
	Purged []cache.Purged
}

// Load reads what Save wrote. Where there is no file the result is empty. An
// error wraps ErrStore, or is the file system's.
func (s *Store) Load(now time.Time) (Restored, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return Restored{}, nil
	}
	if err != nil {
		return Restored{}, err
	}
	defer f.Close()
	data, err := readBounded(f, maxStoreBytes)
	if err != nil {
		return Restored{}, fmt.Errorf("%w: %w", ErrStore, err)
	}
	var file stored
	if err := json.Unmarshal(data, &file); err != nil {
		return Restored{}, fmt.Errorf("%w: not as it was written", ErrStore)
	}
	sum := sha256.Sum256(file.Content)
	switch {
	case file.Version != storeVersion:
		return Restored{}, fmt.Errorf("%w: version %d", ErrStore, file.Version)
	case file.SHA256 != hex.EncodeToString(sum[:]):
		return Restored{}, fmt.Errorf("%w: checksum", ErrStore)
	case file.Issuer != s.issuer:
		return Restored{}, fmt.Errorf("%w: of another issuer", ErrStore)
	case file.FetchedAt.After(now.Add(maxAhead)):
		return Restored{}, fmt.Errorf("%w: from the future", ErrStore)
	}
	return s.restore(file)
}

func (s *Store) restore(file stored) (Restored, error) {
	var c content
	if err := json.Unmarshal(file.Content, &c); err != nil {
		return Restored{}, fmt.Errorf("%w: content", ErrStore)
	}
	r := Restored{FetchedAt: file.FetchedAt}
	for _, p := range c.Purged {
		thumbprint, err := hex.DecodeString(p.Thumbprint)
		if err != nil || len(thumbprint) != sha256.Size {
			return Restored{}, fmt.Errorf("%w: thumbprint", ErrStore)
		}
		r.Purged = append(r.Purged, cache.Purged{KeyID: p.KeyID, Thumbprint: [32]byte(thumbprint), At: p.At})
	}
	if len(c.Keys) == 0 {
		return r, nil
	}
	var err error
	if r.Document, err = json.Marshal(struct {
		Keys []publicJWK `json:"keys"`
	}{c.Keys}); err != nil || len(r.Document) > token.MaxKeySetBytes {
		return Restored{}, fmt.Errorf("%w: size", ErrStore)
	}
	return r, nil
}
