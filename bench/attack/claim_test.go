package attack

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestGeneratorThatWasLateClaimsNoResult(t *testing.T) {
	t.Parallel()
	bothEngines(t, func(t *testing.T, with func(*run) ([]engine, string)) {
		target := serve(t, func(http.ResponseWriter, *http.Request) {})
		c := load(t, target.URL, 100, 500*time.Millisecond)
		c.MaxLateness = 1 // ns: whoever looks at a clock is later
		r := attackOn(t, c, with)
		if r.Claimed || len(r.Bottleneck) == 0 || !strings.Contains(r.Bottleneck[0], "late itself") {
			t.Errorf("claimed %v, %q", r.Claimed, r.Bottleneck)
		}
	})
}

func TestGeneratorWhoseProcessorWasFullClaimsNoResult(t *testing.T) {
	t.Parallel()
	busy := func(shares ...float64) *Result {
		r := &Result{}
		for _, s := range shares {
			r.Series = append(r.Series, Interval{GeneratorBusyShare: &s})
		}
		return r
	}
	few := make([]float64, 100)
	few[0], few[50] = 1, 0.96
	for name, c := range map[string]struct {
		result *Result
		full   bool
	}{
		"never":          {busy(0.1, 0.94, 0.5), false},
		"once of three":  {busy(0.1, 0.95, 0.5), true},
		"twice of 100":   {busy(few...), false},
		"always":         {busy(1, 1), true},
		"not known":      {&Result{Series: []Interval{{}, {}}}, false},
		"known and full": {&Result{Series: append(busy(1).Series, Interval{})}, true},
	} {
		reasons := bottleneck(c.result, time.Second)
		if full := len(reasons) > 0 && strings.Contains(reasons[0], "processor was full"); full != c.full {
			t.Errorf("%s: %q", name, reasons)
		}
	}
}

// sample is a result with something in every part.
func sample() *Result {
	cpu, each, busy := 1.25, 6.25, 0.31
	return &Result{
		Claimed: true, Target: "http://127.0.0.1:8080",
		Load: Load{Loop: "open", DurationSeconds: 100, PeakPerSecond: 2000, Connections: 64, NewConnectionsPerSecond: 2.5, TimeoutSeconds: 10},
		Generator: Generator{
			Engine: kindEpoll, Threads: 1, Processors: 2, CPUSeconds: &cpu, CPUMicrosecondsPerRequest: &each, MaxLatenessMicroseconds: 5000,
		},
		ElapsedSeconds: 100.25, Due: 200_000, Sent: 199_990, Answered: 199_900, Failed: 150,
		Failures: map[string]int64{"timeout": 90, "no_connection": 10, "unexpected_status": 50},
		Statuses: map[string]int64{"200": 199_850, "503": 50}, WaitedForConnection: 1234,
		AskedPerSecond: 2000, AnsweredPerSecond: 1994.01, SentBytes: 20_000_000, ReceivedBytes: 40_000_000, BodyBytes: 4_000_000,
		ConnectionsOpened: 314, ConnectionsLost: 3,
		Latency:  Times{Count: 200_000, MinMicroseconds: 41.2, MeanMicroseconds: 612, P50Microseconds: 402, P90Microseconds: 1_410, P99Microseconds: 25_300, P999Microseconds: 10_000_000, MaxMicroseconds: 10_000_100},
		Service:  Times{Count: 199_900, MinMicroseconds: 40.1, MeanMicroseconds: 400, P50Microseconds: 380, P90Microseconds: 999.9, P99Microseconds: 2_500, P999Microseconds: 9_100, MaxMicroseconds: 120_000},
		Connect:  Times{Count: 314, MinMicroseconds: 80, MeanMicroseconds: 90, P50Microseconds: 88, P90Microseconds: 99, P99Microseconds: 120, P999Microseconds: 130, MaxMicroseconds: 131},
		Lateness: Times{Count: 200_000, MinMicroseconds: 0.5, MeanMicroseconds: 12, P50Microseconds: 9.25, P90Microseconds: 30, P99Microseconds: 80, P999Microseconds: 300, MaxMicroseconds: 1_900},
		Series:   []Interval{{GeneratorBusyShare: &busy}},
	}
}

func TestSummaryReadsAsAgreed(t *testing.T) {
	t.Parallel()
	refused := sample()
	refused.Claimed, refused.Interrupted, refused.Unfinished = false, true, 7
	refused.Load.TLS = true
	refused.Bottleneck = []string{"it was late itself: 1 in 100 requests by more than 7.50ms (allowed: 5.00ms)"}
	closed := sample()
	closed.Load = Load{Loop: "closed", DurationSeconds: 100, Connections: 16, TimeoutSeconds: 1.5}
	closed.Lateness, closed.Connect = Times{}, Times{}
	closed.Generator = Generator{Engine: kindGoroutines}
	closed.Series = nil
	for name, r := range map[string]*Result{"claimed": sample(), "refused": refused, "closed": closed} {
		var got strings.Builder
		if err := r.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + name + ".golden"
		if *update {
			if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got.String(), want)
		}
	}
}

func TestHistogramComesBackFromJSON(t *testing.T) {
	t.Parallel()
	tally := newTally()
	for i := range 1000 {
		record(tally.latency, time.Duration(i+1)*time.Millisecond)
	}
	c := load(t, "http://127.0.0.1:1", 1, time.Second)
	encoded, err := json.Marshal(result(&c, tally))
	if err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	if h := back.Latency.Histogram(); h == nil || !h.Equals(tally.latency) {
		t.Error("the histogram is not the one that was written")
	}
	if (&Times{HDR: "no histogram"}).Histogram() != nil {
		t.Error("nonsense was read as a histogram")
	}
}

func TestTimesOutOfRangeCountAsTheNearestThatIsNot(t *testing.T) {
	t.Parallel()
	h := newHistogram()
	for _, d := range []time.Duration{-time.Second, 0, 2 * time.Hour} {
		record(h, d)
	}
	if h.TotalCount() != 3 || h.Min() != 0 || h.Max() < int64(time.Hour) {
		t.Errorf("%d times of %d to %d", h.TotalCount(), h.Min(), h.Max())
	}
}
