package backend_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestARotationPublishesThenSignsThenWithdraws(t *testing.T) {
	t.Parallel()
	old, next := keys()[0], keys()[1]
	b := start(t, backend.Config{Keys: []*corpus.Key{old}})
	step := func(err error, signer *corpus.Key, published ...*corpus.Key) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, body := get(t, b.URL()+backend.KeySetPath); !bytes.Equal(body, corpus.KeySetJSON(published...)) {
			t.Errorf("key set %s", body)
		}
		raw, err := b.Token(backend.Citizen2, "")
		if err != nil {
			t.Fatal(err)
		}
		verify(t, raw, signer)
	}
	step(b.AddKey(next), old, old, next)
	step(b.SignWith(next.ID()), next, next, old)
	step(b.RemoveKey(old.ID()), next, next)
	if _, err := b.Token(backend.Citizen2, old.Algorithm()); !errors.Is(err, backend.ErrAccount) {
		t.Errorf("a withdrawn key signs: %v", err)
	}
	for name, err := range map[string]error{
		"add":    b.AddKey(next),
		"sign":   b.SignWith(old.ID()),
		"remove": b.RemoveKey(old.ID()),
	} {
		if !errors.Is(err, backend.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	step(nil, next, next)
}

func TestCacheControlIsSwitchedWhileItRuns(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{CacheControl: "max-age=1"})
	b.SetCacheControl("no-store")
	if response, _ := get(t, b.URL()+backend.KeySetPath); response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", response.Header)
	}
}
