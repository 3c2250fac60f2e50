package backend_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"syscall"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// order gives an order and returns the status of its answer.
func order(t *testing.T, b *backend.Running, what string) int {
	t.Helper()
	response, body := do(t, newRequest(t, http.MethodPost, b.URL()+backend.ControlPath+what, nil))
	if response.StatusCode == http.StatusNoContent && len(body) > 0 {
		t.Errorf("%s: %s", what, body)
	}
	return response.StatusCode
}

func TestEveryFaultIsOrderedOverHTTP(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys(), Control: true})
	right := corpus.KeySetJSON(keys()...)
	// look tells a fault by the status of the key set's answer, its type, encoding, length, and how reading it ends.
	look := func() (status int, header http.Header, body []byte, err error) {
		response, err := fetch(t, b.URL()+backend.KeySetPath)
		if err != nil {
			return 0, nil, nil, err
		}
		body, err = io.ReadAll(response.Body)
		return response.StatusCode, response.Header, body, err
	}
	for what, seen := range map[string]func(status int, header http.Header, body []byte, err error) bool{
		"kind=down":              func(status int, _ http.Header, _ []byte, err error) bool { return status == 0 && err != nil },
		"kind=slow&delay=1ms":    func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Equal(body, right) },
		"kind=trickle&every=1ns": func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Equal(body, right) },
		"kind=status":            func(status int, _ http.Header, _ []byte, _ error) bool { return status == 500 },
		"kind=status&code=403":   func(status int, _ http.Header, _ []byte, _ error) bool { return status == 403 },
		"kind=html":              func(_ int, _ http.Header, body []byte, _ error) bool { return body[0] == '<' },
		"kind=truncated":         func(status int, _ http.Header, _ []byte, err error) bool { return status == 200 && err != nil },
		"kind=huge&bytes=100000": func(_ int, _ http.Header, body []byte, _ error) bool { return len(body) >= 100000 },
		"kind=body&body=%5B%5D":  func(_ int, _ http.Header, body []byte, _ error) bool { return string(body) == "[]" },
		"kind=body&type=text/x":  func(_ int, h http.Header, _ []byte, _ error) bool { return h.Get("Content-Type") == "text/x" },
		"kind=duplicate-kids":    func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Count(body, []byte("kid-es")) == 2 },
		"kind=wrong-issuer":      func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Equal(body, right) },
		"kind=redirect": func(_ int, h http.Header, _ []byte, _ error) bool {
			return h.Get("Location")[:16] == "http://localhost"
		},
		"kind=redirect&to=http://x":                func(_ int, h http.Header, _ []byte, _ error) bool { return h.Get("Location")[:8] == "http://x" },
		"kind=redirect&to=same":                    func(_ int, h http.Header, _ []byte, _ error) bool { return h.Get("Location")[:5] == "/jwks" },
		"kind=flapping&up=1h":                      func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Equal(body, right) },
		"kind=flapping&up=0s&down=1h":              func(status int, _ http.Header, _ []byte, err error) bool { return status == 0 && err != nil },
		"kind=flapping&up=0s&with=status&code=599": func(status int, _ http.Header, _ []byte, _ error) bool { return status == 599 },
		"kind=status&path=discovery":               func(status int, _ http.Header, _ []byte, _ error) bool { return status == 200 },
		"kind=status&path=discovery&path=jwks":     func(status int, _ http.Header, _ []byte, _ error) bool { return status == 500 },
		"kind=status&for=1ns":                      func(status int, _ http.Header, _ []byte, _ error) bool { return status == 200 },
		"kind=status&for=1h&path=jwks":             func(status int, _ http.Header, _ []byte, _ error) bool { return status == 500 },
		"kind=bomb&bytes=100000&path=jwks&for=1h":  func(_ int, _ http.Header, body []byte, _ error) bool { return len(body) == 100000 },
		"kind=status&path=introspection&code=500":  func(status int, _ http.Header, _ []byte, _ error) bool { return status == 200 },
		"kind=status&code=500&path=jwks&path=jwks": func(status int, _ http.Header, _ []byte, _ error) bool { return status == 500 },
		"kind=none": func(_ int, _ http.Header, body []byte, _ error) bool { return bytes.Equal(body, right) },
	} {
		if status := order(t, b, "fault?kind=none"); status != http.StatusNoContent {
			t.Fatalf("ending the fault: %d", status)
		}
		if status := order(t, b, "fault?"+what); status != http.StatusNoContent {
			t.Errorf("%s: %d", what, status)
			continue
		}
		if status, header, body, err := look(); !seen(status, header, body, err) {
			t.Errorf("%s: %d %v %.100s %v", what, status, header, body, err)
		}
	}
}

func TestAnOrderThatIsNotUnderstoodChangesNothing(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Keys: keys(), Control: true})
	for what, want := range map[string]int{
		"fault": 400, "fault?kind=": 400, "fault?kind=x": 400, "fault?kind=slow&delay=x": 400, "fault?kind=slow&delay=-1s": 400,
		"fault?kind=slow&delay=25h": 400, "fault?kind=status&code=100": 400, "fault?kind=status&code=600": 400,
		"fault?kind=huge&bytes=-1": 400, "fault?kind=bomb&bytes=9999999999": 400, "fault?kind=status&path=token": 400,
		"fault?kind=status&path=jwks&path=x": 400, "fault?kind=status&for=1": 400, "fault?kind=flapping&with=flapping": 400,
		"fault?kind=flapping&with=none": 400, "fault?kind=flapping&up=x": 400, "fault?kind=flapping&down=x": 400,
		"fault?kind=refuse": 400, "fault?kind=refuse&for=x": 400, "fault?kind=refuse&for=1s&path=jwks": 400,
		"keys": 400, "keys?do=add": 400, "keys?do=add&kid=kid-es&alg=ES256": 400, "keys?do=add&kid=a&alg=HS256": 400,
		"keys?do=sign&kid=x": 400, "keys?do=remove&kid=x": 400, "x": 404, "": 404, "fetches": 404,
	} {
		if got := order(t, b, what); got != want {
			t.Errorf("%q: %d, want %d", what, got, want)
		}
	}
	if response, _ := get(t, b.URL()+backend.ControlPath+"fault?kind=down"); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
	if _, body := get(t, b.URL()+backend.KeySetPath); !bytes.Equal(body, corpus.KeySetJSON(keys()...)) {
		t.Errorf("key set %s", body)
	}
	unarmed := start(t, backend.Config{})
	if got := order(t, unarmed, "fault?kind=down"); got != http.StatusNotFound {
		t.Errorf("orders are taken without being configured: %d", got)
	}
}

func TestRefusalIsOrderedOverHTTPAndEndsByItself(t *testing.T) {
	t.Parallel()
	b := start(t, backend.Config{Control: true})
	if got := order(t, b, "fault?kind=refuse&for=300ms"); got != http.StatusNoContent {
		t.Fatal(got)
	}
	refused := false
	for {
		_, err := fetch(t, b.URL()+backend.DiscoveryPath)
		refused = refused || errors.Is(err, syscall.ECONNREFUSED)
		if refused && err == nil {
			return
		}
		runtime.Gosched()
	}
}

func TestKeysRevocationsAndCountsAreOrderedOverHTTP(t *testing.T) {
	t.Parallel()
	b := startIntrospection(t, nil)
	for _, what := range []string{"keys?do=add&kid=next&alg=ES256", "keys?do=sign&kid=next", "keys?do=remove&kid=kid-ed", "keys?do=remove&kid=kid-es"} {
		if got := order(t, b, what); got != http.StatusNoContent {
			t.Errorf("%s: %d", what, got)
		}
	}
	var set struct{ Keys []corpus.JWK }
	if getJSON(t, b.URL()+backend.KeySetPath, &set); len(set.Keys) != 1 || set.Keys[0].ID != "next" {
		t.Errorf("%v", set)
	}
	token, err := b.Opaque(backend.Citizen1)
	if err != nil {
		t.Fatal(err)
	}
	response, _ := do(t, newRequest(t, http.MethodPost, b.URL()+backend.ControlPath+"revoke", url.Values{"token": {token}}))
	if got := introspected(t, b, token); response.StatusCode != http.StatusNoContent || !isInactive(got) {
		t.Errorf("%d %v", response.StatusCode, got)
	}
	var counts map[string]int
	getJSON(t, b.URL()+backend.ControlPath+"fetches", &counts)
	if counts["jwks"] != 1 || counts["introspection"] != 1 || counts["discovery"] != 0 || len(counts) != 4 {
		t.Errorf("%v", counts)
	}
	if got := order(t, b, "reset"); got != http.StatusNoContent || b.Fetches(backend.KeySetPath) != 0 {
		t.Errorf("%d, %d fetches", got, b.Fetches(backend.KeySetPath))
	}
}

func FuzzAnOrderIsCarriedOutOrRefused(f *testing.F) {
	for _, what := range []string{"kind=slow&delay=1s&for=2s", "kind=flapping&with=flapping", "kind=bomb&bytes=1e3&path=jwks", "kind=refuse&for=1s"} {
		f.Add(what)
	}
	b := backend.New(backend.Config{Control: true})
	f.Fuzz(func(t *testing.T, what string) {
		request := newRequest(t, http.MethodPost, backend.ControlPath+"fault", nil)
		request.URL.RawQuery = what
		got := &answer{header: http.Header{}}
		b.ServeHTTP(got, request)
		if got.status != http.StatusNoContent && got.status != http.StatusBadRequest {
			t.Errorf("%d", got.status)
		}
	})
}
