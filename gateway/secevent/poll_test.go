package secevent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// source is a transmitter of RFC 8936: it offers what was not acknowledged, and holds a poll until it has something.
type source struct {
	t      testing.TB
	bearer string

	mu      sync.Mutex
	changed *sync.Cond
	sets    map[string]string  // by mu: what was not acknowledged
	acked   []string           // by mu
	errs    map[string]refusal // by mu
	polls   int                // by mu
	status  int                // by mu: what it fails with
	answer  string             // by mu: what it answers in place of tokens
	header  http.Header        // by mu: of the last poll
	asked   map[string]any     // by mu: the last poll
	done    bool               // by mu
}

func newSource(t testing.TB, bearer string) (*source, *httptest.Server) {
	t.Helper()
	s := &source{t: t, bearer: bearer, sets: map[string]string{}, errs: map[string]refusal{}}
	s.changed = sync.NewCond(&s.mu)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.change(func() { s.done = true })
		server.CloseClientConnections()
		server.Close()
	})
	return s, server
}

func (s *source) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

// until waits for something to be so.
func (s *source) until(so func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !so() {
		s.changed.Wait()
	}
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	body, _ := io.ReadAll(r.Body)
	var asked struct {
		MaxEvents         int                `json:"maxEvents"`
		ReturnImmediately bool               `json:"returnImmediately"`
		Ack               []string           `json:"ack"`
		SetErrs           map[string]refusal `json:"setErrs"`
	}
	s.asked = nil
	if json.Unmarshal(body, &asked) != nil || json.Unmarshal(body, &s.asked) != nil {
		s.t.Errorf("a poll that is not JSON: %s", body)
	}
	s.header = r.Header
	s.polls++
	switch {
	case s.bearer != "" && r.Header.Get("Authorization") != "Bearer "+s.bearer:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case s.status != 0:
		w.WriteHeader(s.status)
		return
	}
	for _, jti := range asked.Ack {
		s.acked = append(s.acked, jti)
		delete(s.sets, jti)
	}
	for jti, e := range asked.SetErrs {
		s.errs[jti] = e
		delete(s.sets, jti)
	}
	s.changed.Broadcast()
	for len(s.sets) == 0 && s.answer == "" && !asked.ReturnImmediately && !s.done {
		s.changed.Wait()
	}
	w.Header().Set("Content-Type", "application/json")
	if s.answer != "" {
		_, _ = io.WriteString(w, s.answer)
		return
	}
	names := slices.Sorted(maps.Keys(s.sets))
	names = names[:min(len(names), asked.MaxEvents)]
	sets := map[string]string{}
	for _, name := range names {
		sets[name] = s.sets[name]
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"sets": sets, "moreAvailable": len(names) < len(s.sets)})
}

// poller completes cfg.
func poller(t testing.TB, w *world, url string, cfg PollConfig) *Poller {
	t.Helper()
	client, err := identity.NewClient(identity.ClientConfig{Timeout: time.Minute, MaxBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := identity.NewEndpoint(client, url, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(endpoint.Close)
	cfg.Stream, cfg.Endpoint = w.Stream, endpoint
	if cfg.Breaker == nil {
		cfg.Breaker = identity.NewGuard(identity.GuardConfig{BreakAfter: 1000, BreakFor: time.Second})
	}
	if cfg.Interval == 0 {
		cfg.Interval = MinInterval
	}
	p, err := NewPoller(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs the poller until the test is over.
func run(t testing.TB, p *Poller) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestPolledTokensAreAcknowledgedOnceInForceAndFaultyOnesReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "b-1")
	forged := []byte(sign(t, goodSET("e-forged", "u")))
	forged[len(forged)-10] ^= 1
	s.sets = map[string]string{
		"e-1": sign(t, goodSET("e-1", "u-1")), "e-2": sign(t, goodSET("e-2", "u-2")), "e-3": sign(t, goodSET("e-3", "u-3")),
		"e-forged": string(forged), "e-named": sign(t, goodSET("e-other", "u")), "": sign(t, goodSET("e-unnamed", "u")),
		"e-issuer": sign(t, goodSET("e-issuer", "u").with(object{"iss": "https://elsewhere.example"})),
		"e-email":  sign(t, goodSET("e-email", "u").with(object{"events": one(caep+"session-revoked", object{"subject": object{"format": "email", "email": "e@mail"}})})),
		"e-verify": sign(t, goodSET("e-verify", "").with(object{"events": one(ssf+"verification", object{"state": "s"})})),
		"e-none":   signText(t, `{"alg":"none","typ":"secevent+jwt"}`, goodSET("e-none", "u").json(t)),
	}
	p := poller(t, w, server.URL, PollConfig{MaxEvents: 3, Token: func() (string, error) { return "b-1", nil }})
	run(t, p)
	s.until(func() bool { return len(s.sets) == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.acked)
	if !slices.Equal(s.acked, []string{"e-1", "e-2", "e-3", "e-verify"}) {
		t.Errorf("acknowledged %v", s.acked)
	}
	want := map[string]string{
		"": "invalid_request", "e-forged": "authentication_failed", "e-named": "invalid_request", "e-issuer": "invalid_issuer",
		"e-email": "invalid_request", "e-none": "invalid_key",
	}
	for jti, code := range want {
		if e := s.errs[jti]; e.Err != code || e.Description == "" {
			t.Errorf("%q: %+v, want %s", jti, e, code)
		}
	}
	if len(s.errs) != len(want) {
		t.Errorf("reported %v", s.errs)
	}
	// RFC 8936 section 2.2: the language of the descriptions.
	if s.header.Get("Content-Language") != "en" || s.header.Get("Content-Type") != "application/json" || s.header.Get("Accept") != "application/json" {
		t.Errorf("%v", s.header)
	}
	for _, u := range []string{"u-1", "u-2", "u-3"} {
		if !w.covered(token.Claims{Issuer: issuerA, Subject: u, IssuedAt: epoch - 100}) {
			t.Errorf("%s is not revoked", u)
		}
	}
	if len(w.door.accepted()) != 3 {
		t.Errorf("%v", w.door.accepted())
	}
	w.noIdentifiers(t, "u-1", "e@mail", "b-1", "e-forged")
}

func TestRequestOfRFC8936Section24(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "")
	p := poller(t, w, server.URL, PollConfig{MaxEvents: 7, ReturnImmediately: true})
	// Section 2.4.1: a poll only.
	if progress, err := p.poll(t.Context()); progress || err != nil {
		t.Fatal(progress, err)
	}
	if got := object(s.asked).json(t); got != `{"maxEvents":7,"returnImmediately":true}` {
		t.Errorf("asked %s", got)
	}
	s.change(func() {
		s.sets = map[string]string{"4d3559ec67504aaba65d40b0363faad8": sign(t, goodSET("4d3559ec67504aaba65d40b0363faad8", "u")), "bad": "bad"}
	})
	if progress, err := p.poll(t.Context()); !progress || err != nil {
		t.Fatal(progress, err)
	}
	// Section 2.4.4: a poll with acknowledgement and errors.
	if progress, err := p.poll(t.Context()); progress || err != nil {
		t.Fatal(progress, err)
	}
	const want = `{"ack":["4d3559ec67504aaba65d40b0363faad8"],"maxEvents":7,"returnImmediately":true,` +
		`"setErrs":{"bad":{"description":"secevent: not a sound security event token: token: malformed: not three segments","err":"invalid_request"}}}`
	if got := object(s.asked).json(t); got != want {
		t.Errorf("asked %s", got)
	}
	// What was brought over is not told again.
	if _, err := p.poll(t.Context()); err != nil || s.asked["ack"] != nil || s.asked["setErrs"] != nil {
		t.Errorf("%v, %v", s.asked, err)
	}
}

// RFC 8936 section 2.5.
func TestAnswerOfRFC8936Section25IsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "")
	p := poller(t, w, server.URL, PollConfig{})
	s.answer = `{"sets":{
		"4d3559ec67504aaba65d40b0363faad8":"eyJhbGciOiJub25lIn0.eyJqdGkiOiI0ZDM1NTllYzY3NTA0YWFiYTY1ZDQwYjAzNjNmYWFkOCJ9.",
		"3d0c3cf797584bd193bd0fb1bd4e7d30":"eyJhbGciOiJub25lIn0.eyJqdGkiOiIzZDBjM2NmNzk3NTg0YmQxOTNiZDBmYjFiZDRlN2QzMCJ9."
	}}`
	// The RFC's tokens are unsecured, and none of them is taken.
	if progress, err := p.poll(t.Context()); progress || err != nil || len(p.errs) != 2 || len(p.acks) != 0 ||
		p.errs["3d0c3cf797584bd193bd0fb1bd4e7d30"].Err != "invalid_request" && p.errs["3d0c3cf797584bd193bd0fb1bd4e7d30"].Err != "invalid_key" {
		t.Errorf("%v, %v, %v, %v", progress, err, p.acks, p.errs)
	}
	s.answer = `{"sets":{},"moreAvailable":true}`
	if _, err := p.poll(t.Context()); err != nil || !p.Stats().MoreAvailable {
		t.Errorf("%v, %+v", err, p.Stats())
	}
}

func TestPolledTokenThatIsNotDurableIsNeitherAcknowledgedNorReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "")
	p := poller(t, w, server.URL, PollConfig{})
	s.sets = map[string]string{"e-1": sign(t, goodSET("e-1", "u-1")), "bad": "bad"}
	w.door.fail(errors.New("disk full"))
	if _, err := p.poll(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	if len(p.acks) != 0 || len(p.errs) != 1 {
		t.Errorf("%v, %v", p.acks, p.errs)
	}
	w.door.fail(nil)
	if progress, err := p.poll(t.Context()); !progress || err != nil || !slices.Equal(p.acks, []string{"e-1"}) {
		t.Errorf("%v, %v, %v", progress, err, p.acks)
	}
}

func TestWhatAFailedPollHadToTellIsToldAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "")
	p := poller(t, w, server.URL, PollConfig{ReturnImmediately: true})
	s.sets = map[string]string{"e-1": sign(t, goodSET("e-1", "u-1")), "bad": "bad"}
	if _, err := p.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.change(func() { s.status = http.StatusBadGateway })
	if _, err := p.poll(t.Context()); !errors.Is(err, identity.ErrStatus) {
		t.Fatal(err)
	}
	s.change(func() { s.status = 0 })
	if _, err := p.poll(t.Context()); err != nil || !slices.Equal(s.acked, []string{"e-1"}) || len(s.errs) != 1 {
		t.Errorf("%v, %v, %v", err, s.acked, s.errs)
	}
	if st := p.Stats(); st.Polls != 3 || st.Failures["status"] != 1 || !st.LastSuccess.Equal(testNow) {
		t.Errorf("%+v", st)
	}
}

func TestAnswerThatIsNoneIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "b-1")
	bearer, fault := "b-1", error(nil)
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 1000, BreakFor: time.Hour})
	p := poller(t, w, server.URL, PollConfig{Breaker: guard, Token: func() (string, error) { return bearer, fault }})
	for answer, want := range map[string]error{
		`[]`: identity.ErrMalformed, `{"sets":[]}`: identity.ErrMalformed, `{"sets":{"a":1}}`: identity.ErrMalformed,
		`{"sets":{},"sets":{}}`: identity.ErrMalformed, `{"sets":{"a":"b","a":"c"}}`: identity.ErrMalformed, `{`: identity.ErrMalformed,
		`{"moreAvailable":"yes"}`: identity.ErrMalformed, `{"sets":{"a":"` + strings.Repeat("a", 64<<10) + `"}}`: identity.ErrTooLarge,
	} {
		s.change(func() { s.answer = answer })
		if _, err := p.poll(t.Context()); !errors.Is(err, want) {
			t.Errorf("%.40s: %v", answer, err)
		}
	}
	s.change(func() { s.answer = `{}` })
	if _, err := p.poll(t.Context()); err != nil {
		t.Errorf("no sets: %v", err)
	}
	bearer = "b-2"
	if _, err := p.poll(t.Context()); !errors.Is(err, identity.ErrClientRejected) {
		t.Errorf("another bearer token: %v", err)
	}
	polls := s.polls
	fault = errors.New("no such file")
	if _, err := p.poll(t.Context()); !errors.Is(err, identity.ErrCredentials) || s.polls != polls {
		t.Errorf("no bearer token: %v, asked %d times", err, s.polls-polls)
	}
}

func TestTransmitterThatFailsIsLeftAloneByTheBreaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s, server := newSource(t, "")
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 2, BreakFor: time.Hour})
	p := poller(t, w, server.URL, PollConfig{Breaker: guard})
	s.answer = "no JSON"
	for range 5 {
		_, _ = p.poll(t.Context())
	}
	if st := p.Stats(); s.polls != 2 || st.Failures["malformed"] != 2 || st.Failures["breaker_open"] != 3 || guard.Stats().State != "open" {
		t.Errorf("asked %d times, %+v", s.polls, st)
	}
	// What this gateway cannot make durable is no failure of the transmitter.
	guard = identity.NewGuard(identity.GuardConfig{BreakAfter: 1, BreakFor: time.Hour})
	p = poller(t, w, server.URL, PollConfig{Breaker: guard})
	s.change(func() { s.answer, s.sets = "", map[string]string{"e-1": sign(t, goodSET("e-1", "u-1"))} })
	w.door.fail(errors.New("disk full"))
	if _, err := p.poll(t.Context()); !errors.Is(err, ErrUnavailable) || guard.Stats().State != "closed" {
		t.Errorf("%v, breaker %s", err, guard.Stats().State)
	}
}

func TestPollerThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	good := poller(t, w, "http://127.0.0.1:1/", PollConfig{}).cfg
	for name, change := range map[string]func(*PollConfig){
		"no stream":       func(c *PollConfig) { c.Stream = nil },
		"no endpoint":     func(c *PollConfig) { c.Endpoint = nil },
		"no breaker":      func(c *PollConfig) { c.Breaker = nil },
		"too many events": func(c *PollConfig) { c.MaxEvents = MaxMaxEvents + 1 },
		"negative events": func(c *PollConfig) { c.MaxEvents = -1 },
		"too often":       func(c *PollConfig) { c.Interval = MinInterval - 1 },
		"too rarely":      func(c *PollConfig) { c.Interval = MaxInterval + 1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := NewPoller(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
