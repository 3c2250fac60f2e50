package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
)

// populationFlags say what is planned for. Those that are not given leave what the file says.
type populationFlags struct {
	file string

	accounts, loginsPerDay, peakHourShare, verifications float64
	surgeAccounts, surgeHours                            float64
	tokenLifetime, session                               time.Duration
	algorithm                                            string
	sites, revocations                                   float64
	connectionsPerUser, frontEnds, connectionsPerFront   float64
	tls                                                  bool

	zones, spare, cores, maxReplicas    int
	utilisation, lostZone, headroom     float64
	routing                             string
	verdictBytes, memoryHeadroomInBytes float64
	mostConnections, mostMegabits       float64
}

func (f *populationFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "population", "", "file of a population and a deployment")
	flags.Float64Var(&f.accounts, "accounts", 0, "activated accounts")
	flags.Float64Var(&f.loginsPerDay, "logins-per-day", 0, "logins a day")
	flags.Float64Var(&f.peakHourShare, "peak-hour-share", 0, "share of a day in its busiest hour, 1/24 to 1")
	flags.Float64Var(&f.surgeAccounts, "surge-accounts", 0, "accounts of the one surge that is planned for; 0 for none")
	flags.Float64Var(&f.surgeHours, "surge-hours", 1, "hours within which they log in")
	flags.Float64Var(&f.verifications, "verifications-per-login", 0, "requests with a token that follow a login")
	flags.DurationVar(&f.session, "session", 0, "length of a session")
	flags.DurationVar(&f.tokenLifetime, "token-lifetime", 0, "lifetime of a token")
	flags.StringVar(&f.algorithm, "algorithm", "", "the one algorithm of signatures: RS256, ES256, EdDSA")
	flags.Float64Var(&f.sites, "sites", 0, "systems behind the gateway")
	flags.Float64Var(&f.revocations, "revocations", 0, "revocations in force at one time")
	flags.Float64Var(&f.connectionsPerUser, "connections-per-user", 0, "connections of a citizen to the gateway itself")
	flags.Float64Var(&f.frontEnds, "front-ends", 0, "front ends that keep connections to the gateway")
	flags.Float64Var(&f.connectionsPerFront, "connections-per-front-end", 0, "connections of each")
	flags.BoolVar(&f.tls, "tls", false, "the gateway itself ends TLS")
	flags.IntVar(&f.zones, "zones", 0, "zones, of which the loss of one is endured")
	flags.IntVar(&f.spare, "spare-per-zone", 0, "spare replicas in each zone")
	flags.IntVar(&f.cores, "cores", 0, "cores of a replica")
	flags.Float64Var(&f.utilisation, "target-utilisation", 0, "highest utilisation with all zones, 0 to 1")
	flags.Float64Var(&f.lostZone, "lost-zone-utilisation", 0, "highest utilisation with a zone lost, 0 to 1")
	flags.Float64Var(&f.headroom, "headroom", 0, "share of load to plan for beyond the population's")
	flags.StringVar(&f.routing, "routing", "", "where requests of one token go: spread, connection or sticky")
	flags.Float64Var(&f.verdictBytes, "verdict-bytes", 0, "bound of the memory for tokens in a replica, in bytes; 0 for none")
	flags.Float64Var(&f.memoryHeadroomInBytes, "memory-headroom-bytes", 0, "the gateway's memory.headroom, in bytes")
	flags.Float64Var(&f.mostConnections, "max-connections-per-replica", 0, "connections of clients that a replica can have")
	flags.Float64Var(&f.mostMegabits, "max-network-megabits", 0, "Mbit/s that a replica can have in each direction")
	flags.IntVar(&f.maxReplicas, "max-replicas", 0, "replicas to try at most")
	_ = cmd.MarkFlagFilename("population", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("routing", cobra.FixedCompletions([]string{string(plan.Spread), string(plan.ByConnection), string(plan.Sticky)}, cobra.ShellCompDirectiveNoFileComp))
}

// input is the file with the flags over it.
func (f *populationFlags) input(cmd *cobra.Command) (plan.Input, error) {
	in := plan.DefaultInput()
	if f.file != "" {
		data, err := readBounded(f.file, plan.MaxFileBytes)
		if err != nil {
			return in, fmt.Errorf("--population: %w", err)
		}
		if in, err = plan.DecodeInput(f.file, data); err != nil {
			return in, fmt.Errorf("--population: %w", err)
		}
	}
	p, d := &in.Population, &in.Deployment
	given := cmd.Flags().Changed
	for name, set := range map[string]func(){
		"accounts":                    func() { p.ActivatedAccounts = f.accounts },
		"logins-per-day":              func() { p.LoginsPerDay = f.loginsPerDay },
		"peak-hour-share":             func() { p.PeakHourShare = f.peakHourShare },
		"verifications-per-login":     func() { p.VerificationsPerLogin = f.verifications },
		"session":                     func() { p.SessionSeconds = f.session.Seconds() },
		"token-lifetime":              func() { p.TokenLifetimeSeconds = f.tokenLifetime.Seconds() },
		"algorithm":                   func() { p.Algorithms = map[string]float64{f.algorithm: 1} },
		"sites":                       func() { p.Sites = f.sites },
		"revocations":                 func() { p.Revocations = f.revocations },
		"connections-per-user":        func() { p.ConnectionsPerUser = f.connectionsPerUser },
		"front-ends":                  func() { p.FrontEnds = f.frontEnds },
		"connections-per-front-end":   func() { p.ConnectionsPerFrontEnd = f.connectionsPerFront },
		"tls":                         func() { p.TLS = f.tls },
		"zones":                       func() { d.Zones = f.zones },
		"spare-per-zone":              func() { d.SparePerZone = f.spare },
		"cores":                       func() { d.CoresPerReplica = f.cores },
		"target-utilisation":          func() { d.TargetUtilisation = f.utilisation },
		"lost-zone-utilisation":       func() { d.LostZoneUtilisation = f.lostZone },
		"headroom":                    func() { d.Headroom = f.headroom },
		"routing":                     func() { d.Routing = plan.Routing(f.routing) },
		"verdict-bytes":               func() { d.VerdictBytes = f.verdictBytes },
		"memory-headroom-bytes":       func() { d.MemoryHeadroomBytes = f.memoryHeadroomInBytes },
		"max-connections-per-replica": func() { d.ConnectionsPerReplica = f.mostConnections },
		"max-network-megabits":        func() { d.MegabitsPerReplica = f.mostMegabits },
		"max-replicas":                func() { d.MaxReplicas = f.maxReplicas },
	} {
		if given(name) {
			set()
		}
	}
	switch {
	case given("surge-accounts") && f.surgeAccounts == 0:
		p.Surges = nil
	case given("surge-accounts"):
		p.Surges = []plan.Surge{{Name: "surge", Accounts: f.surgeAccounts, Hours: f.surgeHours}}
	case given("surge-hours"):
		return in, fmt.Errorf("--surge-hours: needs --surge-accounts")
	}
	return in, in.Validate()
}

// readBounded reads a file of at most so many bytes; of a longer one it returns one byte more.
func readBounded(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most+1))
}
