package logout_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
)

// FuzzRequest: whatever the body, an entry comes only from the one token that
// the standard library reads from it, and every answer is one of the few.
func FuzzRequest(f *testing.F) {
	w := newWorld(f, nil)
	good := w.sign("logout+jwt", w.good())
	const kind = "application/x-www-form-urlencoded"
	f.Add(kind, form(good))
	f.Add(kind+"; charset=utf-8", "x=1&"+form(good)+"&")
	f.Add(kind, form(good)+"&"+form(good))
	f.Add(kind, "logout%5ftoken="+good)
	f.Add(kind, form(good)+";logout_token=x")
	f.Add("text/plain", form(good))
	f.Add("", "")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		w := renewed(t, w)
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Header["Content-Type"] = []string{contentType}
		got := httptest.NewRecorder()
		w.ServeHTTP(got, request)
		taken := w.intake.taken()
		values, err := url.ParseQuery(body)
		named := err == nil && len(values["logout_token"]) == 1 && values.Get("logout_token") == good
		switch {
		case got.Code == http.StatusOK && named && len(taken) == 1:
		case got.Code == http.StatusBadRequest && json.Valid(got.Body.Bytes()) && len(taken) == 0:
		default:
			t.Fatalf("%d %s, %d entries", got.Code, got.Body, len(taken))
		}
	})
}

// FuzzClaims: whatever an issuer signs, entries come only from what section 2.6
// lets pass, and name nothing but its sub and sid.
func FuzzClaims(f *testing.F) {
	w := newWorld(f, nil)
	for _, change := range []claims{
		nil,
		{"sid": nil},
		{"sub": nil},
		{"nonce": "x"},
		{"events": claims{}},
		{"aud": []string{clientID, "b"}},
		{"iat": 1.5},
		{"exp": nil},
		{"jti": nil},
		{"events": claims{event: true}},
	} {
		payload, err := json.Marshal(w.good(change))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	header := []byte(`{"alg":"EdDSA","kid":"issuer-key","typ":"logout+jwt"}`)
	f.Fuzz(func(t *testing.T, payload []byte) {
		w := renewed(t, w)
		raw, err := w.signer.SignCompact(header, payload)
		if err != nil {
			t.Skip(err)
		}
		got := w.post(form(raw))
		taken := w.intake.taken()
		if got.Code != http.StatusOK {
			if got.Code != http.StatusBadRequest || len(taken) > 0 {
				t.Fatalf("%d, %d entries", got.Code, len(taken))
			}
			return
		}
		var said map[string]any
		if err := json.Unmarshal(payload, &said); err != nil {
			t.Fatal(err)
		}
		events, _ := said["events"].(map[string]any)
		_, isEvent := events[event].(map[string]any)
		_, hasNonce := said["nonce"]
		if !isEvent || hasNonce || said["iss"] != issuer || said["exp"] == nil || said["iat"] == nil || said["jti"] == "" || len(taken) != 1 {
			t.Fatalf("accepted: %s", payload)
		}
		e := taken[0]
		switch {
		case e.Kind == revocation.KindSession && e.ID == said["sid"] && e.Before.IsZero():
		case e.Kind == revocation.KindSubject && e.ID == said["sub"] && (said["sid"] == nil || said["sid"] == "") && !e.Before.After(w.now.Add(leeway)):
		default:
			t.Fatalf("%v of %s", e, payload)
		}
	})
}

// renewed returns w with a handler that remembers nothing, and an intake of its
// own.
func renewed(t *testing.T, w *world) *world {
	t.Helper()
	own := &world{tb: t, signer: w.signer, keys: w.keys, intake: &intake{}, now: w.now, cfg: w.cfg}
	own.cfg.Intake = own.intake
	var err error
	if own.Handler, err = logout.New(own.cfg); err != nil {
		t.Fatal(err)
	}
	return own
}
