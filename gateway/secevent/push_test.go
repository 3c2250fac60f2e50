package secevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// receiver is a real server that takes pushed tokens.
func receiver(tb testing.TB, w *world, bearer string) *httptest.Server {
	tb.Helper()
	h, err := NewPush(PushConfig{Stream: w.Stream, Token: []byte(bearer)})
	if err != nil {
		tb.Fatal(err)
	}
	s := httptest.NewServer(h)
	tb.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

type answer struct {
	status int
	header http.Header
	body   string
}

func post(tb testing.TB, url, body string, header http.Header) answer {
	tb.Helper()
	return request(tb, http.MethodPost, url, body, header)
}

func request(tb testing.TB, method, url, body string, header http.Header) answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/secevent+jwt")
	maps.Copy(req.Header, header)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func TestPushedTokenIsAcceptedOnceItIsInForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := receiver(t, w, "")
	set := sign(t, goodSET("e-1", "u-1"))
	covered := token.Claims{Issuer: issuerA, Subject: "u-1", IssuedAt: epoch - 100}
	if w.covered(covered) {
		t.Fatal("revoked before")
	}
	got := post(t, s.URL+"/events", set, nil)
	// RFC 8935 section 2.2: 202 with an empty body.
	if got.status != http.StatusAccepted || got.body != "" || !w.covered(covered) {
		t.Fatalf("%+v, in force: %v", got, w.covered(covered))
	}
	if got := post(t, s.URL, set, nil); got.status != http.StatusAccepted || w.door.calls != 1 {
		t.Errorf("again: %+v, %d calls", got, w.door.calls)
	}
	st := w.Stats()
	if st.Received != 2 || st.Accepted != 1 || st.Duplicates != 1 || st.Entries != 1 || st.Events[KindSessionRevoked] != 1 ||
		st.Lag != time.Minute || !st.LastAccepted.Equal(testNow) || !st.LastVerified.Equal(testNow) {
		t.Errorf("%+v", st)
	}
}

func TestRefusalHasTheCodeOfRFC8935Section24(t *testing.T) {
	t.Parallel()
	header := `{"alg":"EdDSA","typ":"secevent+jwt","kid":"t-1"}`
	payload := goodSET("e-1", "u-1").json(t)
	good := sign(t, goodSET("e-1", "u-1"))
	forged := []byte(good)
	forged[len(forged)-10] ^= 1
	for name, c := range map[string]struct{ body, code string }{
		"nothing":             {"", "invalid_request"},
		"no token":            {`{"events":{}}`, "invalid_request"},
		"another type":        {signText(t, `{"alg":"EdDSA","typ":"JWT","kid":"t-1"}`, payload), "invalid_request"},
		"no events":           {sign(t, goodSET("e-1", "u-1").with(object{"events": nil})), "invalid_request"},
		"no jti":              {sign(t, goodSET("e-1", "u-1").with(object{"jti": nil})), "invalid_request"},
		"no iat":              {sign(t, goodSET("e-1", "u-1").with(object{"iat": nil})), "invalid_request"},
		"from the future":     {sign(t, goodSET("e-1", "u-1").with(object{"iat": epoch + 31})), "invalid_request"},
		"expired":             {sign(t, goodSET("e-1", "u-1").with(object{"exp": epoch - 30})), "invalid_request"},
		"unmapped":            {sign(t, goodSET("e-1", "u-1").with(object{"events": one(risc+"account-disabled", object{})})), "invalid_request"},
		"unsecured":           {signText(t, `{"alg":"none","typ":"secevent+jwt"}`, payload), "invalid_key"},
		"unknown key":         {signText(t, `{"alg":"EdDSA","typ":"secevent+jwt","kid":"t-2"}`, payload), "invalid_key"},
		"another transmitter": {sign(t, goodSET("e-1", "u-1").with(object{"iss": transmitter + "x"})), "invalid_issuer"},
		"another audience":    {sign(t, goodSET("e-1", "u-1").with(object{"aud": "https://elsewhere.example"})), "invalid_audience"},
		"forged":              {string(forged), "authentication_failed"},
		"of another issuer":   {sign(t, goodSET("e-1", "u-1").with(object{"events": one(risc+"account-disabled", object{"subject": issSub("https://elsewhere.example", "u-1")})})), "access_denied"},
		"duplicate members":   {signText(t, header, strings.Replace(payload, `"jti"`, `"jti":"x","jti"`, 1)), "invalid_request"},
		"line break after it": {good + "\n", "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			got := post(t, receiver(t, w, "").URL, c.body, nil)
			var said map[string]string
			if err := json.Unmarshal([]byte(got.body), &said); err != nil {
				t.Fatal(err, got.body)
			}
			if got.status != http.StatusBadRequest || said["err"] != c.code || said["description"] == "" || len(said) != 2 ||
				got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Language") != "en" {
				t.Errorf("%+v", got)
			}
			if w.door.calls != 0 || w.Stats().Accepted != 0 {
				t.Error("accepted")
			}
			for _, secret := range []string{"u-1", "e-1", "elsewhere"} {
				if strings.Contains(got.body, secret) {
					t.Errorf("the answer repeats what is in the token: %s", got.body)
				}
			}
			w.noIdentifiers(t, "u-1", "e-1", "elsewhere")
		})
	}
}

func TestRequestThatIsNoDeliveryIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.MaxBytes = 2000 })
	s := receiver(t, w, "")
	set := sign(t, goodSET("e-1", "u-1"))
	field := func(name, value string) http.Header { return http.Header{name: {value}} }
	for name, c := range map[string]struct {
		method string
		header http.Header
		body   string
		want   int
	}{
		"read":                     {http.MethodGet, nil, "", http.StatusMethodNotAllowed},
		"put":                      {http.MethodPut, nil, set, http.StatusMethodNotAllowed},
		"no type":                  {http.MethodPost, field("Content-Type", ""), set, http.StatusUnsupportedMediaType},
		"another type":             {http.MethodPost, field("Content-Type", "application/jwt"), set, http.StatusUnsupportedMediaType},
		"packed":                   {http.MethodPost, field("Content-Encoding", "gzip"), set, http.StatusUnsupportedMediaType},
		"too large":                {http.MethodPost, nil, strings.Repeat("a", 2001), http.StatusRequestEntityTooLarge},
		"large":                    {http.MethodPost, nil, strings.Repeat("a", 2000), http.StatusBadRequest},
		"a delivery, with charset": {http.MethodPost, field("Content-Type", "Application/SecEvent+JWT; charset=us-ascii"), set, http.StatusAccepted},
	} {
		if got := request(t, c.method, s.URL, c.body, c.header); got.status != c.want ||
			(c.want == http.StatusMethodNotAllowed) != (got.header.Get("Allow") == "POST") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if st := w.Stats(); st.Received != 8 || st.Refused[ReasonRequest] != 7 || st.Accepted != 1 {
		t.Errorf("%+v", st)
	}
}

func TestTransmitterShowsItsBearerToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := receiver(t, w, "s3cret")
	for name, c := range map[string]struct {
		fields []string
		want   int
	}{
		"none":           {nil, http.StatusBadRequest},
		"wrong":          {[]string{"Bearer s3cres"}, http.StatusBadRequest},
		"longer":         {[]string{"Bearer s3cret2"}, http.StatusBadRequest},
		"empty":          {[]string{"Bearer "}, http.StatusBadRequest},
		"another scheme": {[]string{"Basic s3cret"}, http.StatusBadRequest},
		"no scheme":      {[]string{"s3cret"}, http.StatusBadRequest},
		"two":            {[]string{"Bearer s3cret", "Bearer s3cret"}, http.StatusBadRequest},
		"right":          {[]string{"bearer  s3cret"}, http.StatusAccepted},
	} {
		got := post(t, s.URL, sign(t, goodSET("e-"+name, "u")), http.Header{"Authorization": c.fields})
		if got.status != c.want || c.want != http.StatusAccepted && !strings.Contains(got.body, `"err":"authentication_failed"`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if st := w.Stats(); st.Refused[ReasonAuthentication] != 7 || st.Accepted != 1 {
		t.Errorf("%+v", st)
	}
	w.noIdentifiers(t, "s3cret", "s3cres")
}

func TestNothingIsAcknowledgedThatIsNotDurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := receiver(t, w, "")
	set := sign(t, goodSET("e-1", "u-1"))
	for range 2 {
		w.door.fail(errors.New("disk full"))
		got := post(t, s.URL, set, nil)
		after, err := strconv.Atoi(got.header.Get("Retry-After"))
		if got.status != http.StatusServiceUnavailable || err != nil || after < retryLeast || after > retryLeast+retrySpread || got.body != "" {
			t.Errorf("%+v", got)
		}
	}
	w.door.fail(nil)
	// The transmitter sends it again, and it is not taken for a repeated one.
	if got := post(t, s.URL, set, nil); got.status != http.StatusAccepted || len(w.door.accepted()) != 1 {
		t.Errorf("%+v, %v", got, w.door.accepted())
	}
	if st := w.Stats(); st.Refused[ReasonUnavailable] != 2 || st.Accepted != 1 || st.Duplicates != 0 {
		t.Errorf("%+v", st)
	}
}

func TestKeysThatCannotBeHadAreNoFaultOfTheTransmitter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := receiver(t, w, "")
	set := sign(t, goodSET("e-1", "u-1"))
	w.keys.fail(errors.New("not fetched yet"))
	if got := post(t, s.URL, set, nil); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	w.keys.fail(nil)
	if got := post(t, s.URL, set, nil); got.status != http.StatusAccepted {
		t.Errorf("%+v", got)
	}
}

func TestMalformedEntryIsTheTransmittersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.door.fail(revocation.ErrEntry)
	if got := post(t, receiver(t, w, "").URL, sign(t, goodSET("e-1", "u-1")), nil); got.status != http.StatusBadRequest ||
		!strings.Contains(got.body, `"err":"invalid_request"`) {
		t.Errorf("%+v", got)
	}
}

// An event under the jti of another is not lost, whatever the transmitter's faults; the same one signed anew is known.
func TestTokenIsKnownByWhatItSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	take := func(raw string) bool {
		t.Helper()
		fresh, err := w.Take(t.Context(), []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if !take(sign(t, goodSET("e-1", "u-1"))) || !take(sign(t, goodSET("e-1", "u-2"))) {
		t.Error("an event was lost")
	}
	anew := signText(t, `{"alg":"EdDSA","typ":"application/secevent+jwt"}`, goodSET("e-1", "u-1").json(t))
	if take(anew) {
		t.Error("a repeated one is not known")
	}
}

func TestMemoryIsBoundedAndForgetsTheOldest(t *testing.T) {
	t.Parallel()
	m := newMemory(8)
	digest := func(i int) [32]byte { return [32]byte{byte(i), byte(i >> 8)} }
	for i := range 1000 {
		m.add(digest(i))
		if n := len(m.younger) + len(m.older); n > 8 {
			t.Fatalf("%d remembered", n)
		}
		for j := max(0, i-3); j <= i; j++ {
			if !m.has(digest(j)) {
				t.Fatalf("%d forgotten at %d", j, i)
			}
		}
	}
	if m.has(digest(0)) {
		t.Error("the oldest is still remembered")
	}
}

func TestStreamThatIsPausedIsAnErrorInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for i, c := range []struct{ said, want, level string }{
		{"paused", "paused", "ERROR"}, {"enabled", "enabled", "INFO"}, {"disabled", "disabled", "ERROR"}, {"on holiday", "other", "ERROR"},
	} {
		w.log.mu.Lock()
		w.log.b.Reset()
		w.log.mu.Unlock()
		claims := goodSET("e", "").with(object{"events": one(ssf+"stream-updated", object{"status": c.said}), "iat": epoch - i})
		if _, err := w.Take(t.Context(), []byte(sign(t, claims))); err != nil {
			t.Fatal(err)
		}
		if got := w.Stats().Status; got != c.want || !strings.Contains(w.log.String(), "level="+c.level) {
			t.Errorf("%q, %s", got, w.log.String())
		}
	}
	lines := strings.Count(w.log.String(), "\n")
	again := goodSET("e-again", "").with(object{"events": one(ssf+"stream-updated", object{"status": "on holiday"})})
	if _, err := w.Take(t.Context(), []byte(sign(t, again))); err != nil || strings.Count(w.log.String(), "\n") != lines {
		t.Errorf("what was said before is said again: %v, %s", err, w.log.String())
	}
	if st := w.Stats(); st.Events[KindStreamUpdated] != 5 || st.Entries != 0 {
		t.Errorf("%+v", st)
	}
}

func TestPanicIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	var stacks int
	w := newWorld(t, func(c *Config) {
		lifetime, calls := c.Lifetime, 0
		c.Lifetime = func(issuer string) time.Duration {
			if calls++; calls > 2 {
				panic("u-1")
			}
			return lifetime(issuer)
		}
		c.OnPanic = func(stack []byte) {
			if bytes.Contains(stack, []byte("mapping")) {
				stacks++
			}
		}
	})
	if _, err := w.Take(t.Context(), []byte(sign(t, goodSET("e-1", "u-1")))); !errors.Is(err, ErrUnavailable) || stacks != 1 {
		t.Errorf("%v, %d stacks", err, stacks)
	}
	w.noIdentifiers(t, "u-1")
}

func TestComplaintsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 100 {
		_, _ = w.Take(t.Context(), []byte("x"))
	}
	if n := strings.Count(w.log.String(), "\n"); n > complaintsBurst+1 {
		t.Errorf("%d lines", n)
	}
	if n := w.Stats().Refused[ReasonRequest]; n != 100 {
		t.Errorf("%d counted", n)
	}
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	good := newWorld(t, nil).cfg
	for name, change := range map[string]func(*Config){
		"no name":              func(c *Config) { c.Name = "" },
		"no verifier":          func(c *Config) { c.Verifier = nil },
		"no keys":              func(c *Config) { c.Keys = nil },
		"no issuers":           func(c *Config) { c.Issuers = nil },
		"an empty issuer":      func(c *Config) { c.Issuers = []string{""} },
		"too many issuers":     func(c *Config) { c.Issuers = make([]string, MaxIssuers+1) },
		"no lifetime":          func(c *Config) { c.Lifetime = func(string) time.Duration { return 0 } },
		"no door":              func(c *Config) { c.Accept = nil },
		"no log":               func(c *Config) { c.Log = nil },
		"too large a memory":   func(c *Config) { c.Remember = MaxRemember + 1 },
		"a negative memory":    func(c *Config) { c.Remember = -1 },
		"too large tokens":     func(c *Config) { c.MaxBytes = token.MaxTokenBytes + 1 },
		"access tokens":        func(c *Config) { c.Types = []string{"at+jwt"} },
		"an empty audience":    func(c *Config) { c.Audience = []string{""} },
		"a negative age":       func(c *Config) { c.MaxAge = -1 },
		"no types, not absent": func(c *Config) { c.Types = []string{} },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	if _, err := NewPush(PushConfig{}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}
