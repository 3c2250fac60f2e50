package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// sampleTimes is a distribution that the seed makes, of a median in µs.
func sampleTimes(t testing.TB, seed uint64, n int, median float64) attack.Times {
	t.Helper()
	h := hdrhistogram.New(int64(time.Microsecond), int64(time.Hour), 3)
	random := rand.New(rand.NewPCG(seed, 2))
	const values = 64 // each as often as it takes
	for i := range values {
		if err := h.RecordValues(int64(min(median*1e3*math.Exp(random.NormFloat64()), 1e10)), int64((n+i)/values)); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := h.EncodeV2()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := attack.MergeTimes(&attack.Times{Count: int64(n), HDR: string(encoded)})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func sampleMachine() record.Machine {
	return record.Machine{CPU: "Example CPU", Processors: 8, Kernel: "6.1.0", Platform: "linux/amd64", GoVersion: "go1.26.0", Commit: "0123456789abcdef"}
}

// sampleRun is a run of 30 seconds with a stall in the middle.
func sampleRun(t testing.TB, name string, seed uint64) record.Run {
	t.Helper()
	r := &attack.Result{
		Claimed: true, Target: "http://127.0.0.1:8080", StartedAt: time.Date(2026, 11, 22, 6, 0, 1, 0, time.UTC), ElapsedSeconds: 30.01,
		Load:      attack.Load{Loop: "open", DurationSeconds: 30, PeakPerSecond: 2000, Connections: 64, TimeoutSeconds: 10},
		Generator: attack.Generator{Engine: "epoll", Threads: 1, Processors: 8, CPUSeconds: new(0.5), CPUMicrosecondsPerRequest: new(8.3)},
		Due:       60_000, Sent: 59_990, Answered: 59_980, Failed: 32, AskedPerSecond: 2000, AnsweredPerSecond: 1999.3,
		Failures: map[string]int64{"timeout": 20, "unexpected_status": 12}, Statuses: map[string]int64{"200": 59_968, "503": 12},
		WaitedForConnection: 240, WrongVerdicts: 0,
		Classes: []attack.ClassResult{{Class: "valid", Expected: "200", Due: 50_000, AsExpected: 49_968, FailedOtherwise: 32}, {Class: "expired", Expected: "401 token_expired", Due: 10_000, AsExpected: 10_000}},
		Latency: sampleTimes(t, seed, 60_000, 900), Service: sampleTimes(t, seed+1, 60_000, 700), Lateness: sampleTimes(t, seed+2, 60_000, 20), Connect: sampleTimes(t, seed+3, 64, 300),
	}
	use := &target.Use{
		Source: []string{"proc"}, Seconds: 30, Complete: true, CPUSeconds: new(24.0), CPUCores: new(0.8), CPUMicrosecondsPerRequest: new(400.1),
		PeakRSSBytes: new(int64(150 << 20)), MeanRSSBytes: new(int64(140 << 20)),
		Overhead: &target.Overhead{MeanMicroseconds: 80, P50Microseconds: new(60.0), P99Microseconds: new(400.0)},
	}
	random := rand.New(rand.NewPCG(seed, 3))
	for i := range 30 {
		start, noise := float64(i), 1+random.Float64()/5
		interval := attack.Interval{
			StartSeconds: start, EndSeconds: start + 1, Due: 2000, Sent: 2000, Answered: 2000,
			P50Microseconds: 900 * noise, P99Microseconds: 4000 * noise, MaxMicroseconds: 9000 * noise, GeneratorBusyShare: new(0.2 * noise),
		}
		if i == 15 {
			interval.Answered, interval.Failed, interval.MaxMicroseconds, interval.P99Microseconds = 1980, 32, 1.2e6, 9e5
		}
		r.Series = append(r.Series, interval)
		use.Series = append(use.Series, target.Point{EndSeconds: start + 1, CPUCores: new(0.8 * noise), RSSBytes: new(int64((100 + 1.5*start) * (1 << 20)))})
	}
	return record.Run{Name: name, Attack: r, Target: use, Checks: []record.Check{
		{Name: "p99 of latency", Want: "at most 50 ms", Got: "9.1 ms", Passed: true},
		{Name: "failed requests", Want: "none", Got: "32"},
	}}
}

// sampleFile has every part that a record can have; no command writes such a one.
func sampleFile(t testing.TB) *record.File {
	t.Helper()
	f := &record.File{
		Format: record.Format, Command: []string{"vneid-bench", "attack", "--rate", "2000", "-H", "Authorization: …", "http://127.0.0.1:8080/"},
		StartedAt: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC), Machine: sampleMachine(), Scale: 0.1,
		Runs: []record.Run{sampleRun(t, "steady", 1), sampleRun(t, "again", 11)},
	}
	f.Scenarios = []scenario.Result{{
		Name: "busy", Title: "National busy hour", Basis: "Monday, 9 o'clock", Scaled: true, Scale: 0.1, AnswersChecked: "code",
		Whole: scenario.Extent{PeakPerSecond: 20_000, DurationSeconds: 30, Connections: 640, WarmTokens: 10_000, ColdShare: 0.04},
		Ran:   scenario.Extent{PeakPerSecond: 2000, DurationSeconds: 30, Connections: 64, WarmTokens: 1000, ColdShare: 0.04},
		Actions: []scenario.ActionResult{
			{Name: "new key", Do: "rotate", BeganSeconds: 10, EndedSeconds: 10.1, Done: true},
			{Name: "outage", Do: "fault", BeganSeconds: 20, EndedSeconds: 20, Error: "no answer"},
		},
	}}
	f.FindMax = &limit.Result{
		Target: "http://127.0.0.1:8080", Objective: "p99<5ms,failed=0", RatePerSecond: 4100, LowPerSecond: new(4000.0), HighPerSecond: new(4300.0),
		Confidence: 0.95, Ended: limit.EndedFound, TrialSeconds: 5, PauseSeconds: 1, Connections: 64,
		AtLimit: &limit.Cost{Trials: 6, CPUMicrosecondsPerRequest: 410, CPUMicrosecondsPerRequestLow: new(402.0), CPUMicrosecondsPerRequestHigh: new(418.0), CPUCores: 1.66},
	}
	for i := range 12 {
		asked := 1000 + 350*float64(i)
		trial := limit.Trial{
			RatePerSecond: asked, AnsweredPerSecond: min(asked, 4150), Outcome: limit.OutcomeKept, P50Microseconds: 600 + asked/10, P99Microseconds: 900 * math.Exp(asked/2500),
			CPUCores: new(asked * 410e-6), CPUMicrosecondsPerRequest: new(410 + float64(i%3)), PeakRSSBytes: new(int64(120 << 20)),
		}
		if asked > 4200 {
			trial.Outcome = limit.OutcomeBroken
		}
		f.FindMax.Trials = append(f.FindMax.Trials, trial)
	}
	f.Plan = &plan.Result{
		Assumptions: []string{"tokens are used again as a Zipf law of exponent 1.1 has it"},
		Against:     []plan.Comparison{{What: "most requests", Unit: "1/s", Predicted: 4300, Found: 4100, ErrorPercent: new(4.9)}},
	}
	for i, name := range []string{plan.BusyHour, "payout surge", "extreme"} {
		size := math.Pow(4, float64(i))
		f.Plan.Tiers = append(f.Plan.Tiers, plan.Tier{
			Name: name, VerificationsPerSecond: 13_950 * size, PlannedPerSecond: 18_000 * size, Zones: 3, Replicas: int(6 * size), CoresPerReplica: 4, Cores: int(24 * size),
			AllInService: plan.State{UtilisationShare: 0.4}, SparesAway: plan.State{UtilisationShare: 0.55}, ZoneLost: plan.State{UtilisationShare: 0.8},
			MostPerSecond: 22_000 * size, MostNewPerSecond: 9000 * size, Fleet: plan.Fleet{MemoryBytes: 6 * size * (1 << 30), Connections: 40_000 * size},
			Steps: []plan.Step{{Symbol: "λ", Meaning: "verifications that are planned for", Unit: "1/s", Formula: "v·(1+h)", Value: 18_000 * size}},
		})
	}
	f.Peers = samplePeers()
	return f
}

func samplePeers() *peers.Result {
	p := &peers.Result{
		Rounds: 3, Algorithms: []string{"RS256"}, Proxies: []peers.Proxy{
			{Name: "vneid", Title: "VNeID Gateway", Versions: []string{"devel"}},
			{Name: "haproxy", Title: "HAProxy", Versions: []string{"haproxy 2.6"}, Unsupported: map[string]string{"EdDSA": "its JWT converter does not know it"}},
		},
	}
	for i, name := range []string{"vneid", "haproxy"} {
		for n, load := range []string{peers.Warm, peers.Cold} {
			cost := float64(20 + 15*i + 40*n)
			p.Figures = append(p.Figures, peers.Figure{
				Proxy: name, Algorithm: "RS256", Load: load, CPU: peers.Spread{Median: cost, Least: cost - 1, Most: cost + 2, Rounds: []float64{cost - 1, cost, cost + 2}},
				Answered: peers.Spread{Median: 1e6 / cost}, BusyShare: peers.Spread{Median: 0.99},
			})
		}
	}
	return p
}

func sample(t testing.TB) *Report {
	t.Helper()
	return New("What vneid-bench measured", []*record.File{sampleFile(t)}, []string{"sample.json"})
}
