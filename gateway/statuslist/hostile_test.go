package statuslist

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// host is a provider of lists over HTTP.
func host(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

// hosted are lists that are fetched from it as the gateway does.
func hosted(t *testing.T, server *httptest.Server, keys token.KeySource, changes func(*Config)) *Lists {
	t.Helper()
	cfg := goodConfig(t, nil, keys)
	client := identity.ClientConfig{Timeout: time.Minute}
	cfg.Addresses, cfg.Wait, cfg.MaxBytes = []string{server.URL + "/lists/"}, time.Minute, 1<<20
	if changes != nil {
		changes(&cfg)
	}
	client.MaxBytes = int64(cfg.MaxBytes)
	fetcher, err := identity.NewClient(client)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Fetcher == nil {
		cfg.Fetcher = fetcher
	}
	return open(t, cfg)
}

// send answers with a list.
func send(w http.ResponseWriter, list []byte) {
	w.Header().Set("Content-Type", MediaType)
	_, _ = w.Write(list)
}

func TestAListIsFetchedOverHTTPAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	asked := make(chan *http.Request, 1)
	var server *httptest.Server
	server = host(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		send(w, s.sign(t, nil, listClaims(t, server.URL+r.RequestURI, time.Now(), 0, 1).with(object{"iss": nil, "ttl": 60})))
	})
	l := hosted(t, server, ring(s), nil)
	uri := server.URL + "/lists/1?part=2"
	if l.check(t, uri, 0) != Valid || l.check(t, uri, 1) != Invalid {
		t.Errorf("%+v", l.Stats())
	}
	// Token Status List section 8.1.
	if r := <-asked; r.Method != http.MethodGet || r.Header.Get("Accept") != "application/statuslist+jwt" {
		t.Errorf("%s, %v", r.Method, r.Header)
	}
}

// Whatever a provider answers that is no list of the issuer's, nothing is believed of it.
func TestWhatIsNoListIsNotBelieved(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t, "k"), newSigner(t, "k")
	now := time.Now()
	for name, c := range map[string]struct {
		answer  func(w http.ResponseWriter, r *http.Request, uri string, claims object)
		changes func(*Config)
		want    string
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>Please log in</html>"))
		}, nil, "not_a_list"},
		"a page that lies": {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) {
			send(w, []byte("<html>Please log in</html>"))
		}, nil, "not_a_list"},
		"a list as text": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(s.sign(t, nil, claims))
		}, nil, "not_a_list"},
		"a list in CBOR": {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) {
			w.Header().Set("Content-Type", "application/statuslist+cwt")
			_, _ = w.Write([]byte{0xd2})
		}, nil, "not_a_list"},
		"a list that is not signed": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			text, err := json.Marshal(claims)
			if err != nil {
				t.Error(err)
			}
			send(w, text)
		}, nil, "not_a_list"},
		"nothing":  {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) { send(w, nil) }, nil, "not_a_list"},
		"an error": {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) { w.WriteHeader(500) }, nil, "status"},
		"no list":  {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) { w.WriteHeader(404) }, nil, "status"},
		"no news":  {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) { w.WriteHeader(304) }, nil, "status"},
		"half": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			list := s.sign(t, nil, claims)
			w.Header().Set("Content-Length", strconv.Itoa(len(list)))
			send(w, list[:len(list)/2])
		}, nil, "unreachable"},
		"half, and no length": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			list := s.sign(t, nil, claims)
			send(w, list[:len(list)-1])
		}, nil, "not_a_list"},
		"too slow": {func(w http.ResponseWriter, r *http.Request, _ string, _ object) {
			send(w, []byte("ey"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, func(c *Config) { c.Fetcher = hurried(t) }, "timeout"},
		"huge": {func(w http.ResponseWriter, r *http.Request, _ string, _ object) {
			w.Header().Set("Content-Type", MediaType)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, nil, "too_large"},
		"huge, and says so": {func(w http.ResponseWriter, _ *http.Request, _ string, _ object) {
			w.Header().Set("Content-Length", "1099511627776")
			send(w, []byte("ey"))
		}, nil, "too_large"},
		"packed": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", MediaType)
			z := gzip.NewWriter(w)
			_, _ = z.Write(s.sign(t, nil, claims))
			_ = z.Close()
		}, nil, "not_a_list"},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"status_list": object{"bits": 1, "lst": pack(t, make([]byte, 8<<20))}})))
		}, func(c *Config) { c.MaxListBytes = 1 << 20 }, "unpacked_too_large"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request, _ string, _ object) {
			http.Redirect(w, r, "http://127.0.0.1:1/lists/1", http.StatusFound)
		}, nil, "redirect"},
		"out of where lists are": {func(w http.ResponseWriter, r *http.Request, _ string, _ object) {
			http.Redirect(w, r, "/admin", http.StatusFound)
		}, nil, "redirect"},
		"another list": {func(w http.ResponseWriter, _ *http.Request, uri string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"sub": uri + "2"})))
		}, nil, "wrong_subject"},
		"of another issuer": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"iss": "https://other.example"})))
		}, nil, "wrong_issuer"},
		"under another's key": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, other.sign(t, nil, claims))
		}, nil, "signature"},
		"under an unknown key": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, object{"kid": "k2"}, claims))
		}, nil, "key_unknown"},
		"an access token": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, object{"typ": "at+jwt"}, claims))
		}, nil, "wrong_type"},
		"without type": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, object{"typ": nil}, claims))
		}, nil, "wrong_type"},
		"a MAC": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, object{"alg": "HS256"}, claims))
		}, nil, "algorithm"},
		"no claims to speak of": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"iat": nil})))
		}, nil, "claims"},
		"expired": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"exp": now.Add(-time.Minute).Unix()})))
		}, nil, "expired"},
		"of the future": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"iat": now.Add(time.Hour).Unix()})))
		}, nil, "in_future"},
		"a ttl below zero": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"ttl": -1})))
		}, nil, "format"},
		"a ttl in words": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"ttl": "1h"})))
		}, nil, "format"},
		"three bits": {func(w http.ResponseWriter, _ *http.Request, _ string, claims object) {
			send(w, s.sign(t, nil, claims.with(object{"status_list": object{"bits": 3, "lst": pack(t, []byte{0})}})))
		}, nil, "format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *httptest.Server
			server = host(t, func(w http.ResponseWriter, r *http.Request) {
				uri := server.URL + r.RequestURI
				c.answer(w, r, uri, listClaims(t, uri, now, 0))
			})
			l := hosted(t, server, ring(s), c.changes)
			if got := l.check(t, server.URL+"/lists/1", 0); got != Unknown {
				t.Errorf("believed: %s", got)
			}
			stats := l.Stats()
			if stats.Fetches[c.want] == 0 || stats.Missing != 1 || stats.Bytes != 0 || l.Version() != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// hurried is a client that does not wait for long.
func hurried(t *testing.T) Fetcher {
	t.Helper()
	client, err := identity.NewClient(identity.ClientConfig{Timeout: 50 * time.Millisecond, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAnAbsurdTTLIsHeldWithinBounds(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "k")
	for ttl, want := range map[json.Number]time.Duration{"0.001": 15 * time.Second, "1e300": 5 * time.Minute} {
		var server *httptest.Server
		server = host(t, func(w http.ResponseWriter, r *http.Request) {
			send(w, s.sign(t, nil, listClaims(t, server.URL+r.RequestURI, time.Now(), 0).with(object{"ttl": ttl})))
		})
		l := hosted(t, server, ring(s), nil)
		uri := server.URL + "/lists/1"
		if got := l.check(t, uri, 0); got != Valid {
			t.Fatal(got)
		}
		e := (*l.held.Load())[uri].current.Load()
		if wait := e.due.Sub(e.fetched); wait != want {
			t.Errorf("ttl %s: %s", ttl, wait)
		}
	}
}
