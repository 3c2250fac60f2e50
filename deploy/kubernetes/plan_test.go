package kubernetes_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
)

const planFile = "gateway/plan.yaml"

// planned reads a plan as the file that vneid-bench plan writes.
func planned(t *testing.T, data []byte) plan.Values {
	t.Helper()
	var v plan.Values
	if err := yaml.UnmarshalWithOptions(data, &v, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", planFile, err)
	}
	return v
}

// What is shipped is a plan as it is written, and the other files have its values.
func TestPlanThatIsShippedIsThatOfTheNationalBusyHour(t *testing.T) {
	t.Parallel()
	in := plan.DefaultInput()
	in.Deployment.CoresPerReplica = 2
	result, err := plan.Make(in, plan.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := result.WriteValues(&want, &result.Tiers[0]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, planFile), want.Bytes()) {
		t.Errorf("%s is another plan; vneid-bench plan --cores 2 --simulate 0 --values deploy/kubernetes/%s writes it", planFile, planFile)
	}
	var objects []object
	for name, of := range sources(t) {
		if filepath.Dir(name) == "gateway" {
			objects = append(objects, of...)
		}
	}
	deployed(t, objects, planned(t, readFile(t, planFile)))
}

// What a plan says is what is deployed, whatever it is.
func TestPlanIsWhatIsDeployed(t *testing.T) {
	t.Parallel()
	kustomize(t)
	result, err := plan.Make(plan.DefaultInput(), plan.DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"gateway", "monitoring"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range result.Tiers {
		var file bytes.Buffer
		if err := result.WriteValues(&file, &result.Tiers[i]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, planFile), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		deployed(t, rendered(t, filepath.Join(dir, "gateway")), planned(t, file.Bytes()))
	}
}

// deployed compares what kustomize made with a plan.
func deployed(t *testing.T, objects []object, v plan.Values) {
	t.Helper()
	found := map[string]object{}
	for _, o := range objects {
		found[o["kind"].(string)] = o
	}
	if found["Values"] != nil {
		t.Error("the plan itself would be sent to the cluster")
	}
	pod := found["Deployment"]
	c := container(pod)
	env := map[string]string{}
	for _, e := range environment(t, c) {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	scaler := found["HorizontalPodAutoscaler"]
	var size any
	for _, volume := range podSpec(pod)["volumes"].([]any) {
		if at(volume, "name") == "state" {
			size = at(volume, "emptyDir", "sizeLimit")
		}
	}
	zones := podSpec(pod)["topologySpreadConstraints"].([]any)[0]
	for what, pair := range map[string][2]any{
		"cpu":              {at(c, "resources", "limits", "cpu"), v.Resources.Limits.CPU},
		"cpu asked for":    {at(c, "resources", "requests", "cpu"), v.Resources.Requests.CPU},
		"memory":           {at(c, "resources", "limits", "memory"), v.Resources.Limits.Memory},
		"memory asked":     {at(c, "resources", "requests", "memory"), v.Resources.Requests.Memory},
		"GOMAXPROCS":       {env["GOMAXPROCS"], v.Env["GOMAXPROCS"]},
		"GOMEMLIMIT":       {env["GOMEMLIMIT"], v.Env["GOMEMLIMIT"]},
		"headroom":         {env["VNEID_GATEWAY_MEMORY_HEADROOM"], v.Config.Memory.Headroom},
		"verdicts":         {env["VNEID_GATEWAY_VERDICTS_MAX_BYTES"], v.Config.Verdicts.MaxBytes},
		"connections":      {env["VNEID_GATEWAY_LIMITS_CONNECTIONS"], v.Config.Limits.Connections},
		"requests":         {env["VNEID_GATEWAY_OVERLOAD_MOST_REQUESTS"], v.Config.Overload.MostRequests},
		"least replicas":   {at(scaler, "spec", "minReplicas"), v.Autoscaling.MinReplicas},
		"most replicas":    {at(scaler, "spec", "maxReplicas"), v.Autoscaling.MaxReplicas},
		"utilisation":      {at(scaler, "spec", "metrics", "resource", "target", "averageUtilization"), v.Autoscaling.TargetCPUUtilizationPercentage},
		"out of service":   {at(found["PodDisruptionBudget"], "spec", "maxUnavailable"), v.PodDisruptionBudget.MaxUnavailable},
		"room for state":   {size, v.Persistence.Size},
		"zones":            {at(zones, "minDomains"), v.Plan.Zones},
		"replicas applied": {at(pod, "spec", "replicas"), nil}, // the autoscaler's
	} {
		if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			t.Errorf("%s: %v, the plan has %v", what, pair[0], pair[1])
		}
	}
}
