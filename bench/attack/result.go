package attack

import (
	"runtime"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run found, and the form of its JSON. Every name has its unit;
// a count has none.
type Result struct {
	// Claimed says that the figures are the target's. Where it is false the
	// generator was the bottleneck, Bottleneck says why, and they are not.
	Claimed    bool     `json:"claimed"`
	Bottleneck []string `json:"bottleneck"`
	// Interrupted says that the run was ended before its load was.
	Interrupted bool `json:"interrupted"`
	// Exhausted says that the source had no more requests.
	Exhausted bool `json:"exhausted,omitzero"`

	// Target is the scheme, host and port of the target.
	Target    string    `json:"target"`
	Load      Load      `json:"load"`
	Generator Generator `json:"generator"`

	StartedAt      time.Time `json:"started_at"`
	ElapsedSeconds float64   `json:"elapsed_seconds"`

	// Due is how many requests the load asked for; Sent of them went out, and
	// Answered of those were answered in whole. Due = Answered + those that
	// failed without an answer + Unfinished.
	Due        int64 `json:"due"`
	Sent       int64 `json:"sent"`
	Answered   int64 `json:"answered"`
	Unfinished int64 `json:"unfinished"`
	// Failed is how many had no answer, or one that was not as expected, and
	// Failures how many of them for which reason.
	Failed   int64            `json:"failed"`
	Failures map[string]int64 `json:"failures"`
	// WrongVerdicts is how many of them had an answer that their class must not get,
	// and Classes has each class; both only where the source is [Classified].
	WrongVerdicts int64         `json:"wrong_verdicts,omitzero"`
	Classes       []ClassResult `json:"classes,omitzero"`
	// Statuses is how many answers had which status.
	Statuses map[string]int64 `json:"statuses"`
	// WaitedForConnection is how many requests were due when every connection was
	// in use or being opened: that is time in Latency.
	WaitedForConnection int64 `json:"waited_for_connection"`

	// AskedPerSecond and AnsweredPerSecond are means over the time in which
	// requests were due and over the elapsed time.
	AskedPerSecond    float64 `json:"asked_per_second"`
	AnsweredPerSecond float64 `json:"answered_per_second"`

	SentBytes     int64 `json:"sent_bytes"`
	ReceivedBytes int64 `json:"received_bytes"`
	BodyBytes     int64 `json:"body_bytes"`

	ConnectionsOpened int64 `json:"connections_opened"`
	// ConnectionsFailed is how often opening one failed, and ConnectionsLost how
	// many the target closed.
	ConnectionsFailed int64 `json:"connections_failed"`
	ConnectionsLost   int64 `json:"connections_lost"`

	// Latency counts from when a request was due to the last byte of its answer, or
	// to when it was given up at the timeout. In a closed loop a request is due
	// when it is sent.
	Latency Times `json:"latency"`
	// Service counts from when a request was sent to the last byte of its answer:
	// a stalled target hides in it.
	Service Times `json:"service_time"`
	// Connect counts from asking for a connection to having it, TLS included.
	Connect Times `json:"connect"`
	// Lateness is the generator's own: how long after it was due it sent a request,
	// or found that it had no connection for it.
	Lateness Times `json:"lateness"`

	Series []Interval `json:"series"`
}

// Load is the load that was asked for.
type Load struct {
	// Loop is "open" or "closed".
	Loop                    string  `json:"loop"`
	DurationSeconds         float64 `json:"duration_seconds"`
	PeakPerSecond           float64 `json:"peak_per_second,omitzero"`
	Connections             int     `json:"connections"`
	NewConnectionsPerSecond float64 `json:"new_connections_per_second"`
	TLS                     bool    `json:"tls"`
	TimeoutSeconds          float64 `json:"timeout_seconds"`
}

// Generator is what the load was made with, and what it cost.
type Generator struct {
	// Engine is "epoll" or "goroutines".
	Engine string `json:"engine"`
	// Threads is how many threads sent; 0 left it to the Go runtime.
	Threads int `json:"threads"`
	// Spin says that the threads looked for work instead of sleeping.
	Spin bool `json:"spin"`
	// CPUSeconds is what the threads of the epoll engine, or the whole process,
	// used of processors while the load went on, without what was spun away;
	// nil where the system does not say.
	CPUSeconds                *float64 `json:"cpu_seconds"`
	CPUMicrosecondsPerRequest *float64 `json:"cpu_microseconds_per_request"`
	MaxLatenessMicroseconds   float64  `json:"max_lateness_microseconds"`
	GoVersion                 string   `json:"go_version"`
	Platform                  string   `json:"platform"`
	Processors                int      `json:"processors"`
}

// Times is a distribution of times. HDR has all of it: an HdrHistogram of
// nanoseconds in version 2 of its compressed encoding, in base64, which merges
// with others without loss.
type Times struct {
	Count            int64   `json:"count"`
	MinMicroseconds  float64 `json:"min_microseconds"`
	MeanMicroseconds float64 `json:"mean_microseconds"`
	P50Microseconds  float64 `json:"p50_microseconds"`
	P90Microseconds  float64 `json:"p90_microseconds"`
	P99Microseconds  float64 `json:"p99_microseconds"`
	P999Microseconds float64 `json:"p99_9_microseconds"`
	MaxMicroseconds  float64 `json:"max_microseconds"`
	HDR              string  `json:"hdr_nanoseconds_v2_base64"`
}

// Histogram decodes all of the distribution, in nanoseconds. It returns nil where
// HDR is no histogram.
func (t *Times) Histogram() *hdrhistogram.Histogram {
	h, err := hdrhistogram.Decode([]byte(t.HDR))
	if err != nil {
		return nil
	}
	return h
}

// Interval is a stretch of a run.
type Interval struct {
	// StartSeconds and EndSeconds are since the start of the load.
	StartSeconds float64 `json:"start_seconds"`
	EndSeconds   float64 `json:"end_seconds"`
	// Due, Sent, Answered and Failed are how many requests were so in it.
	Due      int64 `json:"due"`
	Sent     int64 `json:"sent"`
	Answered int64 `json:"answered"`
	Failed   int64 `json:"failed"`
	// Of the latencies of requests that were answered or given up in it.
	P50Microseconds float64 `json:"p50_microseconds"`
	P99Microseconds float64 `json:"p99_microseconds"`
	MaxMicroseconds float64 `json:"max_microseconds"`
	// GeneratorBusyShare is how much of the time the busiest thread of the
	// generator was not waiting, 0 to 1; with goroutines, how much of GOMAXPROCS
	// the process used. Nil where the system does not say.
	GeneratorBusyShare      *float64 `json:"generator_busy_share"`
	LatenessP99Microseconds float64  `json:"lateness_p99_microseconds"`
	ConnectionsOpened       int64    `json:"connections_opened"`
}

// times sums a histogram up.
func times(h *hdrhistogram.Histogram) Times {
	t := Times{Count: h.TotalCount()}
	if encoded, err := h.EncodeV2(); err == nil {
		t.HDR = string(encoded)
	}
	if t.Count == 0 {
		return t
	}
	p := h.ValueAtPercentilesSlice([]float64{50, 90, 99, 99.9})
	t.MinMicroseconds, t.MaxMicroseconds = float64(h.Min())/1e3, float64(h.Max())/1e3
	t.MeanMicroseconds = h.Mean() / 1e3
	t.P50Microseconds, t.P90Microseconds = float64(p[0])/1e3, float64(p[1])/1e3
	t.P99Microseconds, t.P999Microseconds = float64(p[2])/1e3, float64(p[3])/1e3
	return t
}

// interval sums up what happened between two times since the start.
func interval(t *tally, from, to time.Duration, busy *float64) Interval {
	i := Interval{
		StartSeconds: from.Seconds(), EndSeconds: to.Seconds(),
		Due: t.due, Sent: t.sent, Answered: t.answered, Failed: t.failures(),
		GeneratorBusyShare: busy, ConnectionsOpened: t.opened,
	}
	if t.latency.TotalCount() > 0 {
		p := t.latency.ValueAtPercentilesSlice([]float64{50, 99})
		i.P50Microseconds, i.P99Microseconds = float64(p[0])/1e3, float64(p[1])/1e3
		i.MaxMicroseconds = float64(t.latency.Max()) / 1e3
	}
	if t.lateness.TotalCount() > 0 {
		i.LatenessP99Microseconds = float64(t.lateness.ValueAtPercentile(99)) / 1e3
	}
	return i
}

// result sums a run up, all but what the clock and the system say.
func result(cfg *Config, t *tally) *Result {
	r := &Result{
		Load: Load{
			Loop: "closed", DurationSeconds: cfg.duration().Seconds(), Connections: cfg.Connections,
			NewConnectionsPerSecond: cfg.NewConnectionsPerSecond, TLS: cfg.TLS != nil, TimeoutSeconds: cfg.Timeout.Seconds(),
		},
		Target: "http://" + cfg.Address,
		Generator: Generator{
			Threads: cfg.Threads, MaxLatenessMicroseconds: float64(cfg.MaxLateness) / 1e3,
			GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(),
		},
		Due: t.due, Sent: t.sent, Answered: t.answered, WaitedForConnection: t.waited,
		WrongVerdicts: t.failed[FailureVerdict], Classes: classResults(cfg.Source, t),
		Failed: t.failures(), Failures: map[string]int64{}, Statuses: map[string]int64{},
		SentBytes: t.sentBytes, ReceivedBytes: t.receivedBytes, BodyBytes: t.bodyBytes,
		ConnectionsOpened: t.opened, ConnectionsFailed: t.connectFailed, ConnectionsLost: t.lost,
		Latency: times(t.latency), Service: times(t.service), Connect: times(t.connect), Lateness: times(t.lateness),
	}
	if cfg.TLS != nil {
		r.Target = "https://" + cfg.Address
	}
	if cfg.Schedule != nil {
		r.Load.Loop, r.Load.PeakPerSecond = "open", cfg.Schedule.Profile().PeakPerSecond()
	}
	r.Unfinished = t.due - t.answered
	for f, n := range t.failed {
		if n > 0 {
			r.Failures[Failure(f).String()] = n
		}
		if Failure(f) < FailureStatus {
			r.Unfinished -= n
		}
	}
	for status, n := range t.statuses {
		if n > 0 {
			r.Statuses[strconv.Itoa(status)] = n
		}
	}
	return r
}
