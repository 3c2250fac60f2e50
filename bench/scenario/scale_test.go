package scenario

import (
	"errors"
	"testing"
	"time"
)

func TestScalingScalesWhatBelongsToTheLoadAndNothingElse(t *testing.T) {
	t.Parallel()
	whole := &Scenario{
		Load:        Load{Shape: "spike", Duration: time.Minute, PerSecond: 1000, PeakPerSecond: 4000, PeakAt: 20 * time.Second, PeakFor: 10 * time.Second},
		Connections: 100, NewConnectionsPerSecond: 10, Timeout: 5 * time.Second, Replicas: 3,
		Population: Population{Warm: 50_000, ColdShare: 0.1},
		Actions:    []Action{{Name: "slow", At: 30 * time.Second, Do: DoSlowUpstream, For: 10 * time.Second, Delay: time.Second}, {Name: "flood", At: 40 * time.Second, For: time.Second, PerSecond: 500, Tokens: 200}},
		Expect:     []Rule{{From: "20s", Until: "slow.end+15s"}},
	}
	got, err := whole.Scale(0.1, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	l := got.Load
	if l.Duration != 30*time.Second || l.PerSecond != 100 || l.PeakPerSecond != 400 || l.PeakAt != 10*time.Second || l.PeakFor != 5*time.Second {
		t.Errorf("load %+v", l)
	}
	if got.Connections != 10 || got.NewConnectionsPerSecond != 1 || got.Population.Warm != 5000 {
		t.Errorf("connections %d, new ones %v, warm tokens %d", got.Connections, got.NewConnectionsPerSecond, got.Population.Warm)
	}
	if got.Timeout != whole.Timeout || got.Replicas != 3 || got.Population.ColdShare != 0.1 {
		t.Error("what waits for people or machines was scaled, or what is a share")
	}
	slow, flood := got.Actions[0], got.Actions[1]
	if slow.At != 15*time.Second || slow.For != 5*time.Second || slow.Delay != time.Second || flood.PerSecond != 50 || flood.Tokens != 20 {
		t.Errorf("actions %+v %+v", slow, flood)
	}
	if r := got.Expect[0]; r.From != "10s" || r.Until != "slow.end+15s" {
		t.Errorf("rule %+v", r)
	}
	if whole.Load.PerSecond != 1000 || whole.Actions[0].At != 30*time.Second || whole.Expect[0].From != "20s" {
		t.Error("the whole one was changed")
	}
}

func TestScalingLeavesEnoughToBeALoad(t *testing.T) {
	t.Parallel()
	whole := &Scenario{Load: Load{Duration: time.Minute, PerSecond: 1000}, Connections: 100, Population: Population{Warm: 50_000}}
	got, err := whole.Scale(0.001, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Connections != leastConnections || got.Population.Warm != leastWarm {
		t.Errorf("%d connections and %d warm tokens", got.Connections, got.Population.Warm)
	}
	// Fewer than the least are left as they are.
	few := &Scenario{Load: Load{Duration: time.Minute, PerSecond: 1000}, Connections: 2}
	if got, _ := few.Scale(0.001, 0); got.Connections != 2 || got.Population.Warm != 0 {
		t.Errorf("%d connections and %d warm tokens", got.Connections, got.Population.Warm)
	}
	for _, scale := range []float64{0, -1, 101} {
		if _, err := whole.Scale(scale, 0); !errors.Is(err, ErrOptions) {
			t.Errorf("scale %v: %v", scale, err)
		}
	}
	if _, err := whole.Scale(1, time.Millisecond); !errors.Is(err, ErrOptions) {
		t.Errorf("a duration of 1 ms: %v", err)
	}
}
