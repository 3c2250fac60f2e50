package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sample is what other packages count, read at each scrape.
type Sample struct {
	// Ready is the answer of /readyz, Draining whether SIGTERM came.
	Ready, Draining bool
	// RetiredConfigs counts configurations that were replaced and still have
	// requests.
	RetiredConfigs int64
	Connections    ConnectionSample
	Listeners      []ListenerSample
	Tunnels        TunnelSample
	Overload       OverloadSample
	Rates          []RateSample // of sites that bound one
	Issuers        []IssuerSample
	Sites          []SiteSample
	Upstreams      []UpstreamSample
	Verdicts       VerdictSample
	// Revocations, Fleet and Receiver are nil where there is no such thing.
	Revocations *RevocationSample
	Fleet       *FleetSample
	Receiver    *ReceiverSample
	Heard       []HeardSample
	Events      []EventSample
	Logouts     []LogoutSample
	Admin       AdminSample
	// Statuses tells of the issuers that have status lists, whose memory is bounded by
	// StatusBytesLimit together; 0 where none has.
	Statuses         []StatusSample
	StatusBytesLimit int64
}

// SiteSample tells of one site.
type SiteSample struct {
	Site string
	// Observes says that refusals are counted only.
	Observes bool
}

// IssuerSample tells of one issuer's key set and backend.
type IssuerSample struct {
	Issuer string
	// IntrospectedOnly says that the issuer has no key set: nothing is told of
	// one.
	IntrospectedOnly bool
	// Keys counts the usable keys, Skipped the unusable ones of the set.
	Keys, Skipped int
	// Age is the time since the set was fetched; HasKeys says whether it was.
	Age     time.Duration
	HasKeys bool
	// SoftStale and HardStale say that the set is past these limits.
	SoftStale, HardStale bool
	// Unused counts keys under which no token was seen, Retirable those that
	// could go unnoticed, Purged those an operator took out of use.
	Unused, Retirable, Purged int
	// Fetches counts attempts, Failures those that failed by reason, Unsaved
	// the good sets that could not be kept for the next start.
	Fetches  uint64
	Failures map[string]uint64
	Unsaved  uint64
	// Lookups counts searches for unknown keys by outcome.
	Lookups map[string]uint64
	// Introspections counts decisions about introspected tokens by outcome,
	// IntrospectionFailures questions without an answer by reason. Nil for an
	// issuer that is not asked.
	Introspections, IntrospectionFailures map[string]uint64
	// Asked tells of the questions to the introspection endpoint. Nil for an
	// issuer that is not asked.
	Asked *AskSample
	// Breakers has one for each kind of call that is made to the backend.
	Breakers []BreakerSample
}

// Call is a kind of call to an identity backend, with a breaker of its own. It
// is a closed set.
type Call string

// The kinds of calls.
const (
	// CallKeys: discovery and key set.
	CallKeys Call = "keys"
	// CallIntrospection: a question about a token.
	CallIntrospection Call = "introspection"
	// CallEvents: a poll for security events.
	CallEvents Call = "events"
	// CallStatusLists: a fetch of a token status list.
	CallStatusLists Call = "status_lists"
)

// BreakerSample tells of one breaker.
type BreakerSample struct {
	Call Call
	// State is one of States; Opened counts how often the breaker opened,
	// Refused the calls it did not let through.
	State           string
	States          []string
	Opened, Refused uint64
}

// AskSample tells of the questions to one issuer.
type AskSample struct {
	// Calls counts questions, Retries those of them that were repeated.
	Calls, Retries uint64
	// InFlight are under way now, of which there may be Limit, and Waiting wait
	// for that.
	InFlight, Limit, Waiting int64
}

// VerdictSample tells of the verdict cache.
type VerdictSample struct {
	Hits, Misses, Evicted, Expired, Rejected uint64
	// Entries are held, in Bytes of memory, of which there may be BytesLimit.
	Entries, Bytes, BytesLimit int64
}

// sampled turns a Sample into metrics at each scrape.
type sampled struct {
	sample func() Sample
	desc   map[string]*prometheus.Desc
}

// description is name, help and labels of a metric.
type description struct {
	name, help string
	labels     []string
}

// sampledMetrics lists what sampled exports beside the lists of the other files.
var sampledMetrics = []description{
	{"ready", "1 while /readyz answers 200.", nil},
	{"draining", "1 from SIGTERM on.", nil},
	{"config_retired", "Configurations that were replaced and still have requests.", nil},
	{"site_observes", "1 where a site counts refusals only: mode observe.", []string{"site"}},
	{"key_set_age_seconds", "Time since an issuer's key set was last fetched; absent while there is none.", []string{"issuer"}},
	{"key_set_keys", "Usable keys of an issuer.", []string{"issuer"}},
	{"key_set_skipped_keys", "Keys of an issuer's current set that cannot be used.", []string{"issuer"}},
	{"key_set_fetches_total", "Attempts to fetch an issuer's key set.", []string{"issuer"}},
	{"key_set_fetch_failures_total", "Failed attempts to fetch an issuer's key set, by reason.", []string{"issuer", "reason"}},
	{"key_set_stale", "1 where an issuer's key set is older than the limit (soft: reported, hard: refused).", []string{"issuer", "limit"}},
	{"key_set_unused_keys", "Keys of an issuer under which no token was seen since they were loaded.", []string{"issuer"}},
	{"key_set_retirable_keys", "Keys of an issuer under which every token that was seen has expired.", []string{"issuer"}},
	{"key_set_purged_keys", "Keys of an issuer that an operator took out of use.", []string{"issuer"}},
	{"key_set_unsaved_total", "Good key sets that could not be kept for the next start.", []string{"issuer"}},
	{"unknown_key_lookups_total", "Requests whose token named an unknown key, by what became of the search.", []string{"issuer", "outcome"}},
	{"introspections_total", "Decisions about introspected tokens that no cached verdict could take, by outcome.", []string{"issuer", "outcome"}},
	{"introspection_failures_total", "Questions to an issuer's introspection endpoint without a usable answer, by reason.", []string{"issuer", "reason"}},
	{"introspection_calls_total", "Questions put to an issuer's introspection endpoint.", []string{"issuer"}},
	{"introspection_retries_total", "Questions put to an issuer's introspection endpoint once more, since the first did not reach it.", []string{"issuer"}},
	{"introspection_calls_in_flight", "Questions to an issuer's introspection endpoint that are under way.", []string{"issuer"}},
	{"introspection_calls_limit", "How many questions to an issuer may be under way: introspection.concurrency.", []string{"issuer"}},
	{"introspection_calls_waiting", "Questions to an issuer that wait for others to end.", []string{"issuer"}},
	{"backend_breaker", "1 for the state that a breaker of an issuer's identity backend is in, by kind of call (keys, introspection, events, status_lists).", []string{"issuer", "call", "state"}},
	{"backend_breaker_opened_total", "How often a breaker of an issuer's identity backend opened, by kind of call.", []string{"issuer", "call"}},
	{"backend_breaker_refused_total", "Calls to an issuer's identity backend that the breaker did not let through, by kind of call.", []string{"issuer", "call"}},
	{"verdict_cache_lookups_total", "Lookups in the cache of verified tokens, by result (hit, miss).", []string{"result"}},
	{"verdict_cache_entries", "Verdicts held.", nil},
	{"verdict_cache_bytes", "Memory held by verdicts, as accounted.", nil},
	{"verdict_cache_bytes_limit", "How much memory verdicts may hold: verdicts.max_bytes.", nil},
	{"verdict_cache_evictions_total", "Verdicts dropped for room.", nil},
	{"verdict_cache_expirations_total", "Verdicts dropped because their time was up.", nil},
	{"verdict_cache_rejections_total", "Verdicts not kept: asked for less often than what is there, or the cache was busy.", nil},
}

func newSampled(sample func() Sample) *sampled {
	s := &sampled{sample: sample, desc: make(map[string]*prometheus.Desc)}
	for _, d := range slices.Concat(sampledMetrics, edgeMetrics, overloadMetrics, revocationMetrics, fleetMetrics, sourceMetrics, statusMetrics) {
		s.desc[d.name] = prometheus.NewDesc(prometheus.BuildFQName(Namespace, "", d.name), d.help, d.labels, nil)
	}
	return s
}

// Describe implements prometheus.Collector.
func (s *sampled) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.desc {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *sampled) Collect(ch chan<- prometheus.Metric) {
	sample := s.sample()
	gauge := func(name string, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(s.desc[name], prometheus.GaugeValue, v, labels...)
	}
	total := func(name string, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(s.desc[name], prometheus.CounterValue, v, labels...)
	}
	count := func(name string, v uint64, labels ...string) { total(name, float64(v), labels...) }
	gauge("ready", truth(sample.Ready))
	gauge("draining", truth(sample.Draining))
	gauge("config_retired", float64(sample.RetiredConfigs))
	sample.Connections.collect(gauge, count)
	for _, l := range sample.Listeners {
		l.collect(gauge, count)
	}
	sample.Tunnels.collect(gauge, count)
	sample.Overload.collect(gauge, count)
	for _, r := range sample.Rates {
		r.collect(count)
	}
	for _, s := range sample.Sites {
		gauge("site_observes", truth(s.Observes), s.Site)
	}
	for _, i := range sample.Issuers {
		i.collect(gauge, count)
	}
	for _, u := range sample.Upstreams {
		u.collect(gauge, count)
	}
	count("verdict_cache_lookups_total", sample.Verdicts.Hits, "hit")
	count("verdict_cache_lookups_total", sample.Verdicts.Misses, "miss")
	gauge("verdict_cache_entries", float64(sample.Verdicts.Entries))
	gauge("verdict_cache_bytes", float64(sample.Verdicts.Bytes))
	gauge("verdict_cache_bytes_limit", float64(sample.Verdicts.BytesLimit))
	count("verdict_cache_evictions_total", sample.Verdicts.Evicted)
	count("verdict_cache_expirations_total", sample.Verdicts.Expired)
	count("verdict_cache_rejections_total", sample.Verdicts.Rejected)
	sample.collectRevocations(gauge, count, total)
}

// gauges, counts and totals take one value each.
type (
	gauges func(name string, v float64, labels ...string)
	counts func(name string, v uint64, labels ...string)
	totals func(name string, v float64, labels ...string)
)

func (i *IssuerSample) collect(gauge gauges, count counts) {
	if !i.IntrospectedOnly {
		i.collectKeySet(gauge, count)
	}
	for outcome, n := range i.Introspections {
		count("introspections_total", n, i.Issuer, outcome)
	}
	for reason, n := range i.IntrospectionFailures {
		count("introspection_failures_total", n, i.Issuer, reason)
	}
	if a := i.Asked; a != nil {
		count("introspection_calls_total", a.Calls, i.Issuer)
		count("introspection_retries_total", a.Retries, i.Issuer)
		gauge("introspection_calls_in_flight", float64(a.InFlight), i.Issuer)
		gauge("introspection_calls_limit", float64(a.Limit), i.Issuer)
		gauge("introspection_calls_waiting", float64(a.Waiting), i.Issuer)
	}
	for _, b := range i.Breakers {
		for _, state := range b.States {
			gauge("backend_breaker", truth(state == b.State), i.Issuer, string(b.Call), state)
		}
		count("backend_breaker_opened_total", b.Opened, i.Issuer, string(b.Call))
		count("backend_breaker_refused_total", b.Refused, i.Issuer, string(b.Call))
	}
}

func (i *IssuerSample) collectKeySet(gauge gauges, count counts) {
	if i.HasKeys {
		gauge("key_set_age_seconds", i.Age.Seconds(), i.Issuer)
	}
	gauge("key_set_keys", float64(i.Keys), i.Issuer)
	gauge("key_set_skipped_keys", float64(i.Skipped), i.Issuer)
	gauge("key_set_stale", truth(i.SoftStale), i.Issuer, "soft")
	gauge("key_set_stale", truth(i.HardStale), i.Issuer, "hard")
	gauge("key_set_unused_keys", float64(i.Unused), i.Issuer)
	gauge("key_set_retirable_keys", float64(i.Retirable), i.Issuer)
	gauge("key_set_purged_keys", float64(i.Purged), i.Issuer)
	count("key_set_fetches_total", i.Fetches, i.Issuer)
	count("key_set_unsaved_total", i.Unsaved, i.Issuer)
	for reason, n := range i.Failures {
		count("key_set_fetch_failures_total", n, i.Issuer, reason)
	}
	for outcome, n := range i.Lookups {
		count("unknown_key_lookups_total", n, i.Issuer, outcome)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
