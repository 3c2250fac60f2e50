package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
)

// TestScenarioCommands runs the scripts of testdata/scenario against a target that lets everybody in.
func TestScenarioCommands(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("welcome")) }))
	t.Cleanup(target.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scenario",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TARGET", target.URL)
			return nil
		},
	})
}

func TestWhatWasMeasuredIsNotLostWhereTheStandEndsBadly(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	tell := func(format string, values ...any) { _, _ = fmt.Fprintf(&told, format, values...) }
	measured := func() *scenario.Result { return &scenario.Result{Name: "x", Attack: &attack.Result{Claimed: true}} }
	broken := errors.New("it was killed; the end of its log:\n  panic")
	r, err := ended(measured(), nil, broken, tell)
	if err != nil || r == nil || r.Verdict != scenario.Failed || len(r.Checks) != 1 || r.Checks[0].Name != "stand ended" || strings.Contains(r.Checks[0].Got, "panic") {
		t.Errorf("%+v, %v", r, err)
	}
	if !strings.Contains(told.String(), "panic") {
		t.Errorf("told %q", told.String())
	}
	if exit, ok := errors.AsType[exitError](judgeScenarios([]*scenario.Result{r})); !ok || exit.status != exitThreshold {
		t.Errorf("exit status %v", exit.status)
	}
	if r, err := ended(measured(), nil, nil, tell); err != nil || len(r.Checks) != 0 {
		t.Errorf("a stand that ended well: %+v, %v", r, err)
	}
	if r, err := ended(nil, scenario.ErrTooLate, broken, tell); r != nil || !errors.Is(err, scenario.ErrTooLate) || !errors.Is(err, broken) {
		t.Errorf("nothing was measured: %+v, %v", r, err)
	}
}

func TestExitStatusIsThatOfTheWorstVerdict(t *testing.T) {
	t.Parallel()
	result := func(claimed, exhausted bool, wrong int64, passed bool) *scenario.Result {
		r := &scenario.Result{Name: "x", Attack: &attack.Result{Claimed: claimed, Exhausted: exhausted, WrongVerdicts: wrong}}
		r.Add(scenario.Check{Name: "latency", Passed: passed})
		return r
	}
	good, unclaimed, exhausted, failed, wrong := result(true, false, 0, true), result(false, false, 0, false), result(false, true, 0, true), result(true, false, 0, false), result(false, false, 1, true)
	for _, c := range []struct {
		results []*scenario.Result
		status  int
		says    string
	}{
		{[]*scenario.Result{good}, 0, ""},
		{[]*scenario.Result{good, unclaimed}, exitNoResult, "no result: x: the generator was the bottleneck"},
		{[]*scenario.Result{exhausted}, exitNoResult, "no result: x: the corpus has no cold token left"},
		{[]*scenario.Result{unclaimed, failed}, exitThreshold, "failed: x"},
		{[]*scenario.Result{wrong}, exitThreshold, "failed: x"},
	} {
		err := judgeScenarios(c.results)
		exit, _ := errors.AsType[exitError](err)
		if exit.status != c.status || (err != nil) != (c.status != 0) || err != nil && err.Error() != c.says {
			t.Errorf("exit status %d: %v, want %d: %s", exit.status, err, c.status, c.says)
		}
	}
}
