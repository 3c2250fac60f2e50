package identity_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

// typed answers by path, as a provider of status lists may.
func typed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/statuslist+jwt")
	switch r.URL.Path {
	case "/lists/1":
		if r.Header.Get("Accept") != "application/statuslist+jwt" || r.Header.Get("Accept-Encoding") != "" {
			w.WriteHeader(http.StatusNotAcceptable)
		}
	case "/lists/parameter":
		w.Header().Set("Content-Type", "Application/StatusList+JWT; charset=utf-8")
	case "/lists/json":
		w.Header().Set("Content-Type", "application/json")
	case "/lists/untyped":
		w.Header()["Content-Type"] = nil
	case "/lists/packed":
		w.Header().Set("Content-Encoding", "gzip")
	case "/lists/gone":
		w.WriteHeader(http.StatusGone)
	case "/lists/broken":
		w.WriteHeader(http.StatusInternalServerError)
	case "/lists/moved":
		http.Redirect(w, r, "/lists/1", http.StatusFound)
		return
	case "/lists/out":
		http.Redirect(w, r, "/admin", http.StatusFound)
		return
	case "/lists/loop":
		http.Redirect(w, r, "/lists/loop", http.StatusFound)
		return
	case "/lists/large":
		_, _ = w.Write(make([]byte, 2<<20))
		return
	}
	_, _ = w.Write([]byte("document"))
}

func TestADocumentOfATypeIsFetchedAsThatAndNothingElse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(typed))
	t.Cleanup(server.Close)
	client := newClient(t, identity.ClientConfig{})
	for path, want := range map[string]error{
		"/lists/1": nil, "/lists/parameter": nil, "/lists/moved": nil,
		"/lists/json": identity.ErrMalformed, "/lists/untyped": identity.ErrMalformed, "/lists/packed": identity.ErrMalformed,
		"/lists/gone": identity.ErrAbsent, "/lists/broken": identity.ErrStatus,
		"/lists/out": identity.ErrRedirect, "/lists/loop": identity.ErrRedirect, "/lists/large": identity.ErrTooLarge,
	} {
		document, err := client.GetType(t.Context(), server.URL+path, "application/statuslist+jwt", func(u *url.URL) bool {
			return strings.HasPrefix(u.Path, "/lists/")
		})
		if !errors.Is(err, want) || err == nil && string(document.Body) != "document" {
			t.Errorf("%s: %q, %v", path, document.Body, err)
		}
	}
}

func TestADocumentThatIsNotThereIsAnErrorStatus(t *testing.T) {
	t.Parallel()
	if !errors.Is(identity.ErrAbsent, identity.ErrStatus) || identity.Reason(identity.ErrAbsent) != "status" {
		t.Error(identity.ErrAbsent)
	}
}
