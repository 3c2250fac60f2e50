package limit

import (
	"errors"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// good is what a trial of 1,000 requests a second for 10 s that went well has.
func good() *attack.Result {
	return &attack.Result{
		Claimed: true, Load: attack.Load{DurationSeconds: 10}, ElapsedSeconds: 10.01, AskedPerSecond: 1000,
		Due: 10_000, Sent: 10_000, Answered: 10_000,
		Failures: map[string]int64{}, Statuses: map[string]int64{"200": 10_000},
		Latency: attack.Times{Count: 10_000, P50Microseconds: 500, P90Microseconds: 900, P99Microseconds: 5000, P999Microseconds: 9000, MaxMicroseconds: 20_000},
		Service: attack.Times{P50Microseconds: 500},
	}
}

func TestObjectiveIsKeptOrWhatBrokeItIsSaid(t *testing.T) {
	t.Parallel()
	us := func(v float64) *float64 { return &v }
	added := &target.Use{Complete: true, Overhead: &target.Overhead{Count: 10, P50Microseconds: us(40), P99Microseconds: us(4000)}}
	for name, c := range map[string]struct {
		objective string
		change    func(*attack.Result)
		use       *target.Use
		reasons   []string
	}{
		"all is well":              {objective: "p50<1ms, p90<1ms, p99<6ms, p99.9<10ms, max<1s, errors<=0"},
		"below is below":           {objective: "p99<5ms", reasons: []string{"p99 5.00ms"}},
		"at most is at most":       {objective: "p99<=5ms"},
		"percentile above":         {objective: "p99.9<5ms", reasons: []string{"p99.9 9.00ms"}},
		"the target's own":         {objective: "overhead.p99<5ms,overhead.p50<50us", use: added},
		"the target's own above":   {objective: "overhead.p99<3ms", use: added, reasons: []string{"overhead.p99 4.00ms"}},
		"above its buckets":        {objective: "overhead.p99.9<1h", use: added, reasons: []string{"overhead.p99.9 above all that the target measures"}},
		"not known":                {objective: "overhead.p99<3ms", use: &target.Use{Complete: true}, reasons: []string{"overhead.p99 was not measured"}},
		"nobody looked":            {objective: "overhead.p99<3ms", reasons: []string{"overhead.p99 was not measured"}},
		"not all of it was looked": {objective: "overhead.p99<5ms", use: &target.Use{Overhead: added.Overhead}, reasons: []string{"overhead.p99 was not measured"}},
		"an error": {
			objective: "errors<=0", reasons: []string{"errors 0.010%"},
			change: func(r *attack.Result) { r.Failed = 1; r.Failures["timeout"] = 1 },
		},
		"as many errors as allowed": {
			objective: "errors<=0.01%",
			change:    func(r *attack.Result) { r.Failed = 1; r.Failures["timeout"] = 1 },
		},
		"refused for want of capacity": {
			objective: "errors<=1%",
			change: func(r *attack.Result) {
				r.Failed = 50
				r.Failures["unexpected_status"] = 50
				r.Statuses["503"], r.Statuses["429"] = 30, 20
			},
		},
		"another status is a wrong verdict": {
			objective: "errors<=1%", reasons: []string{"20 verdicts were wrong"},
			change: func(r *attack.Result) {
				r.Failed = 50
				r.Failures["unexpected_status"] = 50
				r.Statuses["503"], r.Statuses["401"] = 30, 20
			},
		},
		"other content is a wrong verdict": {
			objective: "errors<=1%", reasons: []string{"1 verdicts were wrong"},
			change: func(r *attack.Result) { r.Failed = 1; r.Failures["unexpected_content"] = 1 },
		},
		"a wrong verdict of a corpus": {
			objective: "errors<=1%", reasons: []string{"3 verdicts were wrong"},
			change: func(r *attack.Result) {
				r.Failed, r.WrongVerdicts = 3, 3
				r.Classes = []attack.ClassResult{{Class: "expired"}}
			},
		},
		"of a corpus a broken upstream is no verdict": {
			objective: "errors<=1%",
			change: func(r *attack.Result) {
				r.Failed = 3
				r.Failures["unexpected_status"] = 3
				r.Classes = []attack.ClassResult{{Class: "valid"}}
			},
		},
		"it falls behind": {
			objective: "errors<=0", reasons: []string{"answered 93.0% of the rate asked"},
			change: func(r *attack.Result) { r.ElapsedSeconds = 11 },
		},
		"it may fall behind": {
			objective: "errors<=0,answered>=90%",
			change:    func(r *attack.Result) { r.ElapsedSeconds = 11 },
		},
		"it is slow and keeps up": {
			objective: "errors<=0",
			change:    func(r *attack.Result) { r.ElapsedSeconds, r.Service.P50Microseconds = 12, 2e6 },
		},
		"it was restarted": {objective: "errors<=0", use: &target.Use{Restarts: 1}, reasons: []string{"the target was restarted"}},
		"it ended":         {objective: "errors<=0", use: &target.Use{Gone: 1}, reasons: []string{"the target was restarted"}},
	} {
		o, err := ParseObjective(c.objective)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := good()
		if c.change != nil {
			c.change(r)
		}
		trial := Measured(o, r, c.use)
		if (trial.Outcome == OutcomeKept) != (len(c.reasons) == 0) || !slices.Equal(trial.Reasons, c.reasons) {
			t.Errorf("%s: %s, %q, want %q", name, trial.Outcome, trial.Reasons, c.reasons)
		}
	}
}

func TestTrialOfALateGeneratorSaysNothingButThatVerdictsWereWrong(t *testing.T) {
	t.Parallel()
	o, err := ParseObjective("p99<1us")
	if err != nil {
		t.Fatal(err)
	}
	r := good()
	r.Claimed, r.Bottleneck = false, []string{"it was late itself"}
	if trial := Measured(o, r, nil); trial.Outcome != OutcomeUnclaimed || trial.Reasons[0] != "it was late itself" {
		t.Errorf("%+v", trial)
	}
	r.WrongVerdicts = 1
	if trial := Measured(o, r, nil); trial.Outcome != OutcomeBroken || trial.WrongVerdicts != 1 {
		t.Errorf("%+v", trial)
	}
}

func TestObjectiveThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "p99", "p99<", "p99<5", "p99<-5ms", "p99<0s", "p98<5ms", "p99>5ms", "errors<=2", "errors<=-1", "errors<=x", "errors<=NaN",
		"overhead.max<5ms", "answered<=99%", "answered>=101%", "p99<5ms,", "p99<<5ms",
		"p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s,p50<1s",
	} {
		if _, err := ParseObjective(text); !errors.Is(err, ErrObjective) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzObjectiveReadsAsItWrites(f *testing.F) {
	for _, text := range []string{"p99<5ms,errors<=0", "overhead.p99.9 <= 5ms , answered>=90%", "p99<", "errors<=1e-3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseObjective(text)
		if err != nil {
			return
		}
		again, err := ParseObjective(o.String())
		if err != nil || again.String() != o.String() || len(again.terms) != len(o.terms) {
			t.Errorf("%q was read as %q, and that as %q: %v", text, o, again, err)
		}
		Measured(o, good(), nil)
	})
}
