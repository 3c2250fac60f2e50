package secevent

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Bounds of one security event token, beside those of every token.
const (
	maxEvents  = 16
	maxEntries = 64
)

// effect is what a security event token says.
type effect struct {
	entries  []revocation.Entry
	events   []Kind
	unmapped []unmapped
	foreign  bool      // an event was about an issuer for which the transmitter may not speak
	moment   time.Time // of the earliest event that revokes something; zero where none does
	status   string    // of a stream that was updated
}

// unmapped is an event that has no entry, and why.
type unmapped struct {
	kind   Kind
	format string
}

// mapping turns security event tokens into entries. It is pure: the time comes in.
type mapping struct {
	issuers      []string
	noSessionIDs bool
	leeway       time.Duration
	lifetime     func(issuer string) time.Duration
}

// read returns what a statement says at now. Errors wrap ErrRequest.
func (m *mapping) read(s *token.Statement, now time.Time) (effect, error) {
	var named map[string]jsontext.Value
	if err := json.Unmarshal(s.Claim("events"), &named); err != nil || len(named) == 0 {
		return effect{}, fmt.Errorf("%w: events", ErrRequest)
	}
	if len(named) > maxEvents {
		return effect{}, fmt.Errorf("%w: more than %d events", ErrRequest, maxEvents)
	}
	var e effect
	for _, uri := range slices.Sorted(maps.Keys(named)) {
		// RFC 8417 section 2.2: the value of an event is an object, empty where there is nothing to say.
		var event map[string]jsontext.Value
		if v := named[uri]; v.Kind() != jsontext.KindBeginObject || json.Unmarshal(v, &event) != nil {
			return effect{}, fmt.Errorf("%w: event is no object", ErrRequest)
		}
		if err := m.readEvent(&e, kindOf(uri), event, s, now); err != nil {
			return effect{}, err
		}
	}
	if len(e.entries) > maxEntries {
		return effect{}, fmt.Errorf("%w: more than %d entries", ErrRequest, maxEntries)
	}
	return e, nil
}

func (m *mapping) readEvent(e *effect, kind Kind, event map[string]jsontext.Value, s *token.Statement, now time.Time) error {
	e.events = append(e.events, kind)
	reach := events[kind].reach
	switch {
	case kind == KindStreamUpdated:
		e.status = streamStatus(event["status"])
		return nil
	case reach == reachNone || reach == reachLiveness:
		return nil
	}
	a := aim{issuers: m.issuers, sessions: reach == reachSession, noSessionIDs: m.noSessionIDs}
	if err := m.seek(&a, event["subject"], s); err != nil {
		return err
	}
	if len(a.found) == 0 {
		if a.foreign {
			e.foreign = true
		} else {
			e.unmapped = append(e.unmapped, unmapped{kind, a.format})
		}
		return nil
	}
	at := m.moment(event["event_timestamp"], s, now)
	if e.moment.IsZero() || at.Before(e.moment) {
		e.moment = at
	}
	for _, t := range a.found {
		entry := revocation.Entry{Kind: t.kind, Issuer: t.issuer, ID: t.id, Until: later(now, at).Add(m.lifetime(t.issuer))}
		dated := t.kind == revocation.KindSubject || t.kind == revocation.KindClient
		if dated && reach != reachAccount {
			entry.Before = at
		}
		e.entries = append(e.entries, entry)
	}
	return nil
}

// seek finds the targets of an event: in its own subject (CAEP and RISC before SSF 1.0), else in sub_id (SSF 1.0 section
// 3, RFC 9493 section 4.1), else in sub and sid (RFC 8417 section 2.2). The first that has any decides.
func (m *mapping) seek(a *aim, subject jsontext.Value, s *token.Statement) error {
	for _, raw := range [...]jsontext.Value{subject, s.Claim("sub_id")} {
		if raw == nil {
			continue
		}
		id, err := readIdentifier(raw)
		if err != nil {
			return err
		}
		if err := a.take(id, rolePrincipal, a.issuers[0]); err != nil {
			return err
		}
		if len(a.found) > 0 {
			return nil
		}
	}
	// Whoever is named, though not for us, is not to be taken for somebody else.
	if a.foreign {
		return nil
	}
	// RFC 9493 section 4.1: sub is of the issuer in iss, where tokens are of it.
	issuer := a.issuers[0]
	if slices.Contains(a.issuers, s.Issuer) {
		issuer = s.Issuer
	}
	sid, err := s.Text("sid")
	switch {
	case err != nil:
		return fmt.Errorf("%w: sid", ErrRequest)
	case sid != "" && a.sessions && !a.noSessionIDs:
		a.add(issuer, sid, a.kindsOf(roleSession, true))
	case s.Subject != "":
		a.add(issuer, s.Subject, a.kindsOf(roleUser, true))
	case a.format == "":
		a.format = "none"
	}
	return nil
}

// moment returns when an event happened: event_timestamp (CAEP 1.0 section 2), else toe (RFC 8417 section 2.2), else when
// the token was issued. A moment in the future is none: some transmitters count milliseconds. What is left lies at most
// the leeway after now, for so does iat.
func (m *mapping) moment(timestamp jsontext.Value, s *token.Statement, now time.Time) time.Time {
	latest := now.Add(m.leeway)
	if at, ok := seconds(timestamp); ok && !at.After(latest) {
		return at
	}
	if at, ok := seconds(s.Claim("toe")); ok && !at.After(latest) {
		return at
	}
	return time.Unix(s.IssuedAt, 0)
}

// seconds reads a number of seconds since the epoch. Nothing that revokes tokens happened at the epoch or before it: such
// a number stands for a clock that was never set, and would cover no token.
func seconds(v jsontext.Value) (time.Time, bool) {
	if v.Kind() != jsontext.KindNumber {
		return time.Time{}, false
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil || n < 1 || n > 1<<53 {
		return time.Time{}, false
	}
	whole := int64(n)
	return time.Unix(whole, int64((n-float64(whole))*1e9)), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// streamStatus returns the status of a stream, SSF 1.0 section 8.1.2; "other" for any text that is none.
func streamStatus(v jsontext.Value) string {
	var status string
	if json.Unmarshal(v, &status) == nil && slices.Contains(StreamStatuses(), status) {
		return status
	}
	return "other"
}
