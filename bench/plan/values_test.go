package plan

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestValuesAreWhatTheTierNeeds(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteValues(&b, &r.Tiers[0]); err != nil {
		t.Fatal(err)
	}
	var v Values
	if err := yaml.UnmarshalWithOptions(b.Bytes(), &v, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if v.ReplicaCount != r.Tiers[0].Replicas || v.Autoscaling.MinReplicas != v.ReplicaCount || v.Autoscaling.MaxReplicas != r.Tiers[2].Replicas {
		t.Errorf("replicas %d, from %d to %d", v.ReplicaCount, v.Autoscaling.MinReplicas, v.Autoscaling.MaxReplicas)
	}
	if v.Env["GOMAXPROCS"] != "4" || v.Resources.Limits != v.Resources.Requests {
		t.Errorf("%+v %+v", v.Env, v.Resources)
	}
}

// amount reads a quantity of a values file, as in 512Mi and 512MiB.
func amount(t *testing.T, text string) float64 {
	t.Helper()
	digits, found := strings.CutSuffix(strings.TrimSuffix(text, "B"), "Mi")
	v, err := strconv.ParseFloat(digits, 64)
	if !found || err != nil {
		t.Fatalf("%q is no number of MiB", text)
	}
	return v * mebibyte
}

// What a container is told to let in has room in it.
func TestLimitsOfTheConfigurationFitIntoTheMemory(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(7, 7))
	all := inputs()
	for i := range 20 {
		all["random "+strconv.Itoa(i)] = randomInput(draw)
	}
	c := DefaultCost()
	for name, in := range all {
		r := &Result{Input: in, Cost: c}
		tier, err := busyHour(in, c)
		if err != nil {
			continue
		}
		r.Tiers = []Tier{tier}
		v := r.Values(&tier)
		values := map[string]float64{}
		for _, s := range tier.Steps {
			values[s.Symbol] = s.Value
		}
		connection := values["y"]*values["m_b"] + (1-values["y"])*values["m_i"]
		needed := c.Base.Value + amount(t, v.Config.Verdicts.MaxBytes) +
			float64(v.Config.Limits.Connections)*(connection+c.Socket.Value) +
			min(float64(v.Config.Overload.MostRequests), float64(v.Config.Limits.Connections))*(c.UpstreamConnection.Value+c.Socket.Value) +
			float64(v.Config.Revocation.MaxEntries)*c.Revocation.Value
		if given := amount(t, v.Resources.Limits.Memory); needed > given {
			t.Errorf("%s: limits let in %.0f bytes, and the container has %.0f: %+v", name, needed, given, v.Config)
		}
		if open := v.Config.Limits.Connections + min(v.Config.Overload.MostRequests, v.Config.Limits.Connections); v.Plan.OpenFiles < open {
			t.Errorf("%s: limits let in %d connections, with %d files", name, open, v.Plan.OpenFiles)
		}
		if got, want := float64(v.Config.Limits.Connections), min(1.5*tier.PerReplica.Connections, mostConnections); got < want || got > want+1 {
			t.Errorf("%s: limits.connections is %v, a replica has %v", name, got, tier.PerReplica.Connections)
		}
		// The gateway refuses a configuration with less than its overload.least_requests.
		if v.Config.Overload.MostRequests < leastRequests {
			t.Errorf("%s: overload.most_requests is %d", name, v.Config.Overload.MostRequests)
		}
	}
}
