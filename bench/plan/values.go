package plan

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/goccy/go-yaml"
)

// Values is the values file of a deployment in Kubernetes, made from a tier. Quantities are Kubernetes' own: "4" is
// four cores, "512Mi" 512 MiB.
//
// Its first fields make it an object that kustomize reads, as deploy/kubernetes/gateway does with its plan.yaml.
type Values struct {
	APIVersion string         `yaml:"apiVersion"`
	Kind       string         `yaml:"kind"`
	Metadata   ValuesMetadata `yaml:"metadata"`
	// ReplicaCount are the pods without an autoscaler.
	ReplicaCount int             `yaml:"replicaCount"`
	Resources    ValuesResources `yaml:"resources"`
	// Env are variables of the container.
	Env map[string]string `yaml:"env"`
	// TopologySpreadConstraints, which need a labelSelector of the chart's, hold zones in balance.
	TopologySpreadConstraints []ValuesSpread    `yaml:"topologySpreadConstraints"`
	Autoscaling               ValuesAutoscaling `yaml:"autoscaling"`
	PodDisruptionBudget       ValuesDisruption  `yaml:"podDisruptionBudget"`
	Persistence               ValuesPersistence `yaml:"persistence"`
	// Config are fields of the gateway's configuration.
	Config ValuesConfig `yaml:"config"`
	Plan   ValuesPlan   `yaml:"plan"`
}

// ValuesMetadata names the object.
type ValuesMetadata struct {
	Name        string            `yaml:"name"`
	Annotations map[string]string `yaml:"annotations"`
}

// ValuesResources are a container's. Requests and limits are the same, so that the pod is Guaranteed: it is not evicted
// for memory in the very hour for which it was planned, and a kubelet with the static CPU policy gives it cores of its own.
type ValuesResources struct {
	Requests ValuesQuantities `yaml:"requests"`
	Limits   ValuesQuantities `yaml:"limits"`
}

// ValuesQuantities are processor and memory.
type ValuesQuantities struct {
	CPU    string `yaml:"cpu"`
	Memory string `yaml:"memory"`
}

// ValuesSpread is a constraint of Kubernetes' of the same name.
type ValuesSpread struct {
	MaxSkew           int    `yaml:"maxSkew"`
	TopologyKey       string `yaml:"topologyKey"`
	WhenUnsatisfiable string `yaml:"whenUnsatisfiable"`
}

// ValuesAutoscaling is a HorizontalPodAutoscaler's: never less than the tier needs, and up to the largest tier of the
// plan. A surge of minutes is over before pods start: raise the least before a known one.
type ValuesAutoscaling struct {
	Enabled                        bool `yaml:"enabled"`
	MinReplicas                    int  `yaml:"minReplicas"`
	MaxReplicas                    int  `yaml:"maxReplicas"`
	TargetCPUUtilizationPercentage int  `yaml:"targetCPUUtilizationPercentage"`
}

// ValuesDisruption is a PodDisruptionBudget's.
type ValuesDisruption struct {
	MaxUnavailable int `yaml:"maxUnavailable"`
}

// ValuesPersistence is the volume of revocations and key sets.
type ValuesPersistence struct {
	Size string `yaml:"size"`
}

// ValuesConfig are fields of the gateway's configuration that follow from the plan, by their path there.
type ValuesConfig struct {
	Memory struct {
		Headroom string `yaml:"headroom"`
	} `yaml:"memory"`
	Verdicts struct {
		MaxBytes string `yaml:"max_bytes"`
	} `yaml:"verdicts"`
	Revocation struct {
		MaxEntries int64 `yaml:"max_entries"`
	} `yaml:"revocation"`
	Limits struct {
		Connections int64 `yaml:"connections"`
	} `yaml:"limits"`
	Overload struct {
		MostRequests int64 `yaml:"most_requests"`
	} `yaml:"overload"`
	// UpstreamConnections is for each site's max_upstream_connections: enough for one site to have all the load.
	UpstreamConnections int64 `yaml:"max_upstream_connections"`
}

// ValuesPlan says what the file is from.
type ValuesPlan struct {
	Tier                   string  `yaml:"tier"`
	VerificationsPerSecond int64   `yaml:"verifications_per_second"`
	PlannedPerSecond       int64   `yaml:"planned_verifications_per_second"`
	Zones                  int     `yaml:"zones"`
	ReplicasPerZone        int     `yaml:"replicas_per_zone"`
	OpenFiles              int64   `yaml:"open_files"`
	Routing                Routing `yaml:"routing"`
}

// What a plan does not go below, and the highest that the gateway allows.
const (
	mostConnections                                   = 10_000_000
	leastRequests                                     = 1024 // overload.least_requests, by default
	leastUpstreamConnections, mostUpstreamConnections = 1024, 65535
	leastRevocations, mostRevocations                 = 1_000_000, 500_000_000
)

// Values makes the values file of a tier.
func (r *Result) Values(t *Tier) Values {
	d := &r.Input.Deployment
	cores := fmt.Sprint(t.CoresPerReplica)
	memory := mebibytes(t.PerReplica.MemoryBytes, "Mi")
	v := Values{
		APIVersion: "bench.vneid-gateway/v1", Kind: "Values",
		Metadata: ValuesMetadata{
			Name: "vneid-gateway-plan", Annotations: map[string]string{"config.kubernetes.io/local-config": "true"},
		},
		ReplicaCount: t.Replicas,
		Resources: ValuesResources{
			Requests: ValuesQuantities{cores, memory}, Limits: ValuesQuantities{cores, memory},
		},
		Env: map[string]string{"GOMAXPROCS": cores, "GOMEMLIMIT": mebibytes(t.PerReplica.GoMemoryLimitBytes, "MiB")},
		Autoscaling: ValuesAutoscaling{
			Enabled: true, MinReplicas: t.Replicas, MaxReplicas: t.Replicas,
			TargetCPUUtilizationPercentage: int(math.Round(100 * d.TargetUtilisation)),
		},
		PodDisruptionBudget: ValuesDisruption{max(d.SparePerZone, 1)},
		// Snapshots are written beside what they replace, and key sets need some room.
		Persistence: ValuesPersistence{mebibytes(math.Max(2*t.PerReplica.RevocationDiskBytes, 256*mebibyte), "Mi")},
		Plan: ValuesPlan{
			Tier: t.Name, VerificationsPerSecond: int64(math.Round(t.VerificationsPerSecond)), PlannedPerSecond: int64(math.Round(t.PlannedPerSecond)),
			Zones: t.Zones, ReplicasPerZone: t.ReplicasPerZone, OpenFiles: int64(t.PerReplica.FileDescriptors), Routing: d.Routing,
		},
	}
	if t.Zones > 1 {
		v.TopologySpreadConstraints = append(v.TopologySpreadConstraints, ValuesSpread{1, "topology.kubernetes.io/zone", "DoNotSchedule"})
	}
	v.TopologySpreadConstraints = append(v.TopologySpreadConstraints, ValuesSpread{1, "kubernetes.io/hostname", "ScheduleAnyway"})
	for i := range r.Tiers {
		v.Autoscaling.MaxReplicas = max(v.Autoscaling.MaxReplicas, r.Tiers[i].Replicas)
	}
	v.Config.Memory.Headroom = mebibytes(d.MemoryHeadroomBytes, "MiB")
	v.Config.Verdicts.MaxBytes = mebibytes(t.PerReplica.VerdictBytes, "MiB")
	v.Config.Revocation.MaxEntries = bounded(t.PerReplica.RevocationsAllowed, leastRevocations, mostRevocations)
	v.Config.Limits.Connections = bounded(t.PerReplica.ConnectionsAllowed, 1, mostConnections)
	v.Config.Overload.MostRequests = bounded(t.PerReplica.RequestsAllowed, leastRequests, mostConnections)
	v.Config.UpstreamConnections = bounded(t.PerReplica.UpstreamConnections, leastUpstreamConnections, mostUpstreamConnections)
	return v
}

func mebibytes(bytes float64, unit string) string {
	return fmt.Sprintf("%.0f%s", math.Ceil(bytes/mebibyte), unit)
}

func bounded(v, least, most float64) int64 {
	return int64(math.Ceil(math.Min(math.Max(v, least), most)))
}

// WriteValues writes the values file of a tier.
func (r *Result) WriteValues(w io.Writer, t *Tier) error {
	v := r.Values(t)
	encoded, err := yaml.MarshalWithOptions(v, yaml.IndentSequence(true))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Values of a deployment in Kubernetes for the tier %q, by vneid-bench plan.
# It keeps its limits with one zone lost and %d in each other zone out of service.
# env.GOMEMLIMIT is what the process needs; the container has a ninth more, and what the kernel keeps of connections.
# config holds fields of the gateway's configuration; max_upstream_connections is for each site there. The memory is for
# all that its limits let in.
# autoscaling never goes below this tier, and up to the largest of the plan. plan.open_files is what ulimit -n must allow.
# Its first fields make it an object that deploy/kubernetes/gateway (kustomize) takes as its plan.yaml; it is never sent
# to a cluster.
`, t.Name, r.Input.Deployment.SparePerZone)
	b.Write(encoded)
	_, err = w.Write(b.Bytes())
	return err
}
