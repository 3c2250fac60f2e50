// Package metrics holds every collector, name and bucket of the gateway. Other
// packages count in Stats of their own, which this package adapts; what the
// hot path observes goes through children that are resolved once.
//
// Labels come from closed sets (site, issuer, outcome, reason, stage, upstream,
// call, result, source, kind): never a key, a subject, a session, a path, an address
// of a client or the text of an error.
package metrics

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/wire"
)

// Namespace begins every name.
const Namespace = "vneid_gateway"

// Outcome says what became of a request. It is a closed set.
type Outcome uint8

// The outcomes.
const (
	// Allowed: the upstream's response went to the client.
	Allowed Outcome = iota
	// Refused: the request was at fault, or its credential.
	Refused
	// Failed: the gateway or the upstream was at fault.
	Failed
	// Observed: let pass under mode observe, though it would be refused.
	Observed

	outcomes
)

var outcomeNames = [outcomes]string{"allowed", "refused", "failed", "observed"}

// String returns the label's value.
func (o Outcome) String() string { return outcomeNames[o] }

// Stage is a part of a request's life. It is a closed set.
type Stage uint8

// The stages, in the order of a request's life.
const (
	// StageRoute: target, host, rule.
	StageRoute Stage = iota
	// StageLookup: credential and verdict cache.
	StageLookup
	// StageVerify: a token that was not in the cache.
	StageVerify
	// StageIntrospect: a token that only its issuer can read.
	StageIntrospect
	// StagePolicy: the decision.
	StagePolicy
	// StageUpstream: from taking a connection to the response head.
	StageUpstream

	stages
)

var stageNames = [stages]string{"route", "lookup", "verify", "introspect", "policy", "upstream"}

// overheadBuckets stand around the objective: p99 of the gateway's own time
// below 5 ms.
var overheadBuckets = []float64{
	10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3,
}

// durationBuckets cover a whole request, upstream included.
var durationBuckets = []float64{1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10, 30, 60}

// stageBuckets reach down to a cache hit.
var stageBuckets = []float64{
	0.25e-6, 0.5e-6, 1e-6, 2.5e-6, 5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 1e-3, 5e-3, 25e-3, 100e-3, 1, 10,
}

// Metrics is the gateway's registry and what the hot path observes.
type Metrics struct {
	registry *prometheus.Registry
	reasons  []string

	requests      *prometheus.CounterVec
	duration      *prometheus.HistogramVec
	overhead      *prometheus.HistogramVec
	notices       *prometheus.CounterVec
	verifications *prometheus.CounterVec
	wireRefusals  *prometheus.CounterVec
	stages        [stages]prometheus.Observer

	// InFlight counts requests between their head and the end of their
	// response.
	InFlight prometheus.Gauge
	// Panics counts panics that were turned into a 500, or into a failed call to
	// an identity backend.
	Panics prometheus.Counter
	// RevokedConnections counts upgraded connections and streams of events that
	// were closed because what they were opened with was revoked.
	RevokedConnections prometheus.Counter
	reloads            *prometheus.CounterVec
	reloadGood         prometheus.Gauge
	reloadAt           prometheus.Gauge
	// LogDropped counts access log lines left out by the bound on refusals.
	LogDropped prometheus.Counter
}

// New returns a registry whose reason label takes the given values, in the
// order of the indices that callers use. sample is called at each scrape.
func New(reasons []string, version string, sample func() Sample) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		reasons:  reasons,
		requests: counters("requests_total",
			"Requests by site, outcome and reason; reason is none for a request that passed.", "site", "outcome", "reason"),
		duration: histograms("request_duration_seconds",
			"Time from a request's head to the end of its response, upstream included.", durationBuckets, true, "site"),
		overhead: histograms("overhead_duration_seconds",
			"Time that the gateway added to a request: until it turned to the upstream, and from the response's head until it was handed on.",
			overheadBuckets, true, "site"),
		notices: counters("notices_total",
			"Requests that passed and were told of a coming cutover.", "site"),
		verifications: counters("verifications_total",
			"Tokens verified, cached verdicts excluded, by issuer and reason; reason is none for a good token, issuer is unknown for one of nobody's.",
			"issuer", "reason"),
		wireRefusals: counters("wire_refusals_total",
			"Requests refused for their framing before they were parsed, by reason.", "reason"),
		InFlight:           gauge("in_flight_requests", "Requests between their head and the end of their response."),
		Panics:             counter("panics_total", "Panics that did not end the process: of a request, answered with 500 internal_error, or of a call to an identity backend, which failed."),
		RevokedConnections: counter("revoked_connections_closed_total", "Upgraded connections and streams of server-sent events that were closed because what they were opened with was revoked, or its key withdrawn."),
		reloads:            counters("config_reloads_total", "Reloads of the configuration, by outcome (applied, refused).", "outcome"),
		reloadGood:         gauge("config_last_reload_successful", "1 where the configuration on disk is the one in force, as far as was looked: 0 after a reload that was refused."),
		reloadAt:           gauge("config_applied_timestamp_seconds", "When the configuration in force was applied."),
		LogDropped:         counter("access_log_dropped_total", "Access log lines of refused requests left out by the bound."),
	}
	// A rate needs a first value to rise from.
	for _, reason := range wire.Reasons() {
		m.wireRefusals.WithLabelValues(reason.String())
	}
	m.reloads.WithLabelValues(reloadApplied)
	m.reloads.WithLabelValues(reloadRefused)
	m.reloadGood.Set(1)
	m.reloadAt.SetToCurrentTime()
	stage := histograms("stage_duration_seconds", "Time of a stage of a request's life.", stageBuckets, false, "stage")
	for i, name := range stageNames {
		m.stages[i] = stage.WithLabelValues(name)
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: Namespace, Name: "build_info", Help: "Always 1; the version is in the label.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.overhead, m.notices, m.verifications, m.wireRefusals, stage, build,
		m.InFlight, m.Panics, m.RevokedConnections, m.LogDropped, m.reloads, m.reloadGood, m.reloadAt, newSampled(sample),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}

// Gatherer gives access to the registry's current values.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Stage observes the time of one stage.
func (m *Metrics) Stage(s Stage, d time.Duration) { m.stages[s].Observe(d.Seconds()) }

// WireRefused counts a request refused for its framing.
func (m *Metrics) WireRefused(reason string) { m.wireRefusals.WithLabelValues(reason).Inc() }

// The values of the outcome label of reloads.
const (
	reloadApplied = "applied"
	reloadRefused = "refused"
)

// Reloaded counts a reload that was made at the given time.
func (m *Metrics) Reloaded(applied bool, at time.Time) {
	if !applied {
		m.reloads.WithLabelValues(reloadRefused).Inc()
		m.reloadGood.Set(0)
		return
	}
	m.reloads.WithLabelValues(reloadApplied).Inc()
	m.reloadGood.Set(1)
	m.reloadAt.Set(float64(at.UnixNano()) / float64(time.Second))
}

// ForgetSite drops the series of a site that is gone.
func (m *Metrics) ForgetSite(name string) {
	site := prometheus.Labels{"site": name}
	m.requests.DeletePartialMatch(site)
	m.duration.DeletePartialMatch(site)
	m.overhead.DeletePartialMatch(site)
	m.notices.DeletePartialMatch(site)
}

// Site holds the children of one site. Safe for concurrent use.
type Site struct {
	m        *Metrics
	name     string
	duration prometheus.Observer
	overhead prometheus.Observer
	notices  prometheus.Counter
	requests [outcomes][]atomic.Pointer[prometheus.Counter]
}

// Site resolves the children of one site. They are shared by all that ask for
// the same name.
func (m *Metrics) Site(name string) *Site {
	s := &Site{
		m:        m,
		name:     name,
		duration: m.duration.WithLabelValues(name),
		overhead: m.overhead.WithLabelValues(name),
		notices:  m.notices.WithLabelValues(name),
	}
	for o := range s.requests {
		s.requests[o] = make([]atomic.Pointer[prometheus.Counter], len(m.reasons))
	}
	return s
}

// Request counts a request and observes its times. reason is an index into the
// list given to New.
func (s *Site) Request(o Outcome, reason int, total, overhead time.Duration) {
	s.counter(o, reason).Inc()
	s.duration.Observe(total.Seconds())
	s.overhead.Observe(overhead.Seconds())
}

// Foresee makes a pair of outcome and reason begin at zero, so that its first
// event is seen as a rise.
func (s *Site) Foresee(o Outcome, reason int) { s.counter(o, reason) }

// Notice counts a request that was told of a coming cutover.
func (s *Site) Notice() { s.notices.Inc() }

// counter resolves a child the first time it is needed: most of the pairs of
// outcome and reason never are.
func (s *Site) counter(o Outcome, reason int) prometheus.Counter {
	slot := &s.requests[o][reason]
	if c := slot.Load(); c != nil {
		return *c
	}
	c := s.m.requests.WithLabelValues(s.name, o.String(), s.m.reasons[reason])
	slot.Store(&c)
	return c
}

// Verifications holds the children of one issuer.
type Verifications struct {
	m       *Metrics
	issuer  string
	reasons []atomic.Pointer[prometheus.Counter]
}

// Verifications resolves the children of one issuer.
func (m *Metrics) Verifications(issuer string) *Verifications {
	return &Verifications{m: m, issuer: issuer, reasons: make([]atomic.Pointer[prometheus.Counter], len(m.reasons))}
}

// Count counts one verification. reason is an index into the list given to New.
func (v *Verifications) Count(reason int) {
	slot := &v.reasons[reason]
	c := slot.Load()
	if c == nil {
		child := v.m.verifications.WithLabelValues(v.issuer, v.m.reasons[reason])
		c = &child
		slot.Store(c)
	}
	(*c).Inc()
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: Namespace, Name: name, Help: help})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: Namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: Namespace, Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, native bool, labels ...string) *prometheus.HistogramVec {
	opts := prometheus.HistogramOpts{Namespace: Namespace, Name: name, Help: help, Buckets: buckets}
	if native {
		opts.NativeHistogramBucketFactor = 1.1
		opts.NativeHistogramMaxBucketNumber = 100
		opts.NativeHistogramMinResetDuration = time.Hour
	}
	return prometheus.NewHistogramVec(opts, labels)
}
