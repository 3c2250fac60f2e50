package metrics

import "time"

// EventSample tells of the security events of one issuer, as they come in one way.
type EventSample struct {
	Issuer string
	// Delivery is push or poll.
	Delivery string
	// Tokens counts security event tokens by what became of them, Refused those that
	// were not acknowledged, by reason, and Events those in accepted tokens, by kind.
	Tokens, Refused, Events map[string]uint64
	// Unmapped counts events about nobody that a token names.
	Unmapped uint64
	// Lag is how long after its event the last one took effect.
	Lag time.Duration
	// Verified is when a token last was the issuer's, Accepted when one was last
	// acknowledged; zero for never.
	Verified, Accepted time.Time
	// Status is what the issuer last said of the stream: one of Statuses, or "".
	Status   string
	Statuses []string
	// Polls tells how the issuer is asked; nil where it is not.
	Polls *PollSample
}

// PollSample tells how an issuer is asked for events.
type PollSample struct {
	Polls    uint64
	Failures map[string]uint64
	// Success is when it last answered; zero for never.
	Success time.Time
	// More says that it has more to tell than it sent.
	More bool
}

// LogoutSample tells of the back-channel logouts of one issuer.
type LogoutSample struct {
	Issuer string
	// Requests counts them by outcome.
	Requests map[string]uint64
	// Lag is how long the last one took to be in force, Accepted when that was; zero
	// for never.
	Lag      time.Duration
	Accepted time.Time
}

// ReceiverSample tells of the listener on which identity backends call.
type ReceiverSample struct {
	// Requests counts requests by outcome; InFlight are being answered, of which
	// there may be Limit.
	Requests        map[string]uint64
	InFlight, Limit int
	// HandshakeFailures counts failed TLS handshakes, Complaints what else was wrong
	// with a connection.
	HandshakeFailures, Complaints uint64
	// NotAfter is when its certificate expires; zero without TLS.
	NotAfter time.Time
}

// AdminSample tells of the admin listener's certificate.
type AdminSample struct {
	// NotAfter is when it expires; zero without TLS.
	NotAfter time.Time
	// ReloadFailures counts changed files that were of no use.
	ReloadFailures uint64
}

// sourceMetrics lists what is exported of those who tell of revocations, and of the
// listeners to which they come.
var sourceMetrics = []description{
	{"security_event_tokens_total", "Security event tokens of an issuer, by delivery (push, poll) and outcome (accepted, duplicate, refused).", []string{"issuer", "delivery", "outcome"}},
	{"security_event_tokens_refused_total", "Security event tokens that were not acknowledged, by reason.", []string{"issuer", "delivery", "reason"}},
	{"security_events_total", "Events in accepted tokens, by kind of event.", []string{"issuer", "delivery", "event"}},
	{"security_events_unmapped_total", "Events about subjects that no token names: nothing was revoked.", []string{"issuer", "delivery"}},
	{"security_event_lag_seconds", "How long after its event the last accepted token that revoked something was taken.", []string{"issuer", "delivery"}},
	{"security_event_verified_timestamp_seconds", "When a security event token last was the issuer's; absent for never.", []string{"issuer", "delivery"}},
	{"security_event_accepted_timestamp_seconds", "When a security event token was last accepted; absent for never.", []string{"issuer", "delivery"}},
	{"security_event_stream_status", "1 for what the issuer last said of its stream (enabled, paused, disabled, other); all 0 where it said nothing.", []string{"issuer", "delivery", "status"}},
	{"security_event_polls_total", "Times an issuer was asked for security events.", []string{"issuer"}},
	{"security_event_poll_failures_total", "Times that failed, by reason.", []string{"issuer", "reason"}},
	{"security_event_poll_success_timestamp_seconds", "When an issuer last answered; absent for never.", []string{"issuer"}},
	{"security_event_poll_more_available", "1 where an issuer has more to tell than it sent.", []string{"issuer"}},
	{"logouts_total", "Back-channel logouts of an issuer, by outcome.", []string{"issuer", "outcome"}},
	{"logout_lag_seconds", "How long the last accepted logout took from its issue until it was in force.", []string{"issuer"}},
	{"logout_accepted_timestamp_seconds", "When a logout was last accepted; absent for never.", []string{"issuer"}},
	{"receiver_requests_total", "Requests of identity backends to revocation.receiver, by outcome.", []string{"outcome"}},
	{"receiver_requests_in_flight", "Requests of identity backends that are being answered.", nil},
	{"receiver_requests_limit", "How many may be: revocation.receiver.requests.", nil},
	{"receiver_handshake_failures_total", "TLS handshakes that failed at revocation.receiver.", nil},
	{"receiver_complaints_total", "What else was wrong with a connection to revocation.receiver.", nil},
	{"receiver_certificate_expiry_timestamp_seconds", "When the certificate of revocation.receiver that expires first does; absent without TLS.", nil},
	{"admin_certificate_expiry_timestamp_seconds", "When the certificate of the admin listener expires; absent without TLS.", nil},
	{"admin_certificate_reload_failures_total", "Certificate files of the admin listener that were read again and are of no use; absent without TLS.", nil},
}

func (e *EventSample) collect(gauge gauges, count counts) {
	for outcome, n := range e.Tokens {
		count("security_event_tokens_total", n, e.Issuer, e.Delivery, outcome)
	}
	for reason, n := range e.Refused {
		count("security_event_tokens_refused_total", n, e.Issuer, e.Delivery, reason)
	}
	for event, n := range e.Events {
		count("security_events_total", n, e.Issuer, e.Delivery, event)
	}
	count("security_events_unmapped_total", e.Unmapped, e.Issuer, e.Delivery)
	gauge("security_event_lag_seconds", e.Lag.Seconds(), e.Issuer, e.Delivery)
	moment(gauge, "security_event_verified_timestamp_seconds", e.Verified, e.Issuer, e.Delivery)
	moment(gauge, "security_event_accepted_timestamp_seconds", e.Accepted, e.Issuer, e.Delivery)
	for _, status := range e.Statuses {
		gauge("security_event_stream_status", truth(status == e.Status), e.Issuer, e.Delivery, status)
	}
	if e.Polls == nil {
		return
	}
	count("security_event_polls_total", e.Polls.Polls, e.Issuer)
	for reason, n := range e.Polls.Failures {
		count("security_event_poll_failures_total", n, e.Issuer, reason)
	}
	moment(gauge, "security_event_poll_success_timestamp_seconds", e.Polls.Success, e.Issuer)
	gauge("security_event_poll_more_available", truth(e.Polls.More), e.Issuer)
}

func (l *LogoutSample) collect(gauge gauges, count counts) {
	for outcome, n := range l.Requests {
		count("logouts_total", n, l.Issuer, outcome)
	}
	gauge("logout_lag_seconds", l.Lag.Seconds(), l.Issuer)
	moment(gauge, "logout_accepted_timestamp_seconds", l.Accepted, l.Issuer)
}

func (r *ReceiverSample) collect(gauge gauges, count counts) {
	for outcome, n := range r.Requests {
		count("receiver_requests_total", n, outcome)
	}
	gauge("receiver_requests_in_flight", float64(r.InFlight))
	gauge("receiver_requests_limit", float64(r.Limit))
	count("receiver_handshake_failures_total", r.HandshakeFailures)
	count("receiver_complaints_total", r.Complaints)
	moment(gauge, "receiver_certificate_expiry_timestamp_seconds", r.NotAfter)
}

func (a *AdminSample) collect(gauge gauges, count counts) {
	if a.NotAfter.IsZero() {
		return
	}
	moment(gauge, "admin_certificate_expiry_timestamp_seconds", a.NotAfter)
	count("admin_certificate_reload_failures_total", a.ReloadFailures)
}
