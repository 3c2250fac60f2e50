package identity_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func TestEndpointIsHTTPSOrLoopback(t *testing.T) {
	t.Parallel()
	client := newClient(t, identity.ClientConfig{})
	for address, want := range map[string]error{
		"https://sso.example/poll":          nil,
		"http://127.0.0.1:1/poll":           nil,
		"http://localhost/poll":             nil,
		"http://sso.example/poll":           identity.ErrInsecure,
		"ftp://sso.example/poll":            identity.ErrInsecure,
		"https://user:pass@sso.example/":    identity.ErrMalformed,
		"https://sso.example/#fragment":     identity.ErrMalformed,
		"/poll":                             identity.ErrMalformed,
		"https://sso.example/%zz":           identity.ErrMalformed,
		"http://localhost.attacker.example": identity.ErrInsecure,
	} {
		if _, err := identity.NewEndpoint(client, address, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := identity.NewEndpoint(client, "http://sso.example/poll", true); err != nil {
		t.Errorf("plain http that is allowed: %v", err)
	}
}

func TestPostYieldsJSONOrAnErrorOfTheTaxonomy(t *testing.T) {
	t.Parallel()
	var reply func(w http.ResponseWriter, r *http.Request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w, r) }))
	t.Cleanup(s.Close)
	endpoint, err := identity.NewEndpoint(newClient(t, identity.ClientConfig{MaxBytes: 64}), s.URL+"/poll", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(endpoint.Close)
	write := func(status int, kind, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const kind = "application/json"
	for name, c := range map[string]struct {
		reply func(http.ResponseWriter, *http.Request)
		want  error
	}{
		"good":              {write(http.StatusOK, kind+"; charset=utf-8", `{"a":1}`), nil},
		"no JSON":           {write(http.StatusOK, kind, `{`), identity.ErrMalformed},
		"duplicate members": {write(http.StatusOK, kind, `{"a":1,"a":1}`), identity.ErrMalformed},
		"another type":      {write(http.StatusOK, "text/html", `{}`), identity.ErrMalformed},
		"no type":           {write(http.StatusOK, "", `{}`), identity.ErrMalformed},
		"too large":         {write(http.StatusOK, kind, `"`+strings.Repeat("a", 64)+`"`), identity.ErrTooLarge},
		"no content":        {write(http.StatusNoContent, kind, ""), identity.ErrStatus},
		"not us":            {write(http.StatusUnauthorized, kind, "{}"), identity.ErrClientRejected},
		"not for us":        {write(http.StatusForbidden, kind, "{}"), identity.ErrClientRejected},
		"broken":            {write(http.StatusInternalServerError, kind, "{}"), identity.ErrStatus},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, identity.ErrRedirect},
		"packed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			write(200, kind, "{}")(w, r)
		}, identity.ErrMalformed},
		"too large, streamed": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			write(200, kind, strings.Repeat(" ", 65))(w, r)
		}, identity.ErrTooLarge},
	} {
		reply = func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path != "/poll" || r.Method != http.MethodPost || string(body) != `{"q":1}` || r.Header.Get("Authorization") != "Bearer b" ||
				r.Header.Get("Content-Type") != kind || r.Header.Get("Accept") != kind || r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("%s: asked %s %s %s %v", name, r.Method, r.URL, body, r.Header)
			}
			c.reply(w, r)
		}
		header := http.Header{"Authorization": {"Bearer b"}}
		got, err := endpoint.Post(t.Context(), header, []byte(`{"q":1}`))
		if !errors.Is(err, c.want) || c.want == nil && string(got) != `{"a":1}` {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if len(header) != 1 {
			t.Errorf("the caller's header was changed: %v", header)
		}
	}
}

func TestPostIsBoundedInTimeAndEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	endpoint := func(timeout time.Duration) *identity.Endpoint {
		e, err := identity.NewEndpoint(newClient(t, identity.ClientConfig{Timeout: timeout}), s.URL, false)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if _, err := endpoint(20*time.Millisecond).Post(t.Context(), nil, []byte("{}")); !errors.Is(err, identity.ErrTimeout) {
		t.Errorf("no answer: %v", err)
	}
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := endpoint(time.Minute).Post(ctx, nil, []byte("{}")); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}
