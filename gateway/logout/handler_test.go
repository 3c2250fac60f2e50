package logout_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestSidEndsTheSessionAndSubAloneThePerson(t *testing.T) {
	t.Parallel()
	ofSession := revocation.Entry{Kind: revocation.KindSession, Issuer: issuer, ID: session, Until: noon.Add(lifetime)}
	ofSubject := revocation.Entry{
		Kind: revocation.KindSubject, Issuer: issuer, ID: subject, Before: noon.Add(-10 * time.Second), Until: noon.Add(lifetime),
	}
	earlier := claims{"iat": noon.Add(-10 * time.Second).Unix()}
	for name, tc := range map[string]struct {
		ends   logout.Scope
		change claims
		want   []revocation.Entry
	}{
		"both":                     {logout.EndSession, nil, []revocation.Entry{ofSession}},
		"both, ending the subject": {logout.EndSubject, nil, []revocation.Entry{ofSession, ofSubject}},
		"sid":                      {logout.EndSession, claims{"sub": nil}, []revocation.Entry{ofSession}},
		"sid, ending the subject":  {logout.EndSubject, claims{"sub": nil}, []revocation.Entry{ofSession}},
		"sub":                      {logout.EndSession, claims{"sid": nil}, []revocation.Entry{ofSubject}},
		"sub, ending the subject":  {logout.EndSubject, claims{"sid": nil}, []revocation.Entry{ofSubject}},
		"an empty sid":             {logout.EndSession, claims{"sid": ""}, []revocation.Entry{ofSubject}},
	} {
		w := newWorld(t, func(c *logout.Config) { c.Ends = tc.ends })
		got := w.logOut(earlier, tc.change)
		if got.Code != http.StatusOK || got.Body.Len() != 0 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if taken := w.intake.taken(); !reflect.DeepEqual(normal(taken), normal(tc.want)) {
			t.Errorf("%s: %v", name, taken)
		}
		w.want(logout.Stats{}, logout.Accepted)
		if s := w.Stats(); !s.LastSuccess.Equal(noon) || s.Lag != 10*time.Second {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// normal makes times comparable.
func normal(entries []revocation.Entry) []revocation.Entry {
	for i := range entries {
		if !entries[i].Before.IsZero() {
			entries[i].Before = entries[i].Before.UTC()
		}
		entries[i].Until = entries[i].Until.UTC()
	}
	return entries
}

func TestNothingIsAcknowledgedBeforeItIsDurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *logout.Config) { c.RetryAfter = 1500 * time.Millisecond })
	w.intake.fails = errors.New("the disk is full")
	for n := range 3 {
		before := w.Stats()
		got := w.logOut()
		if got.Code != 503 || got.Header().Get("Retry-After") != "2" || !strings.Contains(got.Body.String(), `"temporarily_unavailable"`) {
			t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
		}
		w.want(before, logout.NotAccepted)
		if w.intake.calls != n+1 {
			t.Error("what was not accepted is taken for a repetition")
		}
	}
	if !w.Stats().LastSuccess.IsZero() {
		t.Error("a failure counts as a success")
	}
	w.intake.fails = nil
	if got := w.logOut(); got.Code != 200 || len(w.intake.taken()) != 1 {
		t.Errorf("%d", got.Code)
	}
	if said := w.log.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "reason=not_accepted") {
		t.Error(said)
	}
}

func TestEntryThatIsRefusedIsTheSendersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.intake.fails = revocation.ErrEntry
	if got := w.logOut(); got.Code != 400 {
		t.Errorf("%d", got.Code)
	}
	w.want(logout.Stats{}, logout.Claims)
}

func TestKeysThatCannotBeAskedAreNotTheSendersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.keys.fails = errors.New("not in time")
	if got := w.logOut(); got.Code != 503 || got.Header().Get("Retry-After") != "5" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	w.want(logout.Stats{}, logout.KeysUnavailable)
	w.keys.fails = nil
	if got := w.logOut(); got.Code != 200 {
		t.Errorf("%d", got.Code)
	}
}

func TestTokensWithoutALifetimeAreNotRevokedForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *logout.Config) { c.Lifetime = func(string) time.Duration { return 0 } })
	if got := w.logOut(); got.Code != 503 || w.intake.calls != 0 {
		t.Errorf("%d", got.Code)
	}
}

func TestIntakeEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	type mark struct{}
	w.intake.during = func(ctx context.Context) {
		if ctx.Value(mark{}) == nil {
			t.Error("another context")
		}
	}
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form(w.sign("logout+jwt", w.good()))))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.ServeHTTP(httptest.NewRecorder(), request.WithContext(context.WithValue(t.Context(), mark{}, 1)))
	w.want(logout.Stats{}, logout.Accepted)
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	good := newWorld(t, nil).cfg
	colliding, err := token.NewVerifier(token.Profile{
		Issuer: issuer, Algorithms: []string{"EdDSA"}, Audience: []string{"api"}, Types: []string{"logout+jwt"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*logout.Config){
		"no name":          func(c *logout.Config) { c.Name = "" },
		"no verifier":      func(c *logout.Config) { c.Verifier = nil },
		"no keys":          func(c *logout.Config) { c.Keys = nil },
		"no audience":      func(c *logout.Config) { c.Audience = nil },
		"empty audience":   func(c *logout.Config) { c.Audience = []string{""} },
		"no lifetime":      func(c *logout.Config) { c.Lifetime = nil },
		"no intake":        func(c *logout.Config) { c.Intake = nil },
		"no log":           func(c *logout.Config) { c.Log = nil },
		"negative age":     func(c *logout.Config) { c.MaxAge = -1 },
		"unknown scope":    func(c *logout.Config) { c.Ends = 7 },
		"too much to know": func(c *logout.Config) { c.Remember = 1<<20 + 1 },
		"access tokens of that type": func(c *logout.Config) {
			c.Verifier = colliding
		},
	} {
		cfg := good
		change(&cfg)
		if _, err := logout.New(cfg); !errors.Is(err, logout.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := logout.New(good); err != nil {
		t.Error(err)
	}
}

func TestOutcomesHaveDifferentNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range logout.Outcomes() {
		if name := o.String(); name == "" || seen[name] {
			t.Errorf("%d: %q", o, name)
		} else {
			seen[name] = true
		}
	}
}
