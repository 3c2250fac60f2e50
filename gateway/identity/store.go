package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
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
	// leftoverAfter is the age of a file half written at which nobody writes it
	// any more: its writer was ended.
	leftoverAfter = time.Minute
)

// Store keeps the last good key set of one issuer on disk, for a start while
// the backend is away. It holds public keys only, for it is written from keys
// that were accepted, never from what the backend sent. Save and Load may be
// called at one time.
type Store struct {
	dir    string
	path   string
	issuer string
}

// OpenStore prepares dir, which is created for the owner alone where it does
// not exist, for the issuer of the given configured name and iss. name must be
// fit to be a file's.
func OpenStore(dir, name, issuer string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	s := &Store{dir: dir, path: filepath.Join(dir, name+".keys.json"), issuer: issuer}
	s.clean(time.Now())
	return s, nil
}

// clean removes what writers left behind that were ended at it. Each crash may
// leave one.
func (s *Store) clean(now time.Time) {
	leftovers, _ := filepath.Glob(filepath.Join(s.dir, "."+filepath.Base(s.path)+"[0-9]*"))
	for _, path := range leftovers {
		if info, err := os.Lstat(path); err == nil && now.Sub(info.ModTime()) > leftoverAfter {
			_ = os.Remove(path)
		}
	}
}

// stored is the file's form.
type stored struct {
	Version int            `json:"version"`
	SHA256  string         `json:"sha256"`
	Content jsontext.Value `json:"content"`
}

// content is what the checksum is over: a damaged date would make an old set a
// young one.
type content struct {
	Issuer    string      `json:"issuer"`
	FetchedAt time.Time   `json:"fetched_at,omitzero"`
	Keys      []publicJWK `json:"keys"`
	Purged    []purgedKey `json:"purged,omitzero"`
}

type purgedKey struct {
	KeyID      string    `json:"kid"`
	Thumbprint string    `json:"thumbprint"`
	At         time.Time `json:"at"`
}

// Save writes a key set, and what is purged. The file is replaced whole and is
// on disk when Save returns.
func (s *Store) Save(set *cache.KeySet, purged []cache.Purged) error {
	c := content{Issuer: s.issuer, FetchedAt: set.FetchedAt().UTC()}
	for _, key := range set.All() {
		c.Keys = append(c.Keys, publicOf(key))
	}
	for _, p := range purged {
		c.Purged = append(c.Purged, purgedKey{KeyID: p.KeyID, Thumbprint: hex.EncodeToString(p.Thumbprint[:]), At: p.At.UTC()})
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	file, err := json.Marshal(stored{Version: storeVersion, SHA256: hex.EncodeToString(sum[:]), Content: body})
	if err != nil {
		return err
	}
	return s.replace(append(file, '\n'))
}

func (s *Store) replace(file []byte) error {
	// The mode is ours, whatever that of the file that was there. renameio would
	// begin in the system's directory for such files, which all may write to.
	pending, err := renameio.NewPendingFile(s.path, renameio.WithStaticPermissions(0o600), renameio.WithTempDir(s.dir))
	if err != nil {
		return err
	}
	defer func() { _ = pending.Cleanup() }()
	if _, err := pending.Write(file); err != nil {
		return err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// syncDir makes a rename last over a loss of power.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // A file system that knows no such thing. The rename was done.
	}
	return err
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
// error wraps ErrStore, or is the file system's. With an error Purged is filled
// in where it could be read: a clock that is wrong brings no purged key back.
func (s *Store) Load(now time.Time) (Restored, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return Restored{}, nil
	}
	if err != nil {
		return Restored{}, err
	}
	defer f.Close()
	data, err := readAtMost(f, maxStoreBytes)
	if errors.Is(err, ErrTooLarge) {
		return Restored{}, fmt.Errorf("%w: more than %d bytes", ErrStore, maxStoreBytes)
	}
	if err != nil {
		return Restored{}, err
	}
	return s.parse(data, now)
}

func (s *Store) parse(data []byte, now time.Time) (Restored, error) {
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
	}
	return s.restore(file.Content, now)
}

func (s *Store) restore(text jsontext.Value, now time.Time) (Restored, error) {
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return Restored{}, fmt.Errorf("%w: content", ErrStore)
	}
	if c.Issuer != s.issuer {
		return Restored{}, fmt.Errorf("%w: of another issuer", ErrStore)
	}
	var purged []cache.Purged
	for _, p := range c.Purged {
		thumbprint, err := hex.DecodeString(p.Thumbprint)
		if err != nil || len(thumbprint) != sha256.Size {
			return Restored{}, fmt.Errorf("%w: thumbprint", ErrStore)
		}
		purged = append(purged, cache.Purged{KeyID: p.KeyID, Thumbprint: [32]byte(thumbprint), At: p.At})
	}
	r := Restored{FetchedAt: c.FetchedAt, Purged: purged}
	switch {
	case c.FetchedAt.After(now.Add(maxAhead)):
		return Restored{Purged: purged}, fmt.Errorf("%w: from the future", ErrStore)
	case len(c.Keys) == 0:
		return r, nil
	}
	var err error
	if r.Document, err = json.Marshal(struct {
		Keys []publicJWK `json:"keys"`
	}{c.Keys}); err != nil || len(r.Document) > token.MaxKeySetBytes {
		return Restored{Purged: purged}, fmt.Errorf("%w: size", ErrStore)
	}
	return r, nil
}
