package attack

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// verdicts is a source of two classes, good and bad in turn, which ends after some
// requests; 0 is never.
type verdicts struct {
	requests Cycle
	ends     int64
	refuses  error
}

func (v *verdicts) Request(n int64) *Request {
	if v.ends > 0 && n >= v.ends {
		return nil
	}
	return v.requests.Request(n)
}

func (v *verdicts) Classes() []Class { return []Class{{"good", "200"}, {}, {"bad", "401 no"}} }

func (v *verdicts) Judge(_ *Request, a *Response) (Failure, []byte) {
	if a.Status == http.StatusServiceUnavailable {
		return FailureOverload, nil
	}
	return FailureVerdict, a.Body
}

func (v *verdicts) Enough(int64) error { return v.refuses }

// source asks a target for /good and /bad in turn.
func source(t *testing.T, target string) *verdicts {
	t.Helper()
	v := &verdicts{requests: Cycle{
		at(t, target, "/good", Expect{Statuses: []int{200}}),
		at(t, target, "/bad", Expect{Statuses: []int{401}, Accept: BodyContains("no")}),
	}}
	v.requests[0].Class, v.requests[1].Class = 1, 3
	return v
}

// answering is a target that answers with the status and body that are given for
// the path, by turns.
func answering(t *testing.T, answers map[string][]string) string {
	t.Helper()
	asked := map[string]chan int{}
	for path := range answers {
		asked[path] = make(chan int, 1)
		asked[path] <- 0
	}
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		turn := <-asked[r.URL.Path]
		asked[r.URL.Path] <- turn + 1
		status, body, _ := strings.Cut(answers[r.URL.Path][turn%len(answers[r.URL.Path])], " ")
		code, _ := strconv.Atoi(status)
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}).URL
}

func TestAnswersAreCountedByClassAndWrongVerdictsApartFromOverload(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := answering(t, map[string][]string{
			"/good": {"200 yes", "200 yes", "401 expired", "503 busy", "200 yes"},
			"/bad":  {"401 no", "200 yes", "401 other", "503 busy", "401 no"},
		})
		c := load(t, target, 500, 200*time.Millisecond)
		c.Threads = 2
		c.Source = source(t, target)
		r := attackOn(t, c, with)
		if r.WrongVerdicts != 30 || r.Failures["wrong_verdict"] != 30 || r.Failures["refused_by_overload"] != 20 || r.Failed != 50 {
			t.Errorf("%d wrong verdicts, failures %v", r.WrongVerdicts, r.Failures)
		}
		if len(r.Classes) != 2 {
			t.Fatalf("classes %+v", r.Classes)
		}
		good, bad := r.Classes[0], r.Classes[1]
		if good.Class != "good" || good.Due != 50 || good.Answered != 50 || good.AsExpected != 30 || good.WrongVerdicts != 10 || good.RefusedByOverload != 10 {
			t.Errorf("%+v", good)
		}
		if bad.Class != "bad" || bad.Expected != "401 no" || bad.Due != 50 || bad.AsExpected != 20 || bad.WrongVerdicts != 20 || bad.RefusedByOverload != 10 {
			t.Errorf("%+v", bad)
		}
		want := []Unexpected{{200, "yes", 10}, {401, "other", 10}, {503, "", 10}}
		if len(bad.Unexpected) != 3 || bad.Unexpected[0] != want[0] || bad.Unexpected[1] != want[1] || bad.Unexpected[2] != want[2] {
			t.Errorf("%+v", bad.Unexpected)
		}
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"\nbad    401 no    50   50        20          20     10        0\n",
			"\nbad must get 401 no, and got 10 × 200 yes, 10 × 401 other, 10 × 503\n",
			"\nWRONG VERDICTS: 30 answers are not what their class must get\n",
		} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is not in\n%s", want, &text)
			}
		}
	})
}

func TestClassOfAFailureWithoutAnAnswerIsCounted(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }).URL
		c := load(t, target, 40, 500*time.Millisecond)
		// Two are sent and time out, and so do those that find no connection.
		c.Connections, c.Timeout, c.Source = 2, 100*time.Millisecond, source(t, target)
		r := attackOn(t, c, with)
		for _, class := range r.Classes {
			if class.Due != 10 || class.FailedOtherwise != 10 || class.Answered != 0 {
				t.Errorf("%+v", class)
			}
		}
		if r.WrongVerdicts != 0 || r.Failed != 20 {
			t.Errorf("%d wrong, %d failed", r.WrongVerdicts, r.Failed)
		}
	})
}

func TestRunEndsWithoutAClaimWhereTheSourceDoes(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"open": false, "closed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
				target := answering(t, map[string][]string{"/good": {"200 yes"}, "/bad": {"401 no"}})
				c := load(t, target, 2000, time.Minute)
				if closed {
					c.Schedule, c.Duration = nil, time.Minute
				}
				v := source(t, target)
				// What its 8 connections wait to send is not sent any more.
				v.ends = 100
				c.Source = v
				r := attackOn(t, c, with)
				if !r.Exhausted || r.Claimed || !r.Interrupted || r.Sent > 100 || r.Sent < 92 || len(r.Bottleneck) == 0 || r.Bottleneck[0] != "its source had no more requests" {
					t.Errorf("exhausted %v, claimed %v, %d sent, %v", r.Exhausted, r.Claimed, r.Sent, r.Bottleneck)
				}
			})
		})
	}
}

func TestLoadThatItsSourceHasNotEnoughForIsNotBegun(t *testing.T) {
	t.Parallel()
	c := load(t, "http://127.0.0.1:1", 10, time.Second)
	c.Source = &verdicts{refuses: errors.New("too few")}
	if _, err := Run(context.Background(), c); !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), "too few") {
		t.Errorf("%v", err)
	}
}

func TestUnexpectedAnswersThatAreToldApartAreBounded(t *testing.T) {
	t.Parallel()
	tally := newTally()
	for i := range 10 * maxUnexpected {
		tally.note(1, 401, []byte(strconv.Itoa(i)+strings.Repeat("x", 2*MaxReasonBytes)))
	}
	r := classResults(&verdicts{}, tally)
	if n := len(r[0].Unexpected); n != maxUnexpected+1 {
		t.Errorf("%d kinds", n)
	}
	if most := r[0].Unexpected[0]; most.Reason != "" || most.Count != 9*maxUnexpected {
		t.Errorf("%+v", most)
	}
	if n := len(r[0].Unexpected[1].Reason); n != MaxReasonBytes {
		t.Errorf("a reason of %d bytes", n)
	}
}

func TestReasonThatIsKnownIsCountedHoweverManyOthersCome(t *testing.T) {
	t.Parallel()
	total := newTally()
	for thread := range 3 {
		tally := newTally()
		for i := range 2 * maxUnexpected {
			tally.note(1, 401, []byte("known"))
			tally.note(1, 401, []byte(strconv.Itoa(thread)+" "+strconv.Itoa(i)))
		}
		total.add(tally)
	}
	// The sum of many is bounded as each of them is, and no answer is lost.
	if len(total.unexpected) > maxUnexpected+1 {
		t.Errorf("%d kinds in all", len(total.unexpected))
	}
	all := int64(0)
	for _, u := range classResults(&verdicts{}, total)[0].Unexpected {
		all += u.Count
	}
	if all != 3*4*maxUnexpected {
		t.Errorf("%d answers in all", all)
	}
	first := newTally()
	for i := range 2 * maxUnexpected {
		first.note(1, 401, []byte("known"))
		first.note(1, 401, []byte(strconv.Itoa(i)))
	}
	u := unexpected{class: 1, status: 401, length: uint8(len("known"))}
	copy(u.reason[:], "known")
	if first.unexpected[u] != 2*maxUnexpected {
		t.Errorf("the reason that is known is counted %d times of %d", first.unexpected[u], 2*maxUnexpected)
	}
}

func TestBeginningOfTheLoadIsToldBeforeItsFirstRequest(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := answering(t, map[string][]string{"/good": {"200 yes"}, "/bad": {"401 no"}})
		c := load(t, target, 100, 100*time.Millisecond)
		v := &begun{verdicts: source(t, target)}
		c.Source, c.Begun = v, v.begin
		if r := attackOn(t, c, with); v.calls.Load() != 1 || v.early.Load() || !v.at.Equal(r.StartedAt) {
			t.Errorf("told %d times, after a request: %v, %v and began %v", v.calls.Load(), v.early.Load(), v.at, r.StartedAt)
		}
	})
}

// begun notes whether requests are asked for before the beginning was told.
type begun struct {
	*verdicts
	calls atomic.Int64
	early atomic.Bool
	at    time.Time
}

func (b *begun) begin(at time.Time) {
	b.at = at
	b.calls.Add(1)
}

func (b *begun) Request(n int64) *Request {
	if b.calls.Load() == 0 {
		b.early.Store(true)
	}
	return b.verdicts.Request(n)
}
