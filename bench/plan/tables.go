package plan

import (
	"fmt"
	"math"
	"strconv"
)

// row is a line of a table with a cell for each tier; one without cells is a heading.
type row struct {
	label string
	cells []string
}

// rows is the table of all tiers.
func (r *Result) rows(tiers []Tier) []row {
	d := &r.Input.Deployment
	var list []row
	section := func(label string) { list = append(list, row{label: label}) }
	add := func(label string, cell func(t *Tier) string) {
		line := row{label: label}
		for i := range tiers {
			line.cells = append(line.cells, cell(&tiers[i]))
		}
		list = append(list, line)
	}
	section("Load")
	add("logins/s", func(t *Tier) string { return rounded(t.LoginsPerSecond) })
	add("verifications/s", func(t *Tier) string { return rounded(t.VerificationsPerSecond) })
	add(fmt.Sprintf("planned for, %s headroom", percent(d.Headroom)), func(t *Tier) string { return rounded(t.PlannedPerSecond) })
	section(fmt.Sprintf("Fleet in %d %s, %d spare in each", d.Zones, plural(d.Zones, "zone"), d.SparePerZone))
	add("replicas (in each zone)", func(t *Tier) string { return fmt.Sprintf("%d (%d)", t.Replicas, t.ReplicasPerZone) })
	add("cores", func(t *Tier) string { return strconv.Itoa(t.Cores) })
	add("memory, GiB", func(t *Tier) string { return rounded(t.Fleet.MemoryBytes / (1 << 30)) })
	add("connections of clients", func(t *Tier) string { return rounded(t.Fleet.Connections) })
	add("network, Mbit/s each direction", func(t *Tier) string { return rounded(t.Fleet.NetworkMegabits) })
	section("Each replica, at the most")
	add("cores (GOMAXPROCS)", func(t *Tier) string { return strconv.Itoa(t.CoresPerReplica) })
	add("requests/s", func(t *Tier) string { return rounded(t.PerReplica.RequestsPerSecond) })
	add("memory, MiB (request = limit)", func(t *Tier) string { return rounded(t.PerReplica.MemoryBytes / mebibyte) })
	add("GOMEMLIMIT, MiB", func(t *Tier) string { return rounded(t.PerReplica.GoMemoryLimitBytes / mebibyte) })
	add("verdicts.max_bytes, MiB", func(t *Tier) string { return rounded(t.PerReplica.VerdictBytes / mebibyte) })
	add("disk for revocations, MiB", func(t *Tier) string { return rounded(math.Ceil(t.PerReplica.RevocationDiskBytes / mebibyte)) })
	add("connections of clients", func(t *Tier) string { return rounded(t.PerReplica.Connections) })
	add("connections to upstreams", func(t *Tier) string { return rounded(t.PerReplica.UpstreamConnections) })
	add("limits.connections", func(t *Tier) string { return rounded(t.PerReplica.ConnectionsAllowed) })
	add("overload.most_requests", func(t *Tier) string { return rounded(t.PerReplica.RequestsAllowed) })
	add("revocation.max_entries", func(t *Tier) string { return rounded(t.PerReplica.RevocationsAllowed) })
	add("open files", func(t *Tier) string { return rounded(t.PerReplica.FileDescriptors) })
	add("network, Mbit/s each direction", func(t *Tier) string { return rounded(t.PerReplica.NetworkMegabits) })
	states := []struct {
		heading string
		of      func(t *Tier) *State
	}{
		{"All in service", func(t *Tier) *State { return &t.AllInService }},
		{fmt.Sprintf("Spare ones away (at most %s busy)", percent(d.TargetUtilisation)), func(t *Tier) *State { return &t.SparesAway }},
		{fmt.Sprintf("One zone lost besides (at most %s)", percent(d.LostZoneUtilisation)), func(t *Tier) *State { return &t.ZoneLost }},
	}
	if d.Zones == 1 {
		states = states[:2]
	}
	for _, state := range states {
		section(state.heading)
		add("replicas", func(t *Tier) string { return strconv.Itoa(state.of(t).Replicas) })
		add("new tokens, of all requests", func(t *Tier) string { return percent(state.of(t).ColdShare) })
		add("processor time of a request, µs", func(t *Tier) string { return fmt.Sprintf("%.1f", state.of(t).ServiceMicroseconds) })
		add("utilisation", func(t *Tier) string { return percent(state.of(t).UtilisationShare) })
		add("99% wait for a core at most, µs", func(t *Tier) string {
			if wait := state.of(t).WaitP99Microseconds; wait != nil {
				return rounded(*wait)
			}
			return "without end"
		})
	}
	last := "Most that it carries"
	if d.Zones > 1 {
		last += ", one zone lost"
	}
	section(last)
	add("requests/s", func(t *Tier) string { return rounded(t.MostPerSecond) })
	add("  more than the tier's", func(t *Tier) string { return percent(t.HeadroomShare) })
	add("requests/s if every token is new", func(t *Tier) string { return rounded(t.MostNewPerSecond) })
	if len(tiers) > 0 && tiers[0].ShiftUtilisationShare != nil {
		add("utilisation as the zone is lost", func(t *Tier) string { return percent(*t.ShiftUtilisationShare) })
		add("  for about, s", func(t *Tier) string { return rounded(*t.ShiftSeconds) })
	}
	return list
}

// choices is the table of alternatives.
func choices(tiers []Tier) []row {
	var list []row
	if len(tiers) == 0 {
		return nil
	}
	for i, a := range tiers[0].Alternatives {
		line := row{label: fmt.Sprintf("%d %s, %s", a.CoresPerReplica, plural(a.CoresPerReplica, "core"), a.Routing)}
		for _, t := range tiers {
			a := t.Alternatives[i]
			cell := "too many"
			if a.Replicas > 0 {
				cell = fmt.Sprintf("%d, %d, %.0f%%, %.0f", a.Replicas, a.Cores, 100*a.ColdShare, a.MemoryBytes/(1<<30))
			}
			line.cells = append(line.cells, cell)
		}
		list = append(list, line)
	}
	return list
}

// rounded writes a number of some size for people: whole from a hundred on, else with a digit.
func rounded(v float64) string {
	if math.Abs(v) >= 100 || v == math.Trunc(v) {
		return short(math.Round(v))
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// percent writes a share.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1000)/10, 'f', -1, 64) + "%"
}
