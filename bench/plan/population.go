package plan

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Population is who uses what stands behind the gateway, and how.
type Population struct {
	// ActivatedAccounts bounds the accounts of a surge.
	ActivatedAccounts float64 `json:"activated_accounts" yaml:"activated_accounts"`
	// LoginsPerDay and PeakHourShare, 0 to 1, give the busy hour.
	LoginsPerDay  float64 `json:"logins_per_day" yaml:"logins_per_day"`
	PeakHourShare float64 `json:"peak_hour_share" yaml:"peak_hour_share"`
	// Surges are what comes instead of a busy hour: so many accounts log in within so many hours.
	Surges []Surge `json:"surges" yaml:"surges"`

	// VerificationsPerLogin is how many requests with a token follow a login, over SessionSeconds.
	VerificationsPerLogin float64 `json:"verifications_per_login" yaml:"verifications_per_login"`
	SessionSeconds        float64 `json:"session_seconds" yaml:"session_seconds"`
	// TokenLifetimeSeconds is after how long a session needs a new token.
	TokenLifetimeSeconds float64 `json:"token_lifetime_seconds" yaml:"token_lifetime_seconds"`
	// ZipfExponent is how unequally tokens are used, 0 for equally. It matters where not all fit into memory.
	ZipfExponent float64 `json:"zipf_exponent" yaml:"zipf_exponent"`
	// Algorithms are the shares of tokens by the algorithm of their signature. They sum to 1.
	Algorithms map[string]float64 `json:"algorithms" yaml:"algorithms"`

	// Sites is the number of systems behind the gateway, Keys that of the issuers' keys, and Revocations how many are
	// in force at one time.
	Sites       float64 `json:"sites" yaml:"sites"`
	Keys        float64 `json:"keys" yaml:"keys"`
	Revocations float64 `json:"revocations" yaml:"revocations"`

	// ConnectionsPerUser are those that a citizen's program keeps to the gateway itself, for the session and
	// ConnectionIdleSeconds after it; 0 where only front ends talk to it.
	ConnectionsPerUser    float64 `json:"connections_per_user" yaml:"connections_per_user"`
	ConnectionIdleSeconds float64 `json:"connection_idle_seconds" yaml:"connection_idle_seconds"`
	// FrontEnds keep ConnectionsPerFrontEnd each.
	FrontEnds              float64 `json:"front_ends" yaml:"front_ends"`
	ConnectionsPerFrontEnd float64 `json:"connections_per_front_end" yaml:"connections_per_front_end"`
	// RequestsPerConnection is after how many a connection is closed.
	RequestsPerConnection float64 `json:"requests_per_connection" yaml:"requests_per_connection"`
	// TLS says that the gateway itself ends TLS.
	TLS bool `json:"tls" yaml:"tls"`

	// RequestBytes and ResponseBytes are means, heads and bodies together, and UpstreamSeconds is how long the system
	// behind takes to answer.
	RequestBytes    float64 `json:"request_bytes" yaml:"request_bytes"`
	ResponseBytes   float64 `json:"response_bytes" yaml:"response_bytes"`
	UpstreamSeconds float64 `json:"upstream_seconds" yaml:"upstream_seconds"`
}

// Surge is a crowd that comes within hours. Its name, of characters that print, is that of a tier.
type Surge struct {
	Name     string  `json:"name" yaml:"name"`
	Accounts float64 `json:"accounts" yaml:"accounts"`
	Hours    float64 `json:"hours" yaml:"hours"`
}

// Routing says to which replicas the requests of one token go.
type Routing string

// The routings.
const (
	// Spread: each request may go to any replica, as front ends with a pool do. Each replica verifies the token anew.
	Spread Routing = "spread"
	// ByConnection: a citizen's connections are spread, and each stays with its replica.
	ByConnection Routing = "connection"
	// Sticky: all requests of a token go to one replica, as with a hash of the token or of the client.
	Sticky Routing = "sticky"
)

// Deployment is what the gateway is to run on, and what it is to endure.
type Deployment struct {
	// Zones are the places that fail on their own; with more than one, the loss of any one of them is endured.
	Zones int `json:"zones" yaml:"zones"`
	// SparePerZone are the replicas in each zone beyond those needed: one that restarts or fails.
	SparePerZone int `json:"spare_per_zone" yaml:"spare_per_zone"`
	// CoresPerReplica is GOMAXPROCS.
	CoresPerReplica int `json:"cores_per_replica" yaml:"cores_per_replica"`
	// TargetUtilisation is the highest with all zones there, and LostZoneUtilisation with one gone, 0 to 1, both
	// with all the spare replicas away.
	TargetUtilisation   float64 `json:"target_utilisation" yaml:"target_utilisation"`
	LostZoneUtilisation float64 `json:"lost_zone_utilisation" yaml:"lost_zone_utilisation"`
	// Headroom is by how much more than the population's load is planned for, 0.2 being a fifth more.
	Headroom float64 `json:"headroom" yaml:"headroom"`
	Routing  Routing `json:"routing" yaml:"routing"`
	// VerdictBytes bounds the memory of each replica for tokens; 0 gives as much as they need.
	VerdictBytes float64 `json:"verdict_bytes" yaml:"verdict_bytes"`
	// MemoryHeadroomBytes is the gateway's memory.headroom.
	MemoryHeadroomBytes float64 `json:"memory_headroom_bytes" yaml:"memory_headroom_bytes"`
	// ConnectionsPerReplica and MegabitsPerReplica, a second and in each direction, are the most that one can have.
	ConnectionsPerReplica float64 `json:"max_connections_per_replica" yaml:"max_connections_per_replica"`
	MegabitsPerReplica    float64 `json:"max_network_megabits_per_second_per_replica" yaml:"max_network_megabits_per_second_per_replica"`
	// MaxReplicas bounds the search.
	MaxReplicas int `json:"max_replicas" yaml:"max_replicas"`
}

// Input is what is planned for: the content of a population file.
type Input struct {
	Population Population `json:"population" yaml:"population"`
	Deployment Deployment `json:"deployment" yaml:"deployment"`
}

//go:embed default_population.yaml
var defaultPopulation []byte

// DefaultPopulationFile is the text of the built-in population: a file to start from.
func DefaultPopulationFile() []byte { return slices.Clone(defaultPopulation) }

// DefaultInput is the national population.
func DefaultInput() Input {
	var in Input
	if err := decode("default_population.yaml", defaultPopulation, &in, in.Validate); err != nil {
		panic("BUG: " + err.Error())
	}
	return in
}

// DecodeInput reads a population file, which is YAML; what it leaves out is as in [DefaultInput]. name is for errors,
// which wrap [ErrInput] and have line and column.
func DecodeInput(name string, data []byte) (Input, error) {
	in := DefaultInput()
	// A map or list of the file replaces that of the default; they are not merged.
	algorithms, surges := in.Population.Algorithms, in.Population.Surges
	in.Population.Algorithms, in.Population.Surges = nil, nil
	err := decode(name, data, &in, func() error {
		if in.Population.Algorithms == nil {
			in.Population.Algorithms = algorithms
		}
		if in.Population.Surges == nil {
			in.Population.Surges = surges
		}
		return in.Validate()
	})
	return in, err
}

// Validate refuses what cannot be planned for. The error wraps [ErrInput] and names the field as in a file.
func (in *Input) Validate() error {
	p, d := &in.Population, &in.Deployment
	type bound struct {
		field                  string
		value, lowest, highest float64
	}
	bounds := []bound{
		{"population.activated_accounts", p.ActivatedAccounts, 1, 1e10},
		{"population.logins_per_day", p.LoginsPerDay, 1, 1e11},
		{"population.peak_hour_share", p.PeakHourShare, 1.0 / 24, 1},
		{"population.verifications_per_login", p.VerificationsPerLogin, 1, 1e5},
		{"population.session_seconds", p.SessionSeconds, 1, 7 * 86400},
		{"population.token_lifetime_seconds", p.TokenLifetimeSeconds, 1, 30 * 86400},
		{"population.zipf_exponent", p.ZipfExponent, 0, 3},
		{"population.sites", p.Sites, 1, 1e5},
		{"population.keys", p.Keys, 1, 1e5},
		{"population.revocations", p.Revocations, 0, 5e8},
		{"population.connections_per_user", p.ConnectionsPerUser, 0, 1000},
		{"population.connection_idle_seconds", p.ConnectionIdleSeconds, 0, 86400},
		{"population.front_ends", p.FrontEnds, 0, 1e6},
		{"population.connections_per_front_end", p.ConnectionsPerFrontEnd, 0, 1e6},
		{"population.requests_per_connection", p.RequestsPerConnection, 1, 1e9},
		{"population.request_bytes", p.RequestBytes, 1, 1e10},
		{"population.response_bytes", p.ResponseBytes, 1, 1e10},
		{"population.upstream_seconds", p.UpstreamSeconds, 0, 3600},
		{"deployment.zones", float64(d.Zones), 1, 100},
		{"deployment.spare_per_zone", float64(d.SparePerZone), 0, 100},
		{"deployment.cores_per_replica", float64(d.CoresPerReplica), 1, 256},
		{"deployment.target_utilisation", d.TargetUtilisation, 0.01, 0.99},
		{"deployment.lost_zone_utilisation", d.LostZoneUtilisation, 0.01, 0.99},
		{"deployment.headroom", d.Headroom, 0, 100},
		{"deployment.verdict_bytes", d.VerdictBytes, 0, mostBytes},
		{"deployment.memory_headroom_bytes", d.MemoryHeadroomBytes, 0, mostBytes},
		{"deployment.max_connections_per_replica", d.ConnectionsPerReplica, 1, mostConnections},
		{"deployment.max_network_megabits_per_second_per_replica", d.MegabitsPerReplica, 1, 1e6},
		{"deployment.max_replicas", float64(d.MaxReplicas), 1, MaxReplicas},
	}
	for i, s := range p.Surges {
		at := fmt.Sprintf("population.surges[%d]", i)
		if s.Name == "" || s.Name == BusyHour {
			return &fault{at + ".name", fmt.Sprintf("%q", s.Name), "a name that no other tier has"}
		}
		if !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return &fault{at + ".name", fmt.Sprintf("%q", s.Name), "a name of characters that print"}
		}
		for j := range i {
			if p.Surges[j].Name == s.Name {
				return &fault{at + ".name", fmt.Sprintf("%q", s.Name), "a name that no other tier has"}
			}
		}
		bounds = append(bounds,
			bound{at + ".accounts", s.Accounts, 1, p.ActivatedAccounts},
			bound{at + ".hours", s.Hours, 1.0 / 60, 24 * 30})
	}
	for _, b := range bounds {
		if err := within(b.field, b.value, b.lowest, b.highest); err != nil {
			return err
		}
	}
	if d.VerdictBytes != 0 && d.VerdictBytes < leastVerdictBytes {
		return &fault{"deployment.verdict_bytes", number(d.VerdictBytes), fmt.Sprintf("0, or %d to %d", leastVerdictBytes, int64(mostBytes))}
	}
	return in.validateChoices()
}

// validateChoices refuses what is not a matter of a range.
func (in *Input) validateChoices() error {
	p, d := &in.Population, &in.Deployment
	sum := 0.0
	for _, algorithm := range slices.Sorted(maps.Keys(p.Algorithms)) {
		share := p.Algorithms[algorithm]
		if err := within("population.algorithms."+algorithm, share, 0, 1); err != nil {
			return err
		}
		sum += share
	}
	if math.Abs(sum-1) > 1e-6 {
		return &fault{"population.algorithms", fmt.Sprintf("a sum of %.6g", sum), "shares that sum to 1"}
	}
	if p.ConnectionsPerUser == 0 && p.FrontEnds*p.ConnectionsPerFrontEnd == 0 {
		return &fault{"population.connections_per_user", "0", "more than 0 where there are no front ends with connections"}
	}
	switch d.Routing {
	case Spread, Sticky:
	case ByConnection:
		if p.ConnectionsPerUser == 0 {
			return &fault{"deployment.routing", string(d.Routing), "spread or sticky where connections_per_user is 0: front ends spread requests over connections"}
		}
	default:
		return &fault{"deployment.routing", fmt.Sprintf("%q", d.Routing), "spread, connection or sticky"}
	}
	return nil
}
