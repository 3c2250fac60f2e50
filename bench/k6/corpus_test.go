package k6_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

const (
	secret = "SECRET" // in every token
	warm   = 20
	cold   = 300
	share  = 0.25
)

// made writes a corpus whose tokens say what they are for, and returns its directory.
func made(t *testing.T, expires time.Time) string {
	t.Helper()
	dir := t.TempDir()
	var file []byte
	add := func(l population.Line) {
		var err error
		if file, err = population.AppendLine(file, &l); err != nil {
			t.Fatal(err)
		}
	}
	for i := range warm + cold {
		l := population.Line{
			Class: population.Valid, Pool: population.Warm, Method: http.MethodGet, Host: "hanoi.example.vn", Path: "/api/x%2Fy",
			Authorization: fmt.Sprintf("Bearer %s-valid-%d", secret, i), Expect: population.Expectation{Status: []int{200}},
		}
		switch i % 5 {
		case 1:
			l.Class, l.Method = population.Expired, http.MethodPost
			l.Authorization = fmt.Sprintf("Bearer %s-expired-%d", secret, i)
			l.Expect = population.Expectation{Status: []int{401}, Code: "token_expired"}
		case 2:
			l.Class = population.Organisation
			l.Authorization = fmt.Sprintf("Bearer %s-organisation-%d", secret, i)
		}
		if i >= warm {
			l.Pool = population.Cold
		}
		add(l)
	}
	m := population.Manifest{
		Format: population.Format, Seed: 5, CreatedAt: time.Now(), ExpiresAt: expires,
		Reuse: population.Reuse{ZipfExponent: 1, ColdShare: share}, Pools: population.Pools{Warm: warm, Cold: cold},
		Classes:       []population.ClassCount{{Class: population.Valid}, {Class: population.Expired}, {Class: population.Organisation}},
		RequestsBytes: int64(len(file)),
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{population.ManifestFile: manifest, population.RequestsFile: file} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// gateway answers by the token, and keeps which tokens came, and what is not as in made.
type gateway struct {
	*httptest.Server

	mu     sync.Mutex
	tokens []string
	odd    []string
}

func startGateway(t *testing.T, answer func(token string) (status int, code string)) *gateway {
	t.Helper()
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		want := http.MethodGet
		if strings.Contains(token, "expired") {
			want = http.MethodPost
		}
		g.mu.Lock()
		g.tokens = append(g.tokens, token)
		if r.Host != "hanoi.example.vn" || r.RequestURI != "/api/x%2Fy" || r.Method != want || r.ContentLength > 0 {
			g.odd = append(g.odd, fmt.Sprintf("%s %s %s of %d bytes", r.Method, r.Host, r.RequestURI, r.ContentLength))
		}
		g.mu.Unlock()
		status, code := answer(token)
		w.WriteHeader(status)
		if code != "" {
			_, _ = fmt.Fprintf(w, `{"type":"about:blank","code":%q}`, code)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// rightly is what each token must get.
func rightly(token string) (int, string) {
	if strings.Contains(token, "expired") {
		return http.StatusUnauthorized, "token_expired"
	}
	return http.StatusOK, ""
}

// first returns the tokens of the first n requests of made's corpus, sorted.
func first(t *testing.T, dir string, from, n, step int64) []string {
	t.Helper()
	c, err := population.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var lines []population.Line
	for l, err := range c.Lines() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	picker, err := population.NewPicker(c.Manifest.Seed, c.Manifest.Reuse, c.Manifest.Pools)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for i := range n {
		at, isCold := picker.Pick(from + i*step)
		if isCold {
			at += warm
		}
		tokens = append(tokens, strings.TrimPrefix(lines[at].Authorization, "Bearer "))
	}
	slices.Sort(tokens)
	return tokens
}

func (g *gateway) sorted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(slices.Values(g.tokens))
}

// coldOf returns those of tokens, sorted, that are of the cold pool.
func coldOf(tokens []string) (all []string) {
	for _, token := range tokens {
		if i, err := strconv.Atoi(token[strings.LastIndex(token, "-")+1:]); err == nil && i >= warm {
			all = append(all, token)
		}
	}
	return all
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }
