package plan

import "math"

// Sizes that the computation rounds to or adds, in bytes.
const (
	mebibyte          = 1 << 20
	leastVerdictBytes = 1 << 20
	memoryGrain       = 16 * mebibyte
	// filesBeside are descriptors that are no connections: listeners, logs, pollers, the admin listener's.
	filesBeside = 64
)

// makeTier plans for a surge, with alternatives. A busy hour is one of an hour.
func makeTier(in *Input, cost *Cost, surge Surge) (Tier, error) {
	t, err := size(in, cost, surge)
	if err == nil {
		t.Alternatives = alternatives(*in, cost, surge)
	}
	return t, err
}

// size plans for a surge.
func size(in *Input, cost *Cost, surge Surge) (Tier, error) {
	logins := surge.Accounts / (surge.Hours * 3600)
	l, err := loadOf(in, cost, logins)
	if err != nil {
		return Tier{}, err
	}
	d := &in.Deployment
	n, err := l.perZone(d)
	if err != nil {
		return Tier{}, err
	}
	s := newSheet()
	writeLoad(s, in, cost, surge, &l)
	t := Tier{
		Name: surge.Name, LoginsPerSecond: logins, VerificationsPerSecond: logins * in.Population.VerificationsPerLogin,
		PlannedPerSecond: l.requests, Zones: d.Zones, ReplicasPerZone: n + d.SparePerZone,
		CoresPerReplica: d.CoresPerReplica,
	}
	zones := s.given("Z", float64(d.Zones), "zones", "places that fail on their own")
	spare := s.given("e", float64(d.SparePerZone), "replicas", "spare ones in each zone")
	s.given("u_t", d.TargetUtilisation, "share", "highest utilisation with all zones, spare replicas away")
	s.given("u_z", d.LostZoneUtilisation, "share", "highest utilisation with one zone lost, spare replicas away")
	s.given("C_m", d.ConnectionsPerReplica, "connections", "of clients that a replica can have")
	s.given("G_m", d.MegabitsPerReplica, "Mbit/s", "that a replica can have in each direction")
	s.given("n", float64(n), "replicas", "in each zone: the least for which U_0 <= u_t, C/r_z <= C_m, G/r_z <= G_m and, with more than one zone, U_z <= u_z")
	all := s.computed("r", zones*(float64(n)+spare), "replicas", "in all", "Z*(n+e)")
	reduced := s.computed("r_0", zones*float64(n), "replicas", "with the spare ones away", "Z*n")
	lost := s.computed("r_z", math.Max(zones-1, 1)*float64(n), "replicas", "with the spare ones away and one zone lost", "max(Z-1, 1)*n")
	t.Replicas, t.Cores = int(all), int(all)*d.CoresPerReplica
	s.computed("N_all", all*float64(d.CoresPerReplica), "cores", "in all", "r*N")
	t.AllInService = writeState(s, &l, all, "", "all in service")
	t.SparesAway = writeState(s, &l, reduced, "_0", "spare ones away")
	t.ZoneLost = writeState(s, &l, lost, "_z", "spare ones away, one zone lost")
	writeLimits(s, in, &l, &t)
	writeConnections(s, in, &l, &t)
	writeMemory(s, in, cost, &t)
	t.Steps = s.steps
	return t, nil
}

// writeLoad writes down how the load comes about, and what a request costs.
func writeLoad(s *sheet, in *Input, cost *Cost, surge Surge, l *load) {
	p, d := &in.Population, &in.Deployment
	if surge.Name == BusyHour {
		s.given("A_d", p.LoginsPerDay, "logins/day", "logins")
		s.given("q", p.PeakHourShare, "share", "of a day in its busiest hour")
		s.computed("λ_L", l.requests/p.VerificationsPerLogin/(1+d.Headroom), "logins/s", "logins", "A_d*q/3600")
	} else {
		s.given("A", surge.Accounts, "logins", "accounts that log in")
		s.given("t_s", surge.Hours, "h", "time within which they do")
		s.computed("λ_L", surge.Accounts/(surge.Hours*3600), "logins/s", "logins", "A/(t_s*3600)")
	}
	s.given("V", p.VerificationsPerLogin, "requests/login", "verifications that follow a login")
	s.computed("Λ", s.value["λ_L"]*p.VerificationsPerLogin, "requests/s", "verifications", "λ_L*V")
	s.given("g", d.Headroom, "share", "headroom: more load than that")
	s.computed("λ", l.requests, "requests/s", "verifications that are planned for", "Λ*(1+g)")
	s.given("D", p.SessionSeconds, "s", "length of a session")
	s.given("τ", p.TokenLifetimeSeconds, "s", "lifetime of a token")
	s.computed("n_T", p.tokensPerLogin(), "tokens/login", "tokens of a session", "ceil(D/τ)")
	s.computed("λ_T", l.tokens, "tokens/s", "new tokens", "min(λ_L*(1+g)*n_T, λ)")
	s.given("c_u", p.ConnectionsPerUser, "connections", "of a citizen to the gateway itself")
	s.given("q_c", p.RequestsPerConnection, "requests", "after which a connection is closed")
	s.computed("ν", l.connections, "connections/s", "new connections", "λ_L*(1+g)*c_u + λ/q_c")

	s.given("c_w", cost.WarmRequest.Value, "µs", "processor time of a request with a token that is remembered")
	for _, algorithm := range sorted(p.Algorithms) {
		s.given("w_"+algorithm, p.Algorithms[algorithm], "share", "of tokens signed so")
		s.given("c_"+algorithm, cost.ColdRequest[algorithm].Value, "µs", "processor time of a request with such a token, new")
	}
	cold, formula, _ := cost.coldMicroseconds(p.Algorithms) // loadOf has refused what is not known.
	s.computed("c_c", cold, "µs", "processor time of a request with a new token", formula)
	connection, request, about := cost.NewConnection.Value, 0.0, "processor time of a new connection"
	if p.TLS {
		connection, request, about = connection+cost.Handshake.Value, cost.SecuredRequest.Value, about+", TLS handshake included"
	}
	s.given("c_n", connection, "µs", about)
	s.given("c_s", request, "µs", "what TLS adds to a request")
	s.computed("c_x", request+l.connections*connection/l.requests, "µs", "both, for each request", "c_s + ν*c_n/λ")
	s.given("b", cost.Background.Value, "cores", "used by a replica without any request")
	cores := s.given("N", float64(d.CoresPerReplica), "cores", "of a replica (GOMAXPROCS)")
	s.given("σ", cost.Scaling.Sigma.Value, "share", "of work that waits for its turn")
	s.given("κ", cost.Scaling.Kappa.Value, "share", "of work that keeps two cores in step")
	s.computed("N_e", cost.Scaling.EffectiveCores(cores), "cores", "single cores that they are worth (Universal Scalability Law)", "N/(1 + σ*(N-1) + κ*N*(N-1))")
	switch about := "how often a token's requests are dealt to a replica: "; d.Routing {
	case Spread:
		s.computed("d", l.draws, "times", about+"each of them is", "max(V/n_T, 1)")
	case ByConnection:
		s.computed("d", l.draws, "times", about+"each connection is", "max(c_u, 1)")
	default:
		s.given("d", l.draws, "times", about+"once, for all of them")
	}
	s.given("a_v", verdictAge, "s", "longest that a verdict is remembered (verdicts.max_age)")
	if l.room > 0 {
		s.given("B", d.VerdictBytes, "B", "memory for tokens in each replica")
		s.given("m_t", cost.CachedToken.Value, "B", "memory of a token")
		s.given("z", p.ZipfExponent, "", "exponent of Zipf's law for the use of tokens")
		s.computed("E", l.room, "tokens", "for which there is room", "B/m_t")
	}
}

// writeState writes down what r replicas meet; their symbols end in suffix.
func writeState(s *sheet, l *load, r float64, suffix, about string) State {
	m, state := l.at(r), l.state(int(r))
	q := l.queue(m)
	put := func(symbol string, v float64, unit, meaning, formula string) {
		s.computed(symbol+suffix, v, unit, meaning+" ("+about+")", expand(formula, suffix))
	}
	put("K", m.sightings, "replicas", "that see a token, each of which verifies it", "r~*(1 - pow(1 - 1/r~, d))")
	put("F", m.firsts, "requests/s", "with a token that the replica has not seen", "min(λ, λ_T*K~)")
	put("T", m.tokens, "tokens", "that a replica has seen and that have not expired", "λ_T*K~/r~*min(τ, a_v)")
	if l.room > 0 {
		put("h", m.hits, "share", "of tokens seen before that are still in memory", "che(E, T~, z)")
	} else {
		s.given("h"+suffix, m.hits, "share", "of tokens seen before that are still in memory: all fit ("+about+")")
	}
	put("p", m.share, "share", "of requests whose token is verified", "(F~ + (λ-F~)*(1-h~))/λ")
	put("S", m.service, "µs", "processor time of a request", "c_w + c_x + p~*(c_c-c_w)")
	put("U", m.utilisation, "share", "utilisation", "(λ*S~/1000000/r~ + b)/N_e")
	put("s", q.ServiceSeconds*1e6, "µs", "time of a request on one of the N cores", "S~*N/(N_e-b)")
	put("v", q.Variability, "", "squared coefficient of variation of that time", "p~*(1-p~)*pow((c_c-c_w)/S~, 2)")
	if state.WaitP99Microseconds != nil {
		put("W99", *state.WaitP99Microseconds, "µs", "that 99% of requests wait for a core at most", "wait99(N, s~, v~, λ/r~)")
	}
	return state
}

// writeLimits writes down what the fleet could carry with a zone lost.
func writeLimits(s *sheet, in *Input, l *load, t *Tier) {
	v := s.value
	t.MostPerSecond = s.computed("X", v["r_z"]*(l.effective-l.background)*1e6/v["S_z"], "requests/s",
		"that fill every core, one zone lost", "r_z*(N_e-b)*1000000/S_z")
	t.HeadroomShare = s.computed("g_x", t.MostPerSecond/v["Λ"]-1, "share", "by which that exceeds the population's load", "X/Λ - 1")
	t.MostNewPerSecond = s.computed("X_c", v["r_z"]*(l.effective-l.background)*1e6/l.cold, "requests/s",
		"that fill every core where every token is new, one zone lost", "r_z*(N_e-b)*1000000/(c_c+c_x)")
	if in.Deployment.Routing == Spread || in.Deployment.Zones == 1 {
		return
	}
	shift := s.computed("U_s", v["U_z"]+l.requests/v["Z"]*(l.cold-l.warm)/1e6/(v["r_z"]*l.effective), "share",
		"utilisation just after a zone was lost, as the tokens that it knew are verified elsewhere", "U_z + λ/Z*(c_c-c_w)/1000000/(r_z*N_e)")
	seconds := s.computed("t_s1", in.Population.SessionSeconds/in.Population.VerificationsPerLogin, "s",
		"for about how long: the time between two requests of a session", "D/V")
	t.ShiftUtilisationShare, t.ShiftSeconds = &shift, &seconds
}

// alternatives sizes the fleet for other replicas and routings.
func alternatives(in Input, cost *Cost, surge Surge) []Alternative {
	routings := []Routing{Spread, Sticky}
	if in.Population.ConnectionsPerUser > 0 {
		routings = []Routing{Spread, ByConnection, Sticky}
	}
	var list []Alternative
	for _, cores := range []int{1, 2, 4, 8, 16, 32} {
		for _, routing := range routings {
			in.Deployment.CoresPerReplica, in.Deployment.Routing = cores, routing
			a := Alternative{CoresPerReplica: cores, Routing: routing}
			// What cannot be carried so stays without replicas.
			if t, err := size(&in, cost, surge); err == nil {
				a.Replicas, a.Cores = t.Replicas, t.Cores
				a.ColdShare, a.MemoryBytes = t.AllInService.ColdShare, t.Fleet.MemoryBytes
			}
			list = append(list, a)
		}
	}
	return list
}
