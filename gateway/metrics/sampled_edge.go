package metrics

import "time"

// ConnectionSample tells of the clients' connections.
type ConnectionSample struct {
	// Open counts them, of which there may be Limit; Parked of them are silent
	// and hold no buffers.
	Open, Parked, Limit int64
	// Sources counts the addresses that have one open, where that is bounded.
	Sources int
	// Refused counts those closed before they were served, by reason.
	Refused map[string]uint64
}

// ListenerSample tells of one data listener.
type ListenerSample struct {
	// Listener is the configured address, or the name of the socket.
	Listener string
	// AcceptErrors counts connections that could not be taken.
	AcceptErrors uint64
	// HandshakeFailures counts failed TLS handshakes by reason, ReloadFailures
	// certificate files of no use, and NotAfter tells when each certificate
	// expires. All are nil, or 0, without TLS.
	HandshakeFailures map[string]uint64
	ReloadFailures    uint64
	NotAfter          []time.Time
}

// TunnelSample tells of upgraded connections.
type TunnelSample struct {
	// Open counts them, of which there may be Limit.
	Open, Limit     int64
	Opened, Refused uint64
	// Ended counts those that the gateway ended, by reason.
	Ended map[string]uint64
	// ToUpstream and ToClient count the bytes that ended ones carried.
	ToUpstream, ToClient uint64
}

// UpstreamSample tells of one upstream of one site.
type UpstreamSample struct {
	Site, Upstream string
	// Connections counts the open ones, of which there may be Limit.
	Connections, Limit int64
	InFlight           int64
	// States counts the upstream's addresses by state.
	States             map[string]int
	Requests, Failures uint64
	// DialFailures counts connections that could not be opened, by reason.
	DialFailures map[string]uint64
	// Retries counts requests that went out once more, by cause, or did not for
	// want of budget.
	Retries                  map[string]uint64
	Ejections, BreakerOpened uint64
	Checks, FailedChecks     uint64
	Lookups, FailedLookups   uint64
}

// edgeMetrics lists what is exported of connections, listeners, tunnels and
// upstreams.
var edgeMetrics = []description{
	{"connections", "Open connections of the data listeners.", nil},
	{"connections_parked", "Open connections whose client is silent, which hold no buffers.", nil},
	{"connections_limit", "How many connections may be open: limits.connections.", nil},
	{"connection_sources", "Client addresses with an open connection, where limits.connections_per_source bounds them.", nil},
	{"connections_refused_total", "Connections closed before they were served, by reason.", []string{"reason"}},
	{"accept_errors_total", "Connections that a listener could not take, for want of files or memory.", []string{"listener"}},
	{"tls_handshake_failures_total", "Failed TLS handshakes of a listener, by reason.", []string{"listener", "reason"}},
	{"tls_reload_failures_total", "Certificate files of a listener that were read again and are of no use; what was before stays.", []string{"listener"}},
	{"tls_certificate_expiry_timestamp_seconds", "When the certificate of a listener that expires first does.", []string{"listener"}},
	{"tunnels", "Open connections that were upgraded to another protocol.", nil},
	{"tunnels_limit", "How many of them may be open: limits.tunnels.", nil},
	{"tunnels_opened_total", "Connections that were upgraded.", nil},
	{"tunnels_refused_total", "Upgrades refused at the bound, or during a drain.", nil},
	{"tunnels_ended_total", "Upgraded connections that the gateway ended, by reason (idle, expired, closed).", []string{"reason"}},
	{"tunnel_bytes_total", "Bytes that ended tunnels have carried, by direction (to_upstream, to_client).", []string{"direction"}},
	{"upstream_connections", "Open connections to an upstream, idle ones included.", []string{"site", "upstream"}},
	{"upstream_connections_limit", "How many connections to an upstream may be open.", []string{"site", "upstream"}},
	{"upstream_requests_in_flight", "Requests that an upstream has, tunnels included.", []string{"site", "upstream"}},
	{"upstream_addresses", "Addresses of an upstream, by state (up, down, breaker_open, breaker_half_open, ejected, returning).", []string{"site", "upstream", "state"}},
	{"upstream_requests_total", "Requests sent to an upstream, one sent twice counted twice.", []string{"site", "upstream"}},
	{"upstream_failures_total", "What speaks against an upstream: connections not opened, time limits passed, broken responses, 502, 503 and 504.", []string{"site", "upstream"}},
	{"upstream_dial_failures_total", "Connections to an upstream that could not be opened, by reason.", []string{"site", "upstream", "reason"}},
	{"upstream_retries_total", "Requests that went out once more, by cause: passed_over (no connection to this upstream), stale (a kept connection was closed); over_budget counts those that did not.", []string{"site", "upstream", "cause"}},
	{"upstream_ejections_total", "How often addresses of an upstream were ejected.", []string{"site", "upstream"}},
	{"upstream_breaker_opened_total", "How often the breaker of an upstream's address opened.", []string{"site", "upstream"}},
	{"upstream_health_checks_total", "Health checks of an upstream, by result (good, bad).", []string{"site", "upstream", "result"}},
	{"upstream_lookups_total", "Times an upstream's name was looked up, by result (good, bad).", []string{"site", "upstream", "result"}},
}

func (c *ConnectionSample) collect(gauge gauges, count counts) {
	gauge("connections", float64(c.Open))
	gauge("connections_parked", float64(c.Parked))
	gauge("connections_limit", float64(c.Limit))
	gauge("connection_sources", float64(c.Sources))
	for reason, n := range c.Refused {
		count("connections_refused_total", n, reason)
	}
}

func (l *ListenerSample) collect(gauge gauges, count counts) {
	count("accept_errors_total", l.AcceptErrors, l.Listener)
	if len(l.NotAfter) == 0 {
		return
	}
	for reason, n := range l.HandshakeFailures {
		count("tls_handshake_failures_total", n, l.Listener, reason)
	}
	count("tls_reload_failures_total", l.ReloadFailures, l.Listener)
	first := l.NotAfter[0]
	for _, t := range l.NotAfter[1:] {
		if t.Before(first) {
			first = t
		}
	}
	gauge("tls_certificate_expiry_timestamp_seconds", float64(first.Unix()), l.Listener)
}

func (t *TunnelSample) collect(gauge gauges, count counts) {
	gauge("tunnels", float64(t.Open))
	gauge("tunnels_limit", float64(t.Limit))
	count("tunnels_opened_total", t.Opened)
	count("tunnels_refused_total", t.Refused)
	for reason, n := range t.Ended {
		count("tunnels_ended_total", n, reason)
	}
	count("tunnel_bytes_total", t.ToUpstream, "to_upstream")
	count("tunnel_bytes_total", t.ToClient, "to_client")
}

func (u *UpstreamSample) collect(gauge gauges, count counts) {
	gauge("upstream_connections", float64(u.Connections), u.Site, u.Upstream)
	gauge("upstream_connections_limit", float64(u.Limit), u.Site, u.Upstream)
	gauge("upstream_requests_in_flight", float64(u.InFlight), u.Site, u.Upstream)
	for state, n := range u.States {
		gauge("upstream_addresses", float64(n), u.Site, u.Upstream, state)
	}
	count("upstream_requests_total", u.Requests, u.Site, u.Upstream)
	count("upstream_failures_total", u.Failures, u.Site, u.Upstream)
	for reason, n := range u.DialFailures {
		count("upstream_dial_failures_total", n, u.Site, u.Upstream, reason)
	}
	for cause, n := range u.Retries {
		count("upstream_retries_total", n, u.Site, u.Upstream, cause)
	}
	count("upstream_ejections_total", u.Ejections, u.Site, u.Upstream)
	count("upstream_breaker_opened_total", u.BreakerOpened, u.Site, u.Upstream)
	count("upstream_health_checks_total", u.Checks-u.FailedChecks, u.Site, u.Upstream, "good")
	count("upstream_health_checks_total", u.FailedChecks, u.Site, u.Upstream, "bad")
	count("upstream_lookups_total", u.Lookups-u.FailedLookups, u.Site, u.Upstream, "good")
	count("upstream_lookups_total", u.FailedLookups, u.Site, u.Upstream, "bad")
}
