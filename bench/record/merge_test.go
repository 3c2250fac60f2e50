package record_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

func histogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(time.Microsecond), int64(time.Hour), 3)
}

func times(t testing.TB, h *hdrhistogram.Histogram) attack.Times {
	t.Helper()
	encoded, err := h.EncodeV2()
	if err != nil {
		t.Fatal(err)
	}
	return attack.Times{Count: h.TotalCount(), HDR: string(encoded)}
}

var made atomic.Int64 // results, so that no two are one that is read twice

// result is one machine's part of a load of 2 seconds, begun so long after a moment.
func result(t testing.TB, after time.Duration) *attack.Result {
	t.Helper()
	h := histogram()
	if err := h.RecordValue(int64(after) + 1e6); err != nil {
		t.Fatal(err)
	}
	each := times(t, h)
	busy := 0.25
	return &attack.Result{
		Claimed: true, Target: "http://gateway.example.vn:80",
		Load:      attack.Load{Loop: "open", DurationSeconds: 2, PeakPerSecond: 100, Connections: 8, TimeoutSeconds: 10},
		Generator: attack.Generator{Engine: "epoll", GoVersion: "go1.26", Processors: 2, Threads: 1},
		StartedAt: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC).Add(after + time.Duration(made.Add(1))), ElapsedSeconds: 2.01,
		Due: 200, Sent: 199, Answered: 198, Failed: 3, Failures: map[string]int64{"timeout": 2, "cut": 1}, Statuses: map[string]int64{"200": 198},
		AskedPerSecond: 100, AnsweredPerSecond: 98.5,
		Latency: each, Service: each, Connect: each, Lateness: each,
		Series: []attack.Interval{
			{EndSeconds: 1.0004, Due: 100, Sent: 100, Answered: 99, P50Microseconds: 10, P99Microseconds: 20, MaxMicroseconds: 30, GeneratorBusyShare: &busy},
			{StartSeconds: 1.0004, EndSeconds: 2.01, Due: 100, Sent: 99, Answered: 99, Failed: 3, P50Microseconds: 11, P99Microseconds: 21, MaxMicroseconds: 31},
		},
	}
}

func file(results ...*attack.Result) *record.File {
	f := &record.File{Format: record.Format, Scale: 1, StartedAt: results[0].StartedAt}
	for _, r := range results {
		f.Runs = append(f.Runs, record.Run{Name: "load", Attack: r})
	}
	return f
}

func merge(t testing.TB, results ...*attack.Result) *attack.Result {
	t.Helper()
	files, names := make([]*record.File, len(results)), make([]string, len(results))
	for i, r := range results {
		files[i], names[i] = file(r), "part-"+string(rune('a'+i))
	}
	sum, err := record.Merge(files, names, false)
	if err != nil {
		t.Fatal(err)
	}
	return sum.Runs[0].Attack
}

// TestMergedPercentilesAreThoseOfOneHistogram gives times to one machine or the other by chance:
// what comes of the sum must be to the last bit what one histogram with all of them says.
func TestMergedPercentilesAreThoseOfOneHistogram(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		whole := histogram()
		parts := make([]*hdrhistogram.Histogram, 1+random.IntN(5))
		for i := range parts {
			parts[i] = histogram()
		}
		for range 1 + random.IntN(3000) {
			v := min(int64(random.ExpFloat64()*float64(time.Duration(1)<<(10+random.IntN(30)))), int64(time.Hour))
			if errors.Join(whole.RecordValue(v), parts[random.IntN(len(parts))].RecordValue(v)) != nil {
				t.Fatal("a time out of range")
			}
		}
		all := make([]*attack.Result, len(parts))
		for i, p := range parts {
			all[i] = result(t, 0)
			all[i].Latency = times(t, p)
		}
		got := merge(t, all...).Latency
		want := map[string][2]float64{
			"p50": {got.P50Microseconds, float64(whole.ValueAtPercentile(50)) / 1e3}, "p90": {got.P90Microseconds, float64(whole.ValueAtPercentile(90)) / 1e3},
			"p99": {got.P99Microseconds, float64(whole.ValueAtPercentile(99)) / 1e3}, "p99.9": {got.P999Microseconds, float64(whole.ValueAtPercentile(99.9)) / 1e3},
			"min": {got.MinMicroseconds, float64(whole.Min()) / 1e3}, "max": {got.MaxMicroseconds, float64(whole.Max()) / 1e3}, "mean": {got.MeanMicroseconds, whole.Mean() / 1e3},
			"count": {float64(got.Count), float64(whole.TotalCount())},
		}
		for name, v := range want {
			if v[0] != v[1] {
				t.Errorf("seed %d: %s is %v, one histogram says %v", seed, name, v[0], v[1])
			}
		}
		if h := got.Histogram(); h == nil || !slices.Equal(h.Export().Counts, whole.Export().Counts) {
			t.Errorf("seed %d: the sum has other buckets than one histogram", seed)
		}
	}
}

// TestMergeDecidesEveryField sets every number of a result to one and adds two of them: each is
// then two, or known to be no sum. A field that is new in the result fails here until
// somebody has decided.
func TestMergeDecidesEveryField(t *testing.T) {
	t.Parallel()
	noSum := map[string]bool{
		"ElapsedSeconds":       true, // the machines ran at one time
		"Load.DurationSeconds": true, "Load.TimeoutSeconds": true, "Generator.MaxLatenessMicroseconds": true,
		"Generator.CPUMicrosecondsPerRequest": true, // of the sums
		"Series.P50Microseconds":              true, "Series.P99Microseconds": true, "Series.MaxMicroseconds": true, "Series.LatenessP99Microseconds": true,
		"Series.GeneratorBusyShare": true, "Series.StartSeconds": true, "Series.EndSeconds": true,
	}
	one := func() *attack.Result {
		r := result(t, 0)
		r.Series = make([]attack.Interval, 1)
		numbers(reflect.ValueOf(r).Elem(), "", func(_ string, v reflect.Value) { setOne(v) })
		r.Series[0].StartSeconds = 0
		return r
	}
	numbers(reflect.ValueOf(merge(t, one(), one())).Elem(), "", func(path string, v reflect.Value) {
		got := v.Convert(reflect.TypeFor[float64]()).Float()
		if got != 2 && !noSum[path] {
			t.Errorf("%s is %v, of parts of 1 each: add it up, or say that it is no sum", path, got)
		}
		if got == 2 && noSum[path] {
			t.Errorf("%s is added up", path)
		}
	})
}

func setOne(v reflect.Value) { v.Set(reflect.ValueOf(1).Convert(v.Type())) }

// numbers calls f for every number below v, but those of distributions, which add up as histograms.
func numbers(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[attack.Times]() || v.Type() == reflect.TypeFor[time.Time]():
	case v.CanInt() || v.CanFloat():
		f(path, v)
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		numbers(v.Elem(), path, f)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			numbers(v.Index(i), path, f)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			numbers(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), f)
		}
	}
}

func TestMergedMapsAndSharesAreAddedByName(t *testing.T) {
	t.Parallel()
	a, b := result(t, 0), result(t, 0)
	b.Failures, b.Statuses = map[string]int64{"timeout": 5, "closed": 1}, map[string]int64{"503": 7}
	cpuA, cpuB := 1.0, 3.0
	a.Generator.CPUSeconds, b.Generator.CPUSeconds = &cpuA, &cpuB
	b.Generator.GoVersion = "go1.27"
	b.Claimed, b.Bottleneck = false, []string{"it was late itself"}
	a.Classes = []attack.ClassResult{{Class: "valid", Due: 5, Unexpected: []attack.Unexpected{{Status: 401, Count: 1}}}}
	b.Classes = []attack.ClassResult{{Class: "expired", Due: 1}, {Class: "valid", Due: 2, Unexpected: []attack.Unexpected{{Status: 503, Count: 9}, {Status: 401, Count: 2}}}}
	b.Exhausted = true
	sum := merge(t, a, b)
	classes := []attack.ClassResult{{Class: "valid", Due: 7, Unexpected: []attack.Unexpected{{Status: 503, Count: 9}, {Status: 401, Count: 3}}}, {Class: "expired", Due: 1}}
	if !reflect.DeepEqual(sum.Classes, classes) || !sum.Exhausted {
		t.Errorf("classes %+v, exhausted %v", sum.Classes, sum.Exhausted)
	}
	if want := map[string]int64{"timeout": 7, "cut": 1, "closed": 1}; !reflect.DeepEqual(sum.Failures, want) {
		t.Errorf("failures %v, want %v", sum.Failures, want)
	}
	if want := map[string]int64{"200": 198, "503": 7}; !reflect.DeepEqual(sum.Statuses, want) {
		t.Errorf("statuses %v, want %v", sum.Statuses, want)
	}
	if got, want := *sum.Generator.CPUMicrosecondsPerRequest, 4e6/float64(2*199); got != want {
		t.Errorf("a request cost the generators %v µs, want %v", got, want)
	}
	if sum.Claimed || !slices.Equal(sum.Bottleneck, []string{"part-b: it was late itself"}) {
		t.Errorf("claimed %v, %q: one part cannot be claimed", sum.Claimed, sum.Bottleneck)
	}
	if sum.Generator.GoVersion != "several" || sum.Generator.Engine != "epoll" {
		t.Errorf("Go %q, engine %q", sum.Generator.GoVersion, sum.Generator.Engine)
	}
	if a.Failures["closed"] != 0 || a.Due != 200 {
		t.Error("a part was changed")
	}
}

// TestMergedSeriesAddByTime has machines whose intervals do not end at one instant, the second
// of which begins one interval late: sums are of one time, and nothing is lost.
func TestMergedSeriesAddByTime(t *testing.T) {
	t.Parallel()
	a, b, late := result(t, 0), result(t, 20*time.Millisecond), result(t, 980*time.Millisecond)
	b.Series[0].P99Microseconds = 500
	sum := merge(t, a, b, late)
	due := []int64{}
	for i, s := range sum.Series {
		due = append(due, s.Due)
		if i > 0 && s.StartSeconds < sum.Series[i-1].EndSeconds-1e-9 {
			t.Errorf("interval %d begins at %v, before the last one ends", i, s.StartSeconds)
		}
	}
	if want := []int64{200, 300, 100}; !slices.Equal(due, want) {
		t.Errorf("due %v, want %v", due, want)
	}
	if got := sum.Series[0].P99Microseconds; got != 500 {
		t.Errorf("p99 of an interval is %v, want that of the machine that saw the highest", got)
	}
	if got := sum.ElapsedSeconds; got < 2.98 || got > 3 {
		t.Errorf("elapsed %v s, want from the first to the last", got)
	}
	if !sum.StartedAt.Equal(a.StartedAt) {
		t.Errorf("started %v, want when the first did", sum.StartedAt)
	}
}

func TestRecordsOfOtherLoadsAreRefusedWithWhatDiffers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*record.File){
		"scale: 1 in part-a, 0.5 in part-b":                    func(f *record.File) { f.Scale = 0.5 },
		"name: load in part-a, other in part-b":                func(f *record.File) { f.Runs[0].Name = "other" },
		"target: http://gateway.example.vn:80 in part-a, http": func(f *record.File) { f.Runs[0].Attack.Target = "http://other:80" },
		"loop: open in part-a, closed in part-b":               func(f *record.File) { f.Runs[0].Attack.Load.Loop = "closed" },
		"duration in seconds: 2 in part-a, 3 in part-b":        func(f *record.File) { f.Runs[0].Attack.Load.DurationSeconds = 3 },
		"highest rate a second: 100 in part-a, 50 in part-b":   func(f *record.File) { f.Runs[0].Attack.Load.PeakPerSecond = 50 },
		"connections: 8 in part-a, 9 in part-b":                func(f *record.File) { f.Runs[0].Attack.Load.Connections = 9 },
		"new connections a second: 0 in part-a, 1 in part-b":   func(f *record.File) { f.Runs[0].Attack.Load.NewConnectionsPerSecond = 1 },
		"TLS: false in part-a, true in part-b":                 func(f *record.File) { f.Runs[0].Attack.Load.TLS = true },
		"timeout in seconds: 10 in part-a, 1 in part-b":        func(f *record.File) { f.Runs[0].Attack.Load.TimeoutSeconds = 1 },
		"lateness allowed in µs: 0 in part-a, 7 in part-b":     func(f *record.File) { f.Runs[0].Attack.Generator.MaxLatenessMicroseconds = 7 },
		"time: part-b began 5.0 s after part-a":                func(f *record.File) { f.Runs[0].Attack.StartedAt = f.Runs[0].Attack.StartedAt.Add(5 * time.Second) },
	} {
		a, b := file(result(t, 0)), file(result(t, 0))
		change(b)
		files, names := []*record.File{a, b}, []string{"part-a", "part-b"}
		_, err := record.Merge(files, names, false)
		if !errors.Is(err, record.ErrDifferent) || !strings.Contains(err.Error(), name) {
			t.Errorf("want a refusal that says %q, got %v", name, err)
		}
		if sum, err := record.Merge(files, names, true); err != nil || sum.Runs[0].Attack.Due != 400 {
			t.Errorf("%s: with force: %v", name, err)
		}
	}
}

func TestWhatCannotBeAddedIsRefusedWithForceToo(t *testing.T) {
	t.Parallel()
	twice := file(result(t, 0))
	for name, change := range map[string]func(*record.File){
		"it would count twice":  func(f *record.File) { f.Runs[0] = twice.Runs[0] },
		"has no run":            func(f *record.File) { f.Runs = nil },
		"has 2 runs":            func(f *record.File) { f.Runs = append(f.Runs, f.Runs[0]) },
		"is merged already":     func(f *record.File) { f.MergedFrom = make([]record.Part, 2) },
		"has parts other than":  func(f *record.File) { f.Peers = &peers.Result{} },
		"damaged distribution":  func(f *record.File) { f.Runs[0].Attack.Connect.HDR = "HISTFAAA" },
		"and a count of 2":      func(f *record.File) { f.Runs[0].Attack.Latency.Count++ },
		"other buckets than th": func(f *record.File) { f.Runs[0].Attack.Latency = times(t, hdrhistogram.New(1, 1000, 1)) },
	} {
		a, b := file(result(t, 0)), file(result(t, 0))
		change(b)
		if name == "it would count twice" {
			a = twice
		}
		_, err := record.Merge([]*record.File{a, b}, []string{"part-a", "part-b"}, true)
		if !errors.Is(err, record.ErrMerge) || !strings.Contains(err.Error(), name) {
			t.Errorf("want a refusal that says %q, got %v", name, err)
		}
	}
	if _, err := record.Merge(nil, nil, true); !errors.Is(err, record.ErrMerge) {
		t.Errorf("no files: %v", err)
	}
}

// TestScalesOfPartsAddUp has machines with a part of the load each, and two with all of it.
func TestScalesOfPartsAddUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		each float64
		n    int
		want float64
	}{{0.25, 4, 1}, {0.125, 2, 0.25}, {1, 2, 1}, {0.1, 10, 1}, {1.0 / 3, 3, 1}, {0.1, 3, 0.3}, {1e-12, 3, 3e-12}} {
		files, names := make([]*record.File, c.n), make([]string, c.n)
		for i := range files {
			files[i], names[i] = file(result(t, 0)), string(rune('a'+i))
			files[i].Scale = c.each
		}
		sum, err := record.Merge(files, names, false)
		if err != nil || sum.Scale != c.want || len(sum.MergedFrom) != c.n {
			t.Errorf("%d parts of scale %v are one of %v (%v)", c.n, c.each, sum.Scale, err)
		}
	}
}

func TestMergedCheckIsPassedWhenAllPassed(t *testing.T) {
	t.Parallel()
	a, b := file(result(t, 0)), file(result(t, 0))
	a.Runs[0].Checks = []record.Check{{Name: "p99", Want: "< 5 ms", Got: "1 ms", Passed: true}, {Name: "failed", Want: "0", Got: "0", Passed: true}}
	b.Runs[0].Checks = []record.Check{{Name: "p99", Want: "< 5 ms", Got: "9 ms"}, {Name: "failed", Want: "0", Got: "0", Passed: true}}
	sum, err := record.Merge([]*record.File{a, b}, []string{"a", "b"}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []record.Check{{Name: "p99", Want: "< 5 ms", Got: "b: 9 ms"}, {Name: "failed", Want: "0", Got: "passed by all 2", Passed: true}}
	if got := sum.Runs[0].Checks; !slices.Equal(got, want) {
		t.Errorf("checks %+v, want %+v", got, want)
	}
}
