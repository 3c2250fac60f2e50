package plan

import (
	"fmt"
	"strings"
)

// BusyHour is the name of the tier that the population makes every day; its surges make the others.
const BusyHour = "national busy hour"

// MaxReplicas bounds max_replicas.
const MaxReplicas = 10000

// Result is a plan, and the form of its JSON. Every name has its unit; a count has none, a share is 0 to 1.
type Result struct {
	Input       Input    `json:"input"`
	Cost        Cost     `json:"cost"`
	Assumptions []string `json:"assumptions"`
	Tiers       []Tier   `json:"tiers"`
	// Against are comparisons with rates that were measured; see [Cost.Predict].
	Against []Comparison `json:"against,omitzero"`
}

// Tier is what one of the loads needs.
type Tier struct {
	Name string `json:"name"`
	// LoginsPerSecond and VerificationsPerSecond are the population's, and PlannedPerSecond the verifications with
	// the headroom of the deployment, for which all that follows is.
	LoginsPerSecond        float64 `json:"logins_per_second"`
	VerificationsPerSecond float64 `json:"verifications_per_second"`
	PlannedPerSecond       float64 `json:"planned_verifications_per_second"`

	Zones           int `json:"zones"`
	ReplicasPerZone int `json:"replicas_per_zone"`
	Replicas        int `json:"replicas"`
	CoresPerReplica int `json:"cores_per_replica"`
	Cores           int `json:"cores"`

	// AllInService is the fleet as it should be, SparesAway without a spare replica in any zone, and ZoneLost that
	// without one zone; the latter two are what the limits hold for. With one zone ZoneLost is SparesAway.
	AllInService State `json:"all_in_service"`
	SparesAway   State `json:"spares_away"`
	ZoneLost     State `json:"zone_lost"`

	// MostPerSecond fills every core, and MostNewPerSecond does where every token is new, as in a storm of logins or
	// after a restart of all; both with a zone lost.
	MostPerSecond    float64 `json:"most_per_second"`
	MostNewPerSecond float64 `json:"most_new_tokens_per_second"`
	// HeadroomShare is by how much MostPerSecond exceeds VerificationsPerSecond.
	HeadroomShare float64 `json:"headroom_share"`
	// ShiftUtilisationShare is the utilisation just after a zone was lost, while the tokens that it knew are verified
	// elsewhere, and ShiftSeconds about how long; nil where requests are spread.
	ShiftUtilisationShare *float64 `json:"shift_utilisation_share,omitzero"`
	ShiftSeconds          *float64 `json:"shift_seconds,omitzero"`

	PerReplica Resources `json:"per_replica"`
	Fleet      Fleet     `json:"fleet"`

	// Alternatives are the same with other numbers of cores a replica and other routings.
	Alternatives []Alternative `json:"alternatives"`
	// Steps are the whole computation.
	Steps []Step `json:"steps"`
	// Simulation is nil where none was asked for.
	Simulation *Simulation `json:"simulation,omitzero"`
}

// Resources are what one replica needs with a zone lost and the spare ones away: the most that it ever does.
type Resources struct {
	RequestsPerSecond float64 `json:"requests_per_second"`
	// MemoryBytes is what the container is given, of which GoMemoryLimitBytes is GOMEMLIMIT, and VerdictBytes the
	// gateway's verdicts.max_bytes.
	MemoryBytes        float64 `json:"memory_bytes"`
	GoMemoryLimitBytes float64 `json:"go_memory_limit_bytes"`
	VerdictBytes       float64 `json:"verdict_bytes"`
	// RevocationDiskBytes is for the log and the snapshots of revocations.
	RevocationDiskBytes float64 `json:"revocation_disk_bytes"`
	Connections         float64 `json:"connections"`
	UpstreamConnections float64 `json:"upstream_connections"`
	// ConnectionsAllowed, RequestsAllowed and RevocationsAllowed are the gateway's limits.connections,
	// overload.most_requests and revocation.max_entries. Memory and files are for these.
	ConnectionsAllowed float64 `json:"connections_allowed"`
	RequestsAllowed    float64 `json:"requests_in_flight_allowed"`
	RevocationsAllowed float64 `json:"revocations_allowed"`
	FileDescriptors    float64 `json:"file_descriptors"`
	// NetworkMegabits is for each direction: what comes from one side goes out at the other.
	NetworkMegabits float64 `json:"network_megabits_per_second"`
}

// Fleet is what all replicas need together.
type Fleet struct {
	MemoryBytes     float64 `json:"memory_bytes"`
	Connections     float64 `json:"connections"`
	NetworkMegabits float64 `json:"network_megabits_per_second"`
}

// Alternative is a fleet for the same load.
type Alternative struct {
	CoresPerReplica int     `json:"cores_per_replica"`
	Routing         Routing `json:"routing"`
	// Replicas is 0 where no number that is allowed is enough.
	Replicas int `json:"replicas"`
	Cores    int `json:"cores"`
	// ColdShare and MemoryBytes, of all replicas, are those of the whole fleet in service.
	ColdShare   float64 `json:"cold_share"`
	MemoryBytes float64 `json:"memory_bytes"`
}

// Make plans every tier of the input. Errors wrap [ErrInput] or [ErrTooMany].
func Make(in Input, cost Cost) (*Result, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	if err := cost.Validate(); err != nil {
		return nil, err
	}
	r := &Result{Input: in, Cost: cost, Assumptions: assumptions(&in, &cost)}
	p := &in.Population
	busy, err := makeTier(&in, &cost, Surge{Name: BusyHour, Accounts: p.LoginsPerDay * p.PeakHourShare, Hours: 1})
	if err != nil {
		return nil, err
	}
	r.Tiers = append(r.Tiers, busy)
	for _, s := range p.Surges {
		tier, err := makeTier(&in, &cost, s)
		if err != nil {
			return nil, err
		}
		r.Tiers = append(r.Tiers, tier)
	}
	return r, nil
}

// Tier finds a tier by name. The error wraps [ErrInput] and lists the names.
func (r *Result) Tier(name string) (*Tier, error) {
	var names []string
	for i := range r.Tiers {
		if r.Tiers[i].Name == name {
			return &r.Tiers[i], nil
		}
		names = append(names, r.Tiers[i].Name)
	}
	return nil, &fault{"tier", fmt.Sprintf("%q", name), "one of: " + strings.Join(names, ", ")}
}

// assumptions are what the plan rests on and nobody measured.
func assumptions(in *Input, c *Cost) []string {
	p := &in.Population
	list := []string{
		"Who comes when, how many requests follow a login and how large they are: the population, all of it.",
		"Requests arrive independently of each other, and each is dealt to a replica by chance. Better balancing waits less.",
		"A surge comes instead of a busy hour, not on top of it.",
		"A request costs the same at every rate. A replica that is little used pays up to twice as much, for waking up.",
		"Systems behind the gateway, terminators before it and the network between them carry their part.",
	}
	if in.Deployment.Routing == Sticky {
		list = append(list, "Sticky routing deals tokens evenly, and only a lost replica moves them.")
	}
	if p.TLS {
		list = append(list, "Every new connection pays for a whole TLS handshake: no session is resumed.")
	}
	if in.Deployment.VerdictBytes > 0 {
		list = append(list, "The cache of tokens does as well as one that drops what was used least recently (Che's approximation).")
	}
	return append(list, c.assumptions()...)
}
