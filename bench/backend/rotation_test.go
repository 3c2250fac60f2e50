package backend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
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

func TestKeyOfAnotherIsPublishedByOrderAndWithdrawn(t *testing.T) {
	t.Parallel()
	own, other := keys()[0], keys()[1]
	b := start(t, backend.Config{Keys: []*corpus.Key{own}, Control: true})
	jwk, err := json.Marshal(other.PublicJWK())
	if err != nil {
		t.Fatal(err)
	}
	publish := "keys?do=publish&jwk=" + url.QueryEscape(string(jwk))
	for _, step := range []struct {
		order  string
		status int
		want   []byte
	}{
		{publish, http.StatusNoContent, corpus.KeySetJSON(other, own)},
		{publish, http.StatusBadRequest, corpus.KeySetJSON(other, own)},
		{"keys?do=sign&kid=" + other.ID(), http.StatusBadRequest, corpus.KeySetJSON(other, own)},
		// What is faulty for a time comes back with it.
		{"fault?kind=status", http.StatusNoContent, nil},
		{"fault?kind=none", http.StatusNoContent, corpus.KeySetJSON(other, own)},
		{"keys?do=remove&kid=" + other.ID(), http.StatusNoContent, corpus.KeySetJSON(own)},
		{"keys?do=remove&kid=" + other.ID(), http.StatusBadRequest, corpus.KeySetJSON(own)},
		{"keys?do=publish&jwk=%7B%22kty%22:%22EC%22,%22kid%22:%22x%22,%22d%22:%22secret%22%7D", http.StatusBadRequest, corpus.KeySetJSON(own)},
		{"keys?do=publish&jwk=%7B%22kty%22:%22EC%22%7D", http.StatusBadRequest, corpus.KeySetJSON(own)},
	} {
		if status := order(t, b, step.order); status != step.status {
			t.Errorf("%s: %d, want %d", step.order, status, step.status)
		}
		if _, body := get(t, b.URL()+backend.KeySetPath); step.want != nil && !bytes.Equal(body, step.want) {
			t.Errorf("%s: key set %s", step.order, body)
		}
	}
	raw, err := b.Token(backend.Citizen2, "")
	if err != nil {
		t.Fatal(err)
	}
	verify(t, raw, own)
}
