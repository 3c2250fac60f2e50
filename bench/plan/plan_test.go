package plan

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestTiersAreThoseOfTheNationalPopulation(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name              string
		logins, perSecond float64
	}{
		{BusyHour, 333, 10_000}, {"payout surge", 1861, 55_800}, {"extreme", 7444, 223_000},
	} {
		if r.Tiers[i].Name != want.name {
			t.Errorf("tier %d is %q", i, r.Tiers[i].Name)
		}
		near(t, want.name+": logins/s", r.Tiers[i].LoginsPerSecond, want.logins, 0.002)
		near(t, want.name+": verifications/s", r.Tiers[i].VerificationsPerSecond, want.perSecond, 0.002)
	}
}

// randomInput draws an input that is allowed.
func randomInput(draw *rand.Rand) Input {
	in := DefaultInput()
	p, d := &in.Population, &in.Deployment
	between := func(low, high float64) float64 { return low * math.Pow(high/low, draw.Float64()) }
	p.LoginsPerDay = between(1000, 5e7)
	p.PeakHourShare = between(0.05, 0.5)
	p.Surges = nil
	p.VerificationsPerLogin = math.Round(between(1, 200))
	p.SessionSeconds, p.TokenLifetimeSeconds = between(60, 7200), between(60, 7200)
	p.ConnectionsPerUser = math.Round(between(1, 6))
	p.Algorithms = map[string]float64{"RS256": 0.5, "ES256": 0.5}
	d.Zones, d.SparePerZone = 1+draw.IntN(5), draw.IntN(3)
	d.CoresPerReplica = 1 << draw.IntN(5)
	d.TargetUtilisation, d.LostZoneUtilisation = between(0.2, 0.7), between(0.3, 0.9)
	d.Headroom = draw.Float64()
	d.Routing = []Routing{Spread, ByConnection, Sticky}[draw.IntN(3)]
	if draw.IntN(3) == 0 {
		d.VerdictBytes = math.Round(between(1<<20, 1<<32))
	}
	d.MaxReplicas = MaxReplicas
	d.ConnectionsPerReplica = between(20_000, 1e6)
	d.MegabitsPerReplica = between(500, 50_000)
	return in
}

// forRandom calls check with many inputs and their plans.
func forRandom(t *testing.T, check func(in Input, cost Cost, tier Tier)) {
	t.Helper()
	draw := rand.New(rand.NewPCG(1, 6))
	planned := 0
	for range 40 {
		in := randomInput(draw)
		cost := DefaultCost()
		cost.WarmRequest.Value *= 0.5 + draw.Float64()
		tier, err := busyHour(in, cost)
		if errors.Is(err, ErrTooMany) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		planned++
		check(in, cost, tier)
	}
	if planned < 34 {
		t.Fatalf("only %d of 40 inputs could be planned for", planned)
	}
}

// busyHour sizes the first tier, without its alternatives.
func busyHour(in Input, cost Cost) (Tier, error) {
	if err := in.Validate(); err != nil {
		return Tier{}, err
	}
	return size(&in, &cost, Surge{BusyHour, in.Population.LoginsPerDay * in.Population.PeakHourShare, 1})
}

func TestLimitsHoldWithAZoneAndTheSparesLost(t *testing.T) {
	t.Parallel()
	forRandom(t, func(in Input, _ Cost, tier Tier) {
		d := in.Deployment
		if u := tier.SparesAway.UtilisationShare; !(u <= d.TargetUtilisation) {
			t.Errorf("%v busy without spares, at most %v allowed: %+v", u, d.TargetUtilisation, in)
		}
		if u := tier.ZoneLost.UtilisationShare; d.Zones > 1 && !(u <= d.LostZoneUtilisation) {
			t.Errorf("%v busy without a zone, at most %v allowed: %+v", u, d.LostZoneUtilisation, in)
		}
		left := float64(tier.ZoneLost.Replicas)
		if tier.Fleet.Connections > left*d.ConnectionsPerReplica+1 || tier.Fleet.NetworkMegabits > left*d.MegabitsPerReplica*(1+1e-12) {
			t.Errorf("a replica has %v connections and %v Mbit/s: %+v", tier.PerReplica.Connections, tier.PerReplica.NetworkMegabits, in)
		}
		if tier.AllInService.UtilisationShare > tier.SparesAway.UtilisationShare*(1+1e-12) {
			t.Errorf("spares make it busier: %+v", in)
		}
		if tier.Replicas != d.Zones*tier.ReplicasPerZone || tier.Cores != tier.Replicas*d.CoresPerReplica {
			t.Errorf("zones do not add up: %+v", tier)
		}
	})
}

func TestOneReplicaLessInAZoneWouldExceedALimit(t *testing.T) {
	t.Parallel()
	forRandom(t, func(in Input, cost Cost, tier Tier) {
		d := in.Deployment
		l, err := loadOf(&in, &cost, tier.LoginsPerSecond)
		if err != nil {
			t.Fatal(err)
		}
		less := tier.ReplicasPerZone - d.SparePerZone - 1
		if less < 1 {
			return
		}
		ok := l.at(float64(less*d.Zones)).utilisation <= d.TargetUtilisation
		if d.Zones > 1 {
			ok = ok && l.at(float64(less*(d.Zones-1))).utilisation <= d.LostZoneUtilisation
		}
		left := float64(less * max(d.Zones-1, 1))
		if ok && l.clients <= left*d.ConnectionsPerReplica && l.megabits <= left*d.MegabitsPerReplica {
			t.Errorf("%d in a zone would do: %+v", less, in)
		}
	})
}

func TestMoreLoadNeverTakesFewerReplicas(t *testing.T) {
	t.Parallel()
	more := map[string]func(in *Input, c *Cost){
		"users":        func(in *Input, _ *Cost) { in.Population.LoginsPerDay *= 1.3 },
		"peak":         func(in *Input, _ *Cost) { in.Population.PeakHourShare = math.Min(1, 1.3*in.Population.PeakHourShare) },
		"headroom":     func(in *Input, _ *Cost) { in.Deployment.Headroom += 0.2 },
		"warm cost":    func(_ *Input, c *Cost) { c.WarmRequest.Value *= 1.2 },
		"cold cost":    func(_ *Input, c *Cost) { f := c.ColdRequest["RS256"]; f.Value *= 1.5; c.ColdRequest["RS256"] = f },
		"background":   func(_ *Input, c *Cost) { c.Background.Value += 0.1 },
		"contention":   func(_ *Input, c *Cost) { c.Scaling.Sigma.Value += 0.05 },
		"lower target": func(in *Input, _ *Cost) { in.Deployment.TargetUtilisation *= 0.8 },
		"less memory":  func(in *Input, _ *Cost) { in.Deployment.VerdictBytes = math.Max(in.Deployment.VerdictBytes/2, 1<<20) },
	}
	forRandom(t, func(in Input, cost Cost, tier Tier) {
		for name, change := range more {
			in, cost := in, cost
			cost.ColdRequest = DefaultCost().ColdRequest
			if name == "less memory" && in.Deployment.VerdictBytes == 0 {
				continue
			}
			change(&in, &cost)
			worse, err := busyHour(in, cost)
			if errors.Is(err, ErrTooMany) {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if worse.Replicas < tier.Replicas {
				t.Errorf("%s: %d replicas in place of %d: %+v", name, worse.Replicas, tier.Replicas, in)
			}
		}
	})
}

func TestMemoryGrowsWithWhatIsHeld(t *testing.T) {
	t.Parallel()
	more := map[string]func(in *Input){
		"revocations": func(in *Input) { in.Population.Revocations *= 10 },
		"tokens": func(in *Input) {
			in.Population.TokenLifetimeSeconds, in.Population.SessionSeconds = 3600, 3600
		},
		"connections": func(in *Input) { in.Population.ConnectionsPerFrontEnd *= 10 },
		"keys":        func(in *Input) { in.Population.Keys += 10_000 },
		"headroom":    func(in *Input) { in.Deployment.MemoryHeadroomBytes *= 64 },
	}
	base, err := busyHour(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range more {
		in := DefaultInput()
		change(&in)
		tier, err := busyHour(in, DefaultCost())
		if err != nil {
			t.Fatal(err)
		}
		if tier.PerReplica.MemoryBytes <= base.PerReplica.MemoryBytes {
			t.Errorf("more %s take no more memory: %v bytes", name, tier.PerReplica.MemoryBytes)
		}
		if tier.PerReplica.GoMemoryLimitBytes > 0.9*tier.PerReplica.MemoryBytes {
			t.Errorf("GOMEMLIMIT %v is more than nine tenths of %v", tier.PerReplica.GoMemoryLimitBytes, tier.PerReplica.MemoryBytes)
		}
	}
}

func TestTooFewReplicasAllowedIsSaid(t *testing.T) {
	t.Parallel()
	in := DefaultInput()
	in.Deployment.MaxReplicas = 5
	if _, err := Make(in, DefaultCost()); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v", err)
	}
}
