package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// State is the fleet with some number of replicas in service, under the load that is planned for.
type State struct {
	Replicas int `json:"replicas"`
	// ColdShare is the share of requests whose token has to be verified, and HitRatio that of the others' whose
	// verdict is still in memory.
	ColdShare float64 `json:"cold_share"`
	HitRatio  float64 `json:"hit_ratio"`
	// TokensPerReplica are those that each has seen and that have not expired.
	TokensPerReplica float64 `json:"tokens_per_replica"`
	// ServiceMicroseconds is the processor time of a request, at the speed of a single core.
	ServiceMicroseconds float64 `json:"service_microseconds"`
	// UtilisationShare is the share of each replica's cores that is busy, 0 to 1; more than 1 cannot be carried.
	UtilisationShare float64 `json:"utilisation_share"`
	// WaitP99Microseconds is the time that 99% of requests wait for a core at most; nil where it has no end.
	WaitP99Microseconds *float64 `json:"wait_p99_microseconds"`
}

// load is a tier as numbers, headroom included: what does not depend on the number of replicas.
type load struct {
	requests, tokens, connections float64 // a second: λ, λ_T, ν
	draws                         float64 // d
	remembered                    float64 // s: the shorter of a token's life and a verdict's
	warm, cold                    float64 // µs, with what TLS and new connections add
	background, effective         float64 // b, N_e
	cores                         int
	zipf                          float64
	room                          float64 // tokens; 0 without bound
	clients, megabits             float64 // of the fleet: C, G
}

// verdictAge is the gateway's verdicts.max_age by default, in seconds.
const verdictAge = 3600

// tokensPerLogin is how many tokens a session needs.
func (p *Population) tokensPerLogin() float64 {
	return math.Ceil(p.SessionSeconds / p.TokenLifetimeSeconds)
}

// draws is how often the requests of a token are dealt to a replica.
func (in *Input) draws() float64 {
	switch in.Deployment.Routing {
	case Sticky:
		return 1
	case ByConnection:
		return math.Max(in.Population.ConnectionsPerUser, 1)
	default:
		return math.Max(in.Population.VerificationsPerLogin/in.Population.tokensPerLogin(), 1)
	}
}

// coldMicroseconds is the mean over the population's algorithms, and the formula that gives it.
func (c *Cost) coldMicroseconds(shares map[string]float64) (float64, string, error) {
	sum, formula := 0.0, ""
	for _, algorithm := range slices.Sorted(maps.Keys(shares)) {
		f, known := c.ColdRequest[algorithm]
		if !known {
			return 0, "", &fault{
				"population.algorithms", algorithm,
				fmt.Sprintf("an algorithm whose cost is known: %v", slices.Sorted(maps.Keys(c.ColdRequest))),
			}
		}
		sum += shares[algorithm] * f.Value
		if formula != "" {
			formula += " + "
		}
		formula += fmt.Sprintf("w_%s*c_%s", algorithm, algorithm)
	}
	return sum, formula, nil
}

// loadOf is the load of so many logins a second.
func loadOf(in *Input, c *Cost, logins float64) (load, error) {
	p, d := &in.Population, &in.Deployment
	cold, _, err := c.coldMicroseconds(p.Algorithms)
	if err != nil {
		return load{}, err
	}
	planned := logins * (1 + d.Headroom)
	l := load{
		requests: planned * p.VerificationsPerLogin, tokens: planned * p.tokensPerLogin(),
		draws: in.draws(), remembered: math.Min(p.TokenLifetimeSeconds, verdictAge),
		background: c.Background.Value, effective: c.Scaling.EffectiveCores(float64(d.CoresPerReplica)),
		cores: d.CoresPerReplica, zipf: p.ZipfExponent, room: d.VerdictBytes / c.CachedToken.Value,
	}
	l.clients = math.Max(planned*(p.SessionSeconds+p.ConnectionIdleSeconds)*p.ConnectionsPerUser+p.FrontEnds*p.ConnectionsPerFrontEnd, inFlight(l.requests*p.UpstreamSeconds))
	l.megabits = l.requests * (p.RequestBytes + p.ResponseBytes) * 8 / 1e6
	// A session cannot need more tokens than it makes requests.
	l.tokens = math.Min(l.tokens, l.requests)
	l.connections = planned*p.ConnectionsPerUser + l.requests/p.RequestsPerConnection
	perRequest, perConnection := 0.0, c.NewConnection.Value
	if p.TLS {
		perRequest, perConnection = c.SecuredRequest.Value, perConnection+c.Handshake.Value
	}
	perRequest += l.connections * perConnection / l.requests
	l.warm, l.cold = c.WarmRequest.Value+perRequest, cold+perRequest
	if l.effective <= l.background {
		return load{}, &fault{"background_cores.value", number(c.Background.Value), fmt.Sprintf("less than the %.3g cores that %d are worth", l.effective, d.CoresPerReplica)}
	}
	return l, nil
}

// moments are what a fleet of r replicas meets.
type moments struct {
	sightings, firsts, tokens, hits, cold, share, service, utilisation float64
}

// at is the load on r replicas. It falls as r grows: what a replica sees of a token is at most its share of it.
func (l *load) at(r float64) moments {
	var m moments
	m.sightings = sightings(r, l.draws)
	m.firsts = math.Min(l.requests, l.tokens*m.sightings)
	m.tokens = l.tokens * m.sightings / r * l.remembered
	m.hits = 1
	if l.room > 0 && l.room < m.tokens {
		m.hits = zipf(m.tokens, l.zipf).hitRatio(l.room)
	}
	m.cold = m.firsts + (l.requests-m.firsts)*(1-m.hits)
	m.share = m.cold / l.requests
	m.service = l.warm + m.share*(l.cold-l.warm)
	m.utilisation = (l.requests*m.service/1e6/r + l.background) / l.effective
	return m
}

// queue is one of the replicas as a queue: what the background leaves of its cores, shared among as many servers.
func (l *load) queue(m moments) Queue {
	return Queue{
		Servers:        l.cores,
		ServiceSeconds: l.onServer(m.service) / 1e6,
		Variability:    variability(m.share, l.warm, l.cold, m.service),
	}
}

// variability is the squared coefficient of variation of a time that is cold with the probability share, else warm.
func variability(share, warm, cold, mean float64) float64 {
	apart := (cold - warm) / mean
	return share * (1 - share) * apart * apart
}

// onServer is how long a request of so many µs of a single core takes on one core of a replica.
func (l *load) onServer(microseconds float64) float64 {
	return microseconds * float64(l.cores) / (l.effective - l.background)
}

// state sums moments up.
func (l *load) state(r int) State {
	m := l.at(float64(r))
	s := State{
		Replicas: r, ColdShare: m.share, HitRatio: m.hits, TokensPerReplica: m.tokens,
		ServiceMicroseconds: m.service, UtilisationShare: m.utilisation,
	}
	if wait := l.queue(m).WaitQuantile(l.requests/float64(r), 0.99) * 1e6; !math.IsInf(wait, 0) {
		s.WaitP99Microseconds = &wait
	}
	return s
}

// perZone is the least number of replicas in each zone, spare ones left out, with which no limit is exceeded.
func (l *load) perZone(d *Deployment) (int, error) {
	fits := func(n int) bool {
		if l.at(float64(n*d.Zones)).utilisation > d.TargetUtilisation {
			return false
		}
		left := float64(n * max(d.Zones-1, 1)) // with a zone lost
		if l.clients > left*d.ConnectionsPerReplica || l.megabits > left*d.MegabitsPerReplica {
			return false
		}
		return d.Zones == 1 || l.at(left).utilisation <= d.LostZoneUtilisation
	}
	most := d.MaxReplicas/d.Zones - d.SparePerZone
	if most < 1 || !fits(most) {
		return 0, fmt.Errorf("%w: %d in %d zones, %d in each of them spare", ErrTooMany, d.MaxReplicas, d.Zones, d.SparePerZone)
	}
	least, enough := 0, most
	for enough-least > 1 {
		if middle := (least + enough) / 2; fits(middle) {
			enough = middle
		} else {
			least = middle
		}
	}
	return enough, nil
}
