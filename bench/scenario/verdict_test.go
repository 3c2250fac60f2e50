package scenario

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAnAnswerIsRightIfItIsSoAtAnyTimeItCanHaveBeenDecided(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	// Until 1,000 ms, give or take 50, 200 is expected instead of 403.
	cutover := window{span{always, always}, span{950 * ms, 1050 * ms}}
	// From 1,000 ms on, when it was ordered, and by 1,200 ms, when that was acknowledged, 401 is expected for good.
	revoked := window{span{1000 * ms, 1200 * ms}, span{never, never}}
	// From 1,000 to 2,000 ms 503 is taken, too.
	outage := window{span{1000 * ms, 1010 * ms}, span{2000 * ms, 2010 * ms}}
	rule := func(w window, instead bool, statuses ...int) *ruling {
		return &ruling{statuses: statuses, instead: instead, window: func() window { return w }}
	}
	for _, c := range []struct {
		says           string
		rule           *ruling
		class          int
		sent, answered time.Duration
		status         int
		taken, because bool
	}{
		{"before the cutover the old login is good", rule(cutover, true, 200), 403, 100 * ms, 200 * ms, 200, true, true},
		{"before the cutover it is not refused", rule(cutover, true, 200), 403, 100 * ms, 200 * ms, 403, false, false},
		{"within the tolerance it may be refused", rule(cutover, true, 200), 403, 900 * ms, 950 * ms, 403, true, false},
		{"within the tolerance it may be good", rule(cutover, true, 200), 403, 1049 * ms, 1500 * ms, 200, true, true},
		{"after it the old login is not good", rule(cutover, true, 200), 403, 1050 * ms, 1060 * ms, 200, false, false},
		{"after it it is refused", rule(cutover, true, 200), 403, 1050 * ms, 1060 * ms, 403, true, false},
		{"before the revocation a token is good", rule(revoked, true, 401), 200, 800 * ms, 990 * ms, 200, true, false},
		{"before the revocation it is not refused", rule(revoked, true, 401), 200, 800 * ms, 990 * ms, 401, false, false},
		{"while it is being revoked it may be good", rule(revoked, true, 401), 200, 1199 * ms, 1300 * ms, 200, true, false},
		{"while it is being revoked it may be refused", rule(revoked, true, 401), 200, 1100 * ms, 1110 * ms, 401, true, true},
		{"from the acknowledgement on it is not good", rule(revoked, true, 401), 200, 1200 * ms, 1201 * ms, 200, false, false},
		{"in the outage a refusal for now is taken", rule(outage, false, 503), 200, 1500 * ms, 1510 * ms, 503, true, true},
		{"in the outage what is right is right without the rule", rule(outage, false, 503), 200, 1500 * ms, 1510 * ms, 200, true, false},
		{"in the outage nothing else is taken", rule(outage, false, 503), 200, 1500 * ms, 1510 * ms, 401, false, false},
		{"before the outage no refusal for now is taken", rule(outage, false, 503), 200, 900 * ms, 999 * ms, 503, false, false},
		{"after the outage no refusal for now is taken", rule(outage, false, 503), 200, 2010 * ms, 2020 * ms, 503, false, false},
		{"what was sent in the outage may be answered after it", rule(outage, false, 503), 200, 1999 * ms, 5000 * ms, 503, true, true},
	} {
		taken, by := judge(c.status == c.class, false, []*ruling{c.rule}, c.sent, c.answered, c.status, nil)
		if taken != c.taken || (by != nil) != c.because {
			t.Errorf("%s: taken %v because of the rule %v, want %v and %v", c.says, taken, by != nil, c.taken, c.because)
		}
	}
}

func TestARuleWithACodeTakesThatReasonOnly(t *testing.T) {
	t.Parallel()
	r := &ruling{statuses: []int{401}, codes: []string{"token_revoked", "token_inactive"}}
	if !r.met(401, []byte("token_revoked")) || !r.met(401, []byte("token_inactive")) || r.met(401, []byte("token_expired")) || r.met(401, nil) || r.met(403, []byte("token_revoked")) {
		t.Error("a code that is given is not compared")
	}
}

func TestNoRuleAllowsThatSomebodyWasLetThroughWhoMustNotBe(t *testing.T) {
	t.Parallel()
	all := func() window { return window{span{always, always}, span{never, never}} }
	allow := &ruling{statuses: []int{503}, window: all}
	if taken, by := judge(false, true, []*ruling{allow}, 0, 1, 503, []byte("upstream_saturated")); taken || by != nil {
		t.Error("it is allowed")
	}
	if taken, by := judge(false, false, []*ruling{allow}, 0, 1, 503, []byte("overloaded")); !taken || by != allow {
		t.Error("what was put off is not allowed")
	}
	until := func(t time.Duration) func() window {
		return func() window { return window{span{always, always}, span{t, t}} }
	}
	from := func(t time.Duration) func() window {
		return func() window { return window{span{t, t}, span{never, never}} }
	}
	for _, c := range []struct {
		says           string
		passes         bool
		rule           *ruling
		sent, answered time.Duration
		want           bool
	}{
		{"a forged one is refused whatever is allowed", false, allow, 0, 1, true},
		{"a good one is not", true, allow, 0, 1, false},
		{"before the cutover an old login is not", false, &ruling{statuses: []int{200}, instead: true, window: until(10)}, 8, 9, false},
		{"at the cutover it may pass", false, &ruling{statuses: []int{200}, instead: true, window: until(10)}, 9, 11, false},
		{"after the cutover it is", false, &ruling{statuses: []int{200}, instead: true, window: until(10)}, 10, 11, true},
		{"before its revocation a good one is not", true, &ruling{statuses: []int{401}, instead: true, window: from(10)}, 8, 9, false},
		{"as it is revoked it may pass", true, &ruling{statuses: []int{401}, instead: true, window: from(10)}, 9, 11, false},
		{"after its revocation it is", true, &ruling{statuses: []int{401}, instead: true, window: from(10)}, 10, 11, true},
	} {
		if got := refuses(c.passes, []*ruling{c.rule}, c.sent, c.answered); got != c.want {
			t.Errorf("%s: %v", c.says, got)
		}
	}
}

func TestTheCourseBeginsWithTheLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCourse(0)
		time.Sleep(time.Second) // of a clock that is the test's
		if c.now() != 0 {
			t.Errorf("before the load it is %v", c.now())
		}
		begun := time.Now().Add(-100 * time.Millisecond) // A first request may be late.
		c.begin(begun)
		<-c.started
		if c.now() != 100*time.Millisecond || c.at(begun.Add(time.Minute)) != time.Minute {
			t.Errorf("it is %v, and a minute after the beginning %v", c.now(), c.at(begun.Add(time.Minute)))
		}
	})
}

func TestAMomentThatHasNotComeBindsNothing(t *testing.T) {
	t.Parallel()
	c := newCourse(1)
	s := &Scenario{Actions: []Action{{Name: "outage"}}}
	r := c.ruling(s, &Rule{From: "outage", Until: "outage.end+5s", Status: []int{503}}, false)
	if w := r.window(); w.touches(0, time.Hour) {
		t.Error("a rule holds from an action on that has not begun")
	}
	c.moments[0].beginLo.Store(int64(time.Second))
	c.moments[0].beginHi.Store(int64(2 * time.Second))
	if w := r.window(); w.touches(0, 999*time.Millisecond) || !w.touches(0, time.Second) || w.covers(time.Second, time.Hour) || !w.covers(2*time.Second, time.Hour) {
		t.Errorf("window %+v", w)
	}
	c.moments[0].endLo.Store(int64(3 * time.Second))
	c.moments[0].endHi.Store(int64(3 * time.Second))
	if w := r.window(); !w.touches(8*time.Second-1, time.Hour) || w.touches(8*time.Second, time.Hour) {
		t.Errorf("window %+v", w)
	}
}

func TestMomentsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]moment{
		"":              {open: true},
		"30s":           {plus: 30 * time.Second},
		"outage":        {action: "outage"},
		"outage.end":    {action: "outage", end: true},
		"outage.end+5s": {action: "outage", end: true, plus: 5 * time.Second},
		"outage + 5s":   {action: "outage", plus: 5 * time.Second},
	} {
		if got, ok := parseMoment(text); !ok || got != want {
			t.Errorf("%q: got %+v %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"-3s", ".end", "outage+", "outage+-5s", "outage.end+x"} {
		if got, ok := parseMoment(text); ok {
			t.Errorf("%q is taken, as %+v", text, got)
		}
	}
}
