package plan

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// world is one replica with one line.
func world(servers int, perSecond, service float64, exponential bool, seed uint64) World {
	const requests = 250_000
	seconds := requests / perSecond
	return World{
		Seed: seed, Seconds: seconds, WarmupSeconds: seconds / 20, PeakPerSecond: perSecond,
		Zones: 1, ReplicasPerZone: 1, Servers: servers, Balance: Random,
		WarmSeconds: service, ColdSeconds: service, Exponential: exponential, UsesPerToken: 1, Draws: 1,
	}
}

func simulate(t *testing.T, w World) (before, after *Found) {
	t.Helper()
	before, after, err := Simulate(w)
	if err != nil {
		t.Fatal(err)
	}
	return before, after
}

// The formulas here are written out, not those of the package.
func TestSimulatedQueuesAreThoseOfTheory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		for _, rho := range []float64{0.5, 0.8} {
			t.Run(fmt.Sprintf("seed %d, utilisation %v", seed, rho), func(t *testing.T) {
				t.Parallel()
				mm1, _ := simulate(t, world(1, rho, 1, true, seed))
				near(t, "M/M/1 mean wait", mm1.MeanWaitSeconds, rho/(1-rho), 0.06)
				near(t, "M/M/1 utilisation", mm1.BusyShare, rho, 0.01)
				near(t, "M/M/1 share that waits", float64(mm1.Waited)/float64(mm1.Requests), rho, 0.01)
				near(t, "M/M/1 p99", mm1.WaitQuantile(0.99), math.Log(rho/0.01)/(1-rho), 0.1)
				md1, _ := simulate(t, world(1, rho, 1, false, seed))
				near(t, "M/D/1 mean wait", md1.MeanWaitSeconds, rho/(2*(1-rho)), 0.06)
				// Erlang C of three servers under load a: a³/3!·3/(3-a) / (1 + a + a²/2 + a³/3!·3/(3-a)).
				a := 3 * rho
				last := a * a * a / 6 * 3 / (3 - a)
				c := last / (1 + a + a*a/2 + last)
				mm3, _ := simulate(t, world(3, a, 1, true, seed))
				near(t, "M/M/3 share that waits", float64(mm3.Waited)/float64(mm3.Requests), c, 0.03)
				near(t, "M/M/3 mean wait", mm3.MeanWaitSeconds, c/(3-a), 0.08)
			})
		}
	}
}

func TestASimulationRepeatsItself(t *testing.T) {
	t.Parallel()
	w := world(2, 1.5, 1, true, 7)
	w.Seconds, w.WarmupSeconds = 2000, 100
	one, _ := simulate(t, w)
	two, _ := simulate(t, w)
	w.Seed = 8
	other, _ := simulate(t, w)
	if one.MeanWaitSeconds != two.MeanWaitSeconds || one.Requests != two.Requests {
		t.Error("one seed gave two results")
	}
	if one.MeanWaitSeconds == other.MeanWaitSeconds {
		t.Error("two seeds gave one result")
	}
}

func TestArrivalsFollowARateThatChanges(t *testing.T) {
	t.Parallel()
	w := world(64, 1000, 1e-3, false, 3)
	w.Seconds, w.WarmupSeconds = 100, 0
	// From nothing to the peak: half of it on average.
	w.RatePerSecond = func(seconds float64) float64 { return 1000 * seconds / 100 }
	found, _ := simulate(t, w)
	// Three standard deviations of a Poisson count of 50,000.
	near(t, "requests", float64(found.Requests), 50_000, 0.0135)
	w.RatePerSecond = func(seconds float64) float64 {
		if seconds < 50 {
			return 0
		}
		return 1000
	}
	w.WarmupSeconds = 50
	late, _ := simulate(t, w)
	near(t, "requests of the second half", float64(late.Requests), 50_000, 0.0135)
}

// What is spread over r replicas is new to each of them; the expectation is that of dealing v requests to r at random.
func TestSimulatedTokensAreNewWhereTheyWereNotSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		draws   float64
		sighted float64 // replicas that see a token of 20 requests, of 10
	}{
		{"spread", 20, 10 * (1 - math.Pow(0.9, 20))},
		{"two connections", 2, 1.9},
		{"sticky", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := World{
				Seed: 5, Seconds: 300, WarmupSeconds: 30, PeakPerSecond: 1000, Zones: 2, ReplicasPerZone: 5, Servers: 4, Balance: Random,
				WarmSeconds: 1e-3, ColdSeconds: 2e-3, UsesPerToken: 20, Draws: c.draws, LiveTokens: 1000,
			}
			found, _ := simulate(t, w)
			near(t, "share of new tokens", float64(found.Cold)/float64(found.Requests), c.sighted/20, 0.02)
		})
	}
}

func TestALostZoneLeavesItsLoadToTheOthers(t *testing.T) {
	t.Parallel()
	for _, balance := range []Balance{Random, LeastLoaded} {
		w := World{
			Seed: 5, Seconds: 200, WarmupSeconds: 20, PeakPerSecond: 1000, Zones: 3, ReplicasPerZone: 2, Servers: 2, Balance: balance,
			LoseZoneAt: 100, WarmSeconds: 5e-3, ColdSeconds: 5e-3, UsesPerToken: 10, Draws: 1, LiveTokens: 500,
		}
		before, after := simulate(t, w)
		// 1000/s of 5 ms are 5 servers' work, of 12 and of 8.
		near(t, "utilisation before", before.BusyShare, 5.0/12, 0.02)
		near(t, "utilisation after", after.BusyShare, 5.0/8, 0.02)
		if after.Cut == 0 || after.Cut > 4 {
			t.Errorf("%d servers of the lost zone were at work, of 4", after.Cut)
		}
	}
}

func TestLookingAtTheLoadWaitsLessThanChance(t *testing.T) {
	t.Parallel()
	w := World{
		Seed: 1, Seconds: 100, WarmupSeconds: 10, PeakPerSecond: 1000, Zones: 2, ReplicasPerZone: 4, Servers: 1, Balance: Random,
		WarmSeconds: 6e-3, ColdSeconds: 6e-3, UsesPerToken: 1, Draws: 1,
	}
	chance, _ := simulate(t, w)
	w.Balance = LeastLoaded
	least, _ := simulate(t, w)
	if !(least.MeanWaitSeconds < chance.MeanWaitSeconds/3) {
		t.Errorf("mean wait %v s with least loaded, %v s by chance", least.MeanWaitSeconds, chance.MeanWaitSeconds)
	}
}

func TestAWorldThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	good := world(1, 1, 0.5, false, 1)
	for name, spoil := range map[string]func(w *World){
		"no zone":                func(w *World) { w.Zones = 0 },
		"no server":              func(w *World) { w.Servers = 0 },
		"no time":                func(w *World) { w.Seconds = 0 },
		"too many requests":      func(w *World) { w.PeakPerSecond = 1e9 },
		"no service":             func(w *World) { w.WarmSeconds = 0 },
		"nothing counted":        func(w *World) { w.WarmupSeconds = w.Seconds },
		"cold below warm":        func(w *World) { w.ColdSeconds = 0.1 },
		"the last zone lost":     func(w *World) { w.LoseZoneAt = 1 },
		"a rate of not-a-number": func(w *World) { w.PeakPerSecond = math.NaN() },
	} {
		w := good
		spoil(&w)
		if _, _, err := Simulate(w); !errors.Is(err, ErrInput) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
