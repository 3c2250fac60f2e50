package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

const operatorToken = "operators-token-0123"

// fakeKeys remembers what was asked of it.
type fakeKeys struct {
	issuers []IssuerKeys
	n       int
	err     error
	asked   []string
}

func (f *fakeKeys) Issuers() []IssuerKeys { return f.issuers }

func (f *fakeKeys) Purge(issuer, kid string) (int, error) {
	f.asked = append(f.asked, "purge", issuer, kid)
	return f.n, f.err
}

func (f *fakeKeys) Allow(issuer, kid string) (int, error) {
	f.asked = append(f.asked, "allow", issuer, kid)
	return f.n, f.err
}

func withKeys(keys KeyAdmin, log *slog.Logger) Config {
	return Config{
		Ready:   func() []string { return nil },
		Metrics: http.NotFoundHandler(),
		Keys:    keys,
		Token:   []byte(operatorToken),
		Log:     log,
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// hostile has all that a key set may make awkward: order, time zones, shares
// that are no number, names that are markup.
func hostile() []IssuerKeys {
	return []IssuerKeys{
		{
			Issuer: "vneid", FetchedAt: at("2025-07-01T07:00:00.123456+07:00"), Age: 90*time.Minute + 300*time.Millisecond,
			Stale: "soft", LastFailure: "timeout",
			Keys: []KeyInfo{
				{
					ID: "sig-2025", Algorithms: []string{"RS256", "PS256"}, Type: "RSA", Tokens: 999, Share: 0.99900000001,
					FirstSeen: at("2025-06-01T00:00:00Z"), LastSeen: at("2025-07-01T01:30:00Z"), LatestExpiry: at("2025-07-01T02:00:00Z"),
				},
				{
					ID: "<script>alert(1)</script>/100%", Algorithms: []string{"ES256"}, Type: "EC", Tokens: 1, Share: 0.001,
					FirstSeen: at("2025-06-01T00:00:00Z"), LastSeen: at("2025-06-01T00:00:00Z"),
					LatestExpiry: at("2025-06-01T01:00:00Z"), SafeToRetire: true,
				},
				{
					ID: "", Algorithms: []string{"EdDSA"}, Type: "OKP", Share: math.NaN(),
					LatestExpiry: time.Unix(1<<40, 0),
				},
			},
			Purged: []PurgedInfo{
				{ID: "b/c", At: at("2025-06-30T12:00:00Z")},
				{ID: "a", At: at("2025-06-29T12:00:00Z")},
			},
		},
		{Issuer: "hanoi", FetchedAt: at("2025-06-01T00:00:00Z"), Age: 721 * time.Hour, Stale: "hard", Keys: []KeyInfo{}},
		{Issuer: "cold", LastFailure: "refused"},
	}
}

func view(keys []IssuerKeys, accept ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/keys", nil)
	r.Header["Accept"] = accept
	w := httptest.NewRecorder()
	handler(withKeys(&fakeKeys{issuers: keys}, slog.New(slog.DiscardHandler)), nil).ServeHTTP(w, r)
	return w
}

func TestKeyViewIsTheGoldenOne(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file, accept, media string
		keys                []IssuerKeys
	}{
		{"keys.json", "*/*", "application/json; charset=utf-8", hostile()},
		{"keys.html", "text/html", "text/html; charset=utf-8", hostile()},
		{"none.json", "*/*", "application/json; charset=utf-8", nil},
		{"none.html", "text/html", "text/html; charset=utf-8", nil},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			w := view(tc.keys, tc.accept)
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != tc.media {
				t.Errorf("%d %s, want 200 %s", w.Code, got, tc.media)
			}
			file := filepath.Join("testdata", tc.file)
			if *update {
				if err := os.WriteFile(file, w.Body.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.Body.Bytes(), want) {
				t.Errorf("%s differs (go test -update writes it anew):\n%s", file, w.Body)
			}
		})
	}
}

func TestKeyViewDoesNotDependOnTheOrderGiven(t *testing.T) {
	t.Parallel()
	reversed := hostile()
	reversed[0], reversed[2] = reversed[2], reversed[0]
	keys := reversed[2].Keys
	keys[0], keys[2] = keys[2], keys[0]
	if one, other := view(hostile()).Body.String(), view(reversed).Body.String(); one != other {
		t.Errorf("%s\n%s", one, other)
	}
}

func TestPageOfKeysRunsAndLoadsNothing(t *testing.T) {
	t.Parallel()
	w := view(hostile(), "text/html")
	page := w.Body.String()
	for _, part := range []string{"<script", "<img", "<link", "<form", "@import", "url(", "style=", "onclick", "http:", "https:"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := w.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %q, want %q", got, want)
	}
	for field, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept",
		"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := w.Header().Get(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

func TestPageIsForWhoNamesHTML(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"":    false,
		"*/*": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"TEXT/HTML; q=0.5":                       true,
		"text/html;q=0":                          false,
		"text/html;q=2":                          false,
		"text/html;q=NaN":                        false,
		"text/html;q=x, */*":                     false,
		"application/json":                       false,
		"application/json, text/html":            false,
		"application/json;q=0.9, text/html":      true,
		"application/json, text/html;q=0.9":      false,
		"text/*":                                 false,
		"/;;,,text/html":                         true,
		"application/json;q=0.1, text/html;q=.2": true,
	} {
		if got := wantsPage([]string{accept}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
	if !wantsPage([]string{"application/json;q=0.5", "text/html"}) {
		t.Error("the second field was not read")
	}
}

func TestWithoutKeyAdminThereAreNoKeys(t *testing.T) {
	t.Parallel()
	h := handler(withKeys(nil, slog.New(slog.DiscardHandler)), nil)
	for method, path := range map[string]string{"GET": "/keys", "DELETE": "/keys/vneid/k", "PUT": "/keys/vneid/k"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d", method, path, w.Code)
		}
	}
}

func TestAnswerThatIsNoJSONIsAServerError(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	writeJSON(w, http.StatusOK, math.NaN())
	if w.Code != http.StatusInternalServerError || !strings.HasPrefix(w.Body.String(), `{"error":`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
