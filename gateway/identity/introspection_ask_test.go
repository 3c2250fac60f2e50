package identity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func TestEveryFaultOfTheIntrospectionEndpointHasItsReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   backend.Fault
		timeout time.Duration
		want    error
		reason  string
	}{
		"down":             {fault: backend.Down(), want: identity.ErrUnreachable, reason: "unreachable"},
		"500":              {fault: backend.Status(500), want: identity.ErrStatus, reason: "status"},
		"403":              {fault: backend.Status(403), want: identity.ErrStatus, reason: "status"},
		"204":              {fault: backend.Status(204), want: identity.ErrStatus, reason: "status"},
		"400":              {fault: backend.Status(400), want: identity.ErrStatus, reason: "status"},
		"401":              {fault: backend.Status(401), want: identity.ErrClientRejected, reason: "client_rejected"},
		"slow":             {fault: backend.Slow(time.Hour), timeout: 50 * time.Millisecond, want: identity.ErrTimeout, reason: "timeout"},
		"trickle":          {fault: backend.Trickle(time.Hour), timeout: 50 * time.Millisecond, want: identity.ErrTimeout, reason: "timeout"},
		"page":             {fault: backend.HTML(), want: identity.ErrMalformed, reason: "malformed"},
		"JSON as a page":   {fault: backend.Body("text/html", []byte(`{"active":true}`)), want: identity.ErrMalformed, reason: "malformed"},
		"JSON of no type":  {fault: backend.Body("", []byte(`{"active":true}`)), want: identity.ErrMalformed, reason: "malformed"},
		"empty":            {fault: backend.Body("application/json", nil), want: identity.ErrMalformed, reason: "malformed"},
		"said twice":       {fault: backend.Body("application/json", []byte(`{"active":false,"active":true}`)), want: identity.ErrMalformed, reason: "malformed"},
		"truncated":        {fault: backend.Truncated(), want: identity.ErrUnreachable, reason: "unreachable"},
		"100 MiB":          {fault: backend.Huge(backend.HugeSize), want: identity.ErrTooLarge, reason: "too_large"},
		"bomb":             {fault: backend.Bomb(backend.HugeSize), want: identity.ErrTooLarge, reason: "too_large"},
		"small bomb":       {fault: backend.Bomb(1 << 20), want: identity.ErrMalformed, reason: "malformed"},
		"same origin":      {fault: backend.RedirectSameOrigin(), want: identity.ErrRedirect, reason: "redirect"},
		"another origin":   {fault: backend.RedirectCrossOrigin(""), want: identity.ErrRedirect, reason: "redirect"},
		"rejected, by 400": {fault: rejectedBy400, want: identity.ErrClientRejected, reason: "client_rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startIssuer(t)
			tok := opaque(t, b)
			if c.timeout == 0 {
				c.timeout = time.Minute
			}
			i := introspector(t, b.URL(), c.timeout, identity.IntrospectorConfig{})
			b.SetFault(c.fault)
			document, err := i.Ask(t.Context(), tok, false)
			if !errors.Is(err, c.want) || identity.Reason(err) != c.reason || document != nil {
				t.Fatalf("%s, %v", document, err)
			}
			silent(t, err.Error(), tok)
			silent(t, err.Error(), oddSecret)
			if got := b.Fetches(backend.IntrospectPath); got != 1 {
				t.Errorf("%d requests", got) // A redirect that is followed counts, too.
			}
			b.SetFault(nil)
			// A slow machine may take its time over the right answer.
			again := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{})
			if document, err := again.Ask(t.Context(), tok, false); err != nil || len(document) == 0 {
				t.Errorf("afterwards: %v", err)
			}
			if s := i.Stats(); s.InFlight != 0 || s.Waiting != 0 || s.Calls != 1 || s.Retries != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func rejectedBy400(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
}

func TestATokenTravelsInTheBodyAlone(t *testing.T) {
	t.Parallel()
	const tok = "an-opaque.token_of~no+great/length=="
	type seen struct {
		method, target, kind string
		header               http.Header
		form                 url.Values
	}
	requests := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		requests <- seen{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.Header, form}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = fmt.Fprint(w, `{"active":false}`)
	}))
	defer server.Close()
	i := introspector(t, "", time.Minute, identity.IntrospectorConfig{URL: server.URL + "/introspect?realm=x"})
	if _, err := i.Ask(t.Context(), tok, false); err != nil {
		t.Fatal(err)
	}
	got := <-requests
	if got.method != http.MethodPost || got.target != "/introspect?realm=x" || got.kind != "application/x-www-form-urlencoded" ||
		len(got.form) != 2 || got.form.Get("token") != tok || got.form.Get("token_type_hint") != "access_token" {
		t.Errorf("%+v", got)
	}
	silent(t, fmt.Sprint(got.header), tok)
}

// tally lets calls through and counts how they ended.
type tally struct {
	mu       sync.Mutex
	ok, bad  int
	openWith error
}

func (b *tally) Do(call func() error) error {
	if b.openWith != nil {
		return b.openWith
	}
	err := call()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.bad++
	} else {
		b.ok++
	}
	return err
}

// Whoever sends bad tokens must not be able to open the breaker for all.
func TestOnlyFaultsOfTheBackendCountAgainstIt(t *testing.T) {
	t.Parallel()
	b := startIssuer(t)
	breaker := &tally{}
	i := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{Breaker: breaker})
	ask := func(tok string) error {
		_, err := i.Ask(t.Context(), tok, false)
		return err
	}
	for n, c := range []struct {
		fault backend.Fault
		good  bool
	}{
		{nil, true},
		{backend.Status(400), true},
		{backend.Status(413), true},
		{backend.Status(422), true},
		{backend.Body("application/json", []byte(`{}`)), true},
		{backend.Status(401), false},
		{backend.Status(404), false},
		{backend.Status(429), false},
		{backend.Status(500), false},
		{backend.HTML(), false},
		{backend.Down(), false},
	} {
		*breaker = tally{}
		b.SetFault(c.fault)
		_ = ask("unknown-token")
		if (breaker.ok == 1) != c.good || breaker.ok+breaker.bad != 1 {
			t.Errorf("fault %d: %+v", n, breaker)
		}
	}
	breaker.openWith = identity.ErrBreakerOpen
	b.ResetFetches()
	if err := ask("unknown-token"); identity.Reason(err) != "breaker_open" || b.Fetches(backend.IntrospectPath) != 0 {
		t.Errorf("open: %v", err)
	}
}

func TestOnlyACallThatDidNotReachTheBackendIsRepeatedAndOnce(t *testing.T) {
	t.Parallel()
	b := startIssuer(t)
	tok := opaque(t, b)
	i := introspector(t, b.URL(), time.Minute, identity.IntrospectorConfig{})
	url := b.URL()
	if _, err := i.Ask(t.Context(), tok, false); err != nil {
		t.Fatal(err)
	}
	b.SetFault(backend.Down()) // On the kept connection, it looks as if it had been closed before.
	if _, err := i.Ask(t.Context(), tok, false); !errors.Is(err, identity.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if s := i.Stats(); s.Calls != 2 || s.Retries != 1 {
		t.Errorf("down: %+v", s)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	i = introspector(t, url, time.Minute, identity.IntrospectorConfig{})
	if _, err := i.Ask(t.Context(), tok, false); !errors.Is(err, identity.ErrUnreachable) {
		t.Errorf("gone: %v", err)
	}
	if s := i.Stats(); s.Calls != 1 || s.Retries != 1 {
		t.Errorf("gone: %+v", s)
	}
}

// A flood of unknown tokens stays within the bound and leaves room for known ones.
func TestCallsAtOneTimeAreBoundedAndKnownTokensComeFirst(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan string), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil {
			entered <- r.PostForm.Get("token")
		}
		<-leave
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"active":false}`)
	}))
	defer server.Close()
	i := introspector(t, server.URL, time.Minute, identity.IntrospectorConfig{Concurrency: 4})
	var group sync.WaitGroup
	ask := func(tok string, known bool) {
		group.Go(func() {
			if _, err := i.Ask(t.Context(), tok, known); err != nil {
				t.Error(err)
			}
		})
	}
	for range 20 {
		ask("stranger", false)
	}
	for range 3 {
		if got := <-entered; got != "stranger" {
			t.Errorf("%q", got)
		}
	}
	ask("known", true)
	if got := <-entered; got != "known" {
		t.Errorf("the fourth is %q", got)
	}
	if s := i.Stats(); s.InFlight != 4 {
		t.Errorf("%+v", s)
	}
	close(leave)
	for range 17 {
		<-entered
	}
	group.Wait()
	if s := i.Stats(); s.Calls != 21 || s.InFlight != 0 || s.Waiting != 0 || s.Saturated != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAnEndpointThatCannotBeTrustedIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	client, err := identity.NewClient(identity.ClientConfig{Timeout: time.Second, MaxBytes: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	auth := clientAuth(t, identity.ClientAuthConfig{Method: identity.ClientSecretBasic, ClientID: "g", Secret: "s"})
	for url, want := range map[string]error{
		"https://issuer.example/introspect":     nil,
		"http://127.0.0.1/introspect":           nil,
		"http://issuer.example/introspect":      identity.ErrInsecure,
		"ftp://issuer.example/introspect":       identity.ErrInsecure,
		"https://user:pass@issuer.example/":     identity.ErrMalformed,
		"https://issuer.example/#fragment":      identity.ErrMalformed,
		"/introspect":                           identity.ErrMalformed,
		"":                                      identity.ErrMalformed,
		"https://issuer.example/%zz\x00control": identity.ErrMalformed,
	} {
		_, err := identity.NewIntrospector(identity.IntrospectorConfig{Client: client, URL: url, Auth: auth, Concurrency: 1})
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := identity.NewIntrospector(identity.IntrospectorConfig{
		Client: client, URL: "http://issuer.example/", AllowPlainHTTP: true, Auth: auth, Concurrency: 1,
	}); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if _, err := identity.NewIntrospector(identity.IntrospectorConfig{Client: client, URL: "https://issuer.example/", Auth: auth}); err == nil {
		t.Error("no concurrency")
	}
}

func TestACallerThatLeavesIsNotAFaultOfTheBackend(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		close(entered)
		<-r.Context().Done()
	}))
	defer server.Close()
	guard := identity.NewGuard(identity.GuardConfig{BreakAfter: 1, BreakFor: time.Hour})
	i := introspector(t, server.URL, time.Minute, identity.IntrospectorConfig{Breaker: guard})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := i.Ask(ctx, "opaque", false)
		ended <- err
	}()
	<-entered
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if s := guard.Stats(); s.State != "closed" {
		t.Errorf("%+v", s)
	}
}
