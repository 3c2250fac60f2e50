package identity_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
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

// A writer that is ended in between leaves the old file, and its own half.
func TestAWriterThatWasEndedLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, openStore(t, dir), setOf(t, corpus.KeySetJSON(newKey(t, "old"))))
	old := read(t, storeFile(dir))
	half := filepath.Join(dir, ".test.keys.json4711")
	write(t, half, old[:len(old)/2])
	fresh := filepath.Join(dir, ".test.keys.json4712")
	write(t, fresh, nil)
	others := []string{".another.keys.json1", ".test.keys.json", "test.keys.json.1", ".test.keys.jsonx"}
	long := time.Now().Add(-time.Hour)
	for _, name := range others {
		write(t, filepath.Join(dir, name), nil)
	}
	for _, name := range append(others, filepath.Base(half)) {
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}

	s := openStore(t, dir)
	got, err := s.Load(storedAt)
	if err != nil || !bytes.Contains(got.Document, []byte(`"old"`)) {
		t.Errorf("%v, %s", err, got.Document)
	}
	// The half is removed, being old; what is being written is not, nor what is
	// another's.
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half: %v", err)
	}
	for _, name := range append(others, filepath.Base(fresh)) {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	save(t, s, setOf(t, corpus.KeySetJSON(newKey(t, "new"))))
	if got, err := s.Load(storedAt); err != nil || !bytes.Contains(got.Document, []byte(`"new"`)) {
		t.Errorf("then %v, %s", err, got.Document)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".test.keys.json[0-9]*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAWriteThatFailsLeavesTheOldFileAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	// In the place of the file: nothing can be renamed over it.
	if err := os.MkdirAll(filepath.Join(storeFile(dir), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(setOf(t, corpus.KeySetJSON(newKey(t, "a"))), nil); err == nil {
		t.Error("it was saved")
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := s.Load(storedAt); err == nil || errors.Is(err, identity.ErrUnreachable) {
		t.Errorf("loading: %v", err)
	}
}

func TestADamagedStoreIsRefusedWhereverTheDamageIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	save(t, s, setOf(t, corpus.KeySetJSON(newKey(t, "a"))), cache.Purged{KeyID: "b", At: storedAt})
	right, err := s.Load(storedAt)
	if err != nil {
		t.Fatal(err)
	}
	file := read(t, storeFile(dir))
	for n := range len(file) - 1 {
		write(t, storeFile(dir), file[:n])
		if got, err := s.Load(storedAt); !errors.Is(err, identity.ErrStore) || got.Document != nil {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(file), err)
		}
	}
	refused := 0
	for n := range file {
		for _, bit := range []byte{1, 2, 32, 128} {
			damaged := bytes.Clone(file)
			damaged[n] ^= bit
			got, err := s.Parse(damaged, storedAt)
			if err == nil && !reflect.DeepEqual(got, right) {
				t.Fatalf("bit %d of byte %d, %q, makes another set of it", bit, n, file[n])
			}
			if err != nil {
				refused++
				if !errors.Is(err, identity.ErrStore) || got.Document != nil {
					t.Fatalf("byte %d: %v", n, err)
				}
			}
		}
	}
	if refused < 4*(len(file)-1) {
		t.Errorf("%d of %d are refused", refused, 4*len(file))
	}
}

func TestAStoreOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	set := setOf(t, corpus.KeySetJSON(newKey(t, "a")))
	purged := cache.Purged{KeyID: "b", Thumbprint: [32]byte{1}, At: storedAt}
	save(t, s, set, purged)
	file := read(t, storeFile(dir))
	for name, c := range map[string]struct {
		change func(t *testing.T) *identity.Store
		now    time.Time
		purged int // that are told all the same
		why    string
	}{
		"another version": {func(t *testing.T) *identity.Store {
			write(t, storeFile(dir), bytes.Replace(file, []byte(`"version":1`), []byte(`"version":2`), 1))
			return s
		}, storedAt, 0, "version 2"},
		"another issuer": {func(t *testing.T) *identity.Store {
			other, err := identity.OpenStore(dir, "test", storedIssuer+"/")
			if err != nil {
				t.Fatal(err)
			}
			return other
		}, storedAt, 0, "another issuer"},
		"too large": {func(t *testing.T) *identity.Store {
			write(t, storeFile(dir), append(bytes.Clone(file), bytes.Repeat([]byte(" "), 1<<20)...))
			return s
		}, storedAt, 0, "more than"},
		"a member twice": {func(t *testing.T) *identity.Store {
			write(t, storeFile(dir), bytes.Replace(file, []byte(`{`), []byte(`{"version":1,`), 1))
			return s
		}, storedAt, 0, "not as it was written"},
		// A clock that was set back, before it is right again.
		"from the future": {func(*testing.T) *identity.Store { return s }, storedAt.Add(-5*time.Minute - 1), 1, "future"},
	} {
		write(t, storeFile(dir), file)
		got, err := c.change(t).Load(c.now)
		if !errors.Is(err, identity.ErrStore) || !strings.Contains(fmt.Sprint(err), c.why) || got.Document != nil || len(got.Purged) != c.purged {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
	write(t, storeFile(dir), file)
	if got, err := s.Load(storedAt.Add(-5 * time.Minute)); err != nil || got.Document == nil {
		t.Errorf("clocks that differ a little: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	s := openStore(f, dir)
	key, err := corpus.NewKey("EdDSA", "a")
	if err != nil {
		f.Fatal(err)
	}
	save(f, s, setOf(f, corpus.KeySetJSON(key)), cache.Purged{KeyID: "b", At: storedAt})
	f.Add(read(f, storeFile(dir)))
	for _, seed := range []string{
		"", "{}", "null", `{"version":1}`, `{"version":1,"sha256":"","content":{}}`,
		`{"issuer":"` + storedIssuer + `","keys":null}`,
		`{"issuer":"` + storedIssuer + `","fetched_at":"2026-01-02T03:04:05Z","keys":[{"kty":"OKP"}],"purged":[{"kid":"b","thumbprint":"00"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		sum := sha256.Sum256(input)
		for _, file := range [][]byte{input, fmt.Appendf(nil, `{"version":1,"sha256":"%x","content":%s}`, sum, input)} {
			got, err := s.Parse(file, storedAt)
			if err != nil && (!errors.Is(err, identity.ErrStore) || got.Document != nil) {
				t.Errorf("%v, %s", err, got.Document)
			}
			if len(got.Document) > token.MaxKeySetBytes || got.FetchedAt.After(storedAt.Add(5*time.Minute)) {
				t.Errorf("%d bytes, of %v", len(got.Document), got.FetchedAt)
			}
		}
	})
}
