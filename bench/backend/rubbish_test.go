package backend_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func TestABombIsSmallOnTheWireAndHugeBehindAnEncodingNobodyAskedFor(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{})
	const size = 1 << 20
	b.SetFault(backend.Bomb(size))
	request := newRequest(t, http.MethodGet, b.URL()+backend.KeySetPath, nil)
	request.Header.Set("Accept-Encoding", "identity")
	response, packed := do(t, request)
	if response.Header.Get("Content-Encoding") != "gzip" || len(packed) > size/100 {
		t.Errorf("%d bytes of %q", len(packed), response.Header.Get("Content-Encoding"))
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil || len(body) < size || !json.Valid(body) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestDuplicateKidsAreDifferentKeysOfOneKidAndAlgorithm(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	b.SetFault(b.DuplicateKids())
	var set struct{ Keys []corpus.JWK }
	getJSON(t, b.URL()+backend.KeySetPath, &set)
	if len(set.Keys) != 4 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for i, key := range set.Keys[:2] {
		twin := set.Keys[i+2]
		if key != keys()[i].PublicJWK() || twin.ID != key.ID || twin.Algorithm != key.Algorithm || twin.X == key.X {
			t.Errorf("%v beside %v", key, twin)
		}
	}
	var document map[string]any
	getJSON(t, b.URL()+backend.DiscoveryPath, &document)
	if document["issuer"] != b.Issuer() {
		t.Errorf("discovery of %v", document["issuer"])
	}
}

func TestAWrongIssuerIsNamedInDiscoveryAndNotInTheKeySet(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	b.SetFault(backend.WrongIssuer())
	var document map[string]any
	getJSON(t, b.URL()+backend.DiscoveryPath, &document)
	if document["issuer"] == b.Issuer() || document["issuer"] == nil || document["jwks_uri"] != b.URL()+backend.KeySetPath {
		t.Errorf("%v", document)
	}
	if _, body := get(t, b.URL()+backend.KeySetPath); !bytes.Equal(body, corpus.KeySetJSON(keys()...)) {
		t.Errorf("key set %s", body)
	}
}

func TestARedirectLeadsToTheRightAnswerInTheOrderedOrigin(t *testing.T) {
	t.Parallel()
	b, other := start(t, backend.Config{Keys: keys()}), start(t, backend.Config{Keys: keys()})
	here, err := url.Parse(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		fault backend.Fault
		host  string
	}{
		"same":      {backend.RedirectSameOrigin(), here.Host},
		"localhost": {backend.RedirectCrossOrigin(""), "localhost:" + here.Port()},
		"other":     {backend.RedirectCrossOrigin(other.URL()), other.Address()},
	} {
		b.SetFault(c.fault)
		response, _ := get(t, b.URL()+backend.KeySetPath)
		to, err := response.Location()
		if err != nil || response.StatusCode != http.StatusTemporaryRedirect || to.Host != c.host {
			t.Errorf("%s: %d to %v, %v", name, response.StatusCode, to, err)
			continue
		}
		to.Host = here.Host // The same server by its other name: no resolver is needed here.
		if _, body := get(t, to.String()); !bytes.Equal(body, corpus.KeySetJSON(keys()...)) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestTrickleSendsOneByteInEachInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := backend.New(backend.Config{Issuer: "http://issuer.example", Keys: keys()})
		b.SetFault(backend.Trickle(time.Second))
		begin, got := time.Now(), &answer{header: http.Header{}}
		b.ServeHTTP(got, newRequest(t, http.MethodGet, backend.KeySetPath, nil))
		want := corpus.KeySetJSON(keys()...)
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("key set %s", got.Bytes())
		}
		if took := time.Since(begin); took != time.Duration(len(want))*time.Second || got.flushed != len(want)+1 {
			t.Errorf("%d bytes took %v and %d pieces", len(want), took, got.flushed)
		}
	})
}

func TestFlappingFollowsItsSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := backend.New(backend.Config{Issuer: "http://issuer.example", Keys: keys()})
		b.SetFault(backend.Flapping(3*time.Second, 2*time.Second, backend.Status(http.StatusBadGateway)))
		var seen string
		for range 10 {
			got := &answer{header: http.Header{}}
			b.ServeHTTP(got, newRequest(t, http.MethodGet, backend.KeySetPath, nil))
			seen += map[int]string{0: "u", http.StatusBadGateway: "d"}[got.status]
			time.Sleep(time.Second)
		}
		if seen != "uuudduuudd" {
			t.Error(seen)
		}
	})
}

func TestAFaultIsOfItsPathAndEndsInItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := backend.New(backend.Config{Issuer: "http://issuer.example"})
		status := func(path string) int {
			got := &answer{header: http.Header{}}
			b.ServeHTTP(got, newRequest(t, http.MethodGet, path, nil))
			return got.status
		}
		if err := b.SetFaultAt(backend.KeySetPath, backend.Status(500), time.Minute); err != nil {
			t.Fatal(err)
		}
		if status(backend.KeySetPath) != 500 || status(backend.DiscoveryPath) == 500 {
			t.Error("it is not of its path")
		}
		time.Sleep(time.Minute - 1)
		if status(backend.KeySetPath) != 500 {
			t.Error("it ended early")
		}
		time.Sleep(time.Nanosecond)
		if status(backend.KeySetPath) == 500 {
			t.Error("it did not end")
		}
		for _, path := range []string{backend.TokenPath, "/other", ""} {
			if err := b.SetFaultAt(path, backend.Down(), 0); !errors.Is(err, backend.ErrFault) {
				t.Errorf("%q: %v", path, err)
			}
		}
	})
}

func TestARefusingBackendLooksLikeOneThatIsGone(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys()})
	if err := b.Refuse(0); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, b.URL()+backend.KeySetPath); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refusing: %v", err)
	}
	if err := b.Accept(); err != nil {
		t.Fatal(err)
	}
	get(t, b.URL()+backend.KeySetPath)
	if got := b.Fetches(backend.KeySetPath); got != 1 {
		t.Errorf("%d fetches", got)
	}
	b.ResetFetches()
	if got := b.Fetches(backend.KeySetPath); got != 0 {
		t.Errorf("%d fetches after the reset", got)
	}
}
