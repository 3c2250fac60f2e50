package plan

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// writeConnections writes down connections, files and network.
func writeConnections(s *sheet, in *Input, l *load, t *Tier) {
	p, r := &in.Population, s.value["r_z"]
	s.given("W_u", p.UpstreamSeconds, "s", "in which a system behind the gateway answers")
	s.computed("Q", inFlight(l.requests*p.UpstreamSeconds), "requests",
		"in flight at one time, three standard deviations above the mean (Little's law)", "λ*W_u + 3*sqrt(λ*W_u)")
	s.given("t_i", p.ConnectionIdleSeconds, "s", "that a citizen's connection outlives the session")
	s.given("C_f", p.FrontEnds*p.ConnectionsPerFrontEnd, "connections", "of all front ends")
	all := s.computed("C", l.clients, "connections", "of clients", "max(λ_L*(1+g)*(D+t_i)*c_u + C_f, Q)")
	t.Fleet.Connections = math.Ceil(all)

	t.PerReplica.RequestsPerSecond = s.computed("λ_r", l.requests/r, "requests/s", "of a replica", "λ/r_z")
	t.PerReplica.Connections = s.computed("C_r", math.Ceil(all/r), "connections", "of clients, to a replica", "ceil(C/r_z)")
	sites := s.given("k_s", p.Sites, "sites", "each with a connection for health checks")
	t.PerReplica.UpstreamConnections = s.computed("X_r", math.Ceil(inFlight(t.PerReplica.RequestsPerSecond*p.UpstreamSeconds))+sites, "connections",
		"from a replica to upstreams", "ceil(λ_r*W_u + 3*sqrt(λ_r*W_u)) + k_s")
	allowed := s.computed("C_a", math.Min(math.Ceil(1.5*t.PerReplica.Connections), mostConnections), "connections",
		"of clients, that a replica allows: half as many again (limits.connections)", "min(ceil(1.5*C_r), 10000000)")
	// A connection has one request at a time. Fewer than these would refuse requests as soon as a few sites are slow.
	flying := s.computed("X_a", math.Min(math.Max(2*t.PerReplica.UpstreamConnections, 4*leastUpstreamConnections), allowed), "requests",
		"in flight, and so connections to upstreams, that a replica allows (overload.most_requests)", "min(max(2*X_r, 4096), C_a)")
	t.PerReplica.ConnectionsAllowed, t.PerReplica.RequestsAllowed = allowed, flying
	t.PerReplica.FileDescriptors = s.computed("f_r", allowed+flying+filesBeside, "files", "open in a replica", "C_a + X_a + 64")

	s.given("l_q", p.RequestBytes, "B", "of a request")
	s.given("l_p", p.ResponseBytes, "B", "of a response")
	t.Fleet.NetworkMegabits = s.computed("G", l.megabits, "Mbit/s",
		"in each direction: requests and responses pass through", "λ*(l_q+l_p)*8/1000000")
	t.PerReplica.NetworkMegabits = s.computed("G_r", t.Fleet.NetworkMegabits/r, "Mbit/s", "of a replica, in each direction", "G/r_z")
}

// inFlight is how many requests are so at one time where mean are on average: three standard deviations above it, the
// number being Poisson's.
func inFlight(mean float64) float64 { return mean + 3*math.Sqrt(mean) }

// writeMemory writes down memory: of what a replica allows, not of what comes, so that no limit lets in more than there is
// room for.
func writeMemory(s *sheet, in *Input, cost *Cost, t *Tier) {
	p, d, v := &in.Population, &in.Deployment, s.value
	token := s.given("m_t", cost.CachedToken.Value, "B", "memory of a token")
	if d.VerdictBytes > 0 {
		t.PerReplica.VerdictBytes = s.computed("B_v", d.VerdictBytes, "B", "for tokens (verdicts.max_bytes)", "B")
	} else {
		t.PerReplica.VerdictBytes = s.computed("B_v", mebibyte*math.Max(1, math.Ceil(1.25*v["T_z"]*token/mebibyte)), "B",
			"for tokens (verdicts.max_bytes): a quarter more than they need, in whole MiB", "1048576*max(1, ceil(1.25*T_z*m_t/1048576))")
	}
	secured := 0.0
	if p.TLS {
		secured = cost.SecuredConnection.Value
	}
	busy := s.given("m_b", cost.BusyConnection.Value+secured, "B", "memory of a connection that spoke within the last second")
	idle := s.given("m_i", cost.IdleConnection.Value+secured, "B", "memory of one that did not")
	share := s.computed("y", -math.Expm1(-v["λ"]/v["C"]), "share", "of connections that did", "1 - exp(-λ/C)")
	upstream := s.given("m_u", cost.UpstreamConnection.Value, "B", "memory of a connection to an upstream")
	keys, key := s.given("k", p.Keys, "keys", "of issuers"), s.given("m_k", cost.Key.Value, "B", "memory of a key")
	live := s.computed("M_l", t.PerReplica.VerdictBytes+v["C_a"]*(share*busy+(1-share)*idle)+v["X_a"]*upstream+keys*key, "B",
		"that the collector looks through", "B_v + C_a*(y*m_b + (1-y)*m_i) + X_a*m_u + k*m_k")
	count, each := s.given("R", p.Revocations, "revocations", "in force"), s.given("m_r", cost.Revocation.Value, "B", "memory of one")
	t.PerReplica.RevocationsAllowed = s.computed("R_a", math.Min(math.Max(2*count, leastRevocations), mostRevocations), "revocations",
		"that a replica allows (revocation.max_entries)", "min(max(2*R, 1000000), 500000000)")
	revoked := s.computed("M_r", t.PerReplica.RevocationsAllowed*each, "B", "for revocations", "R_a*m_r")
	t.PerReplica.RevocationDiskBytes = s.computed("M_d", 2*revoked, "B", "of disk for revocations", "2*M_r")
	base := s.given("m_0", cost.Base.Value, "B", "memory of a process with nothing to do")
	headroom := s.given("H", d.MemoryHeadroomBytes, "B", "by which the heap may grow before garbage is collected (memory.headroom)")
	t.PerReplica.GoMemoryLimitBytes = s.computed("M_g", mebibyte*math.Ceil((base+live+revoked+math.Max(headroom, live))/mebibyte), "B",
		"of the process (GOMEMLIMIT), in whole MiB", "1048576*ceil((m_0 + M_l + M_r + max(H, M_l))/1048576)")
	socket := s.given("m_n", cost.Socket.Value, "B", "that the kernel keeps of a connection")
	t.PerReplica.MemoryBytes = s.computed("M", memoryGrain*math.Ceil((v["M_g"]/0.9+(v["C_a"]+v["X_a"])*socket)/memoryGrain), "B",
		"of the container (request and limit): GOMEMLIMIT is nine tenths of it; in 16 MiB", "16777216*ceil((M_g/0.9 + (C_a+X_a)*m_n)/16777216)")
	t.Fleet.MemoryBytes = s.computed("M_all", v["r"]*v["M"], "B", "of all replicas", "r*M")
}

// expand puts a suffix in the place of each ~.
func expand(formula, suffix string) string { return strings.ReplaceAll(formula, "~", suffix) }

// sorted are the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
