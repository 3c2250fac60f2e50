package secevent

// Kind is what an event is. Its names are values of metric labels.
type Kind uint8

// The kinds of events.
const (
	// KindOther is every event that is not in this list. It is acknowledged and has no effect: RFC 8417 section 2.2.
	KindOther Kind = iota
	// KindSessionRevoked is session-revoked of CAEP 1.0 section 3.1.
	KindSessionRevoked
	// KindTokenClaimsChange is token-claims-change of CAEP 1.0 section 3.2.
	KindTokenClaimsChange
	// KindCredentialChange is credential-change of CAEP 1.0 section 3.3.
	KindCredentialChange
	// KindAccountPurged is account-purged of RISC 1.0 section 2.
	KindAccountPurged
	// KindAccountDisabled is account-disabled of RISC 1.0 section 2.
	KindAccountDisabled
	// KindCredentialCompromise is credential-compromise of RISC 1.0 section 2.
	KindCredentialCompromise
	// KindSessionsRevoked is sessions-revoked of RISC 1.0 section 2, which CAEP has replaced.
	KindSessionsRevoked
	// KindLogout is the event of OpenID Connect Back-Channel Logout 1.0 section 2.4 in a security event token, as in
	// RFC 8417 section 2.1.2.
	KindLogout
	// KindVerification is verification of SSF 1.0 section 8.1.4: a sign of life.
	KindVerification
	// KindStreamUpdated is stream-updated of SSF 1.0 section 8.1.5.
	KindStreamUpdated

	// NumKinds is the number of kinds.
	NumKinds
)

// reach is what of a subject's tokens an event ends.
type reach uint8

const (
	reachNone     reach = iota // nothing
	reachSession               // those of the session that the subject names, of all of its sessions if it names none
	reachSubject               // those issued up to the moment of the event
	reachAccount               // all, those issued later included
	reachLiveness              // nothing, but it tells about the stream itself
)

const (
	caep = "https://schemas.openid.net/secevent/caep/event-type/"
	risc = "https://schemas.openid.net/secevent/risc/event-type/"
	ssf  = "https://schemas.openid.net/secevent/ssf/event-type/"
)

// events gives each kind its name, its URI and its reach.
var events = [NumKinds]struct {
	name, uri string
	reach     reach
}{
	KindOther:                {"other", "", reachNone},
	KindSessionRevoked:       {"session_revoked", caep + "session-revoked", reachSession},
	KindTokenClaimsChange:    {"token_claims_change", caep + "token-claims-change", reachSubject},
	KindCredentialChange:     {"credential_change", caep + "credential-change", reachSubject},
	KindAccountPurged:        {"account_purged", risc + "account-purged", reachAccount},
	KindAccountDisabled:      {"account_disabled", risc + "account-disabled", reachAccount},
	KindCredentialCompromise: {"credential_compromise", risc + "credential-compromise", reachSubject},
	KindSessionsRevoked:      {"sessions_revoked", risc + "sessions-revoked", reachSubject},
	KindLogout:               {"logout", "http://schemas.openid.net/event/backchannel-logout", reachSession},
	KindVerification:         {"verification", ssf + "verification", reachLiveness},
	KindStreamUpdated:        {"stream_updated", ssf + "stream-updated", reachLiveness},
}

// String returns the kind's name.
func (k Kind) String() string { return events[k].name }

// kindOf returns the kind of an event type URI, compared exactly.
func kindOf(uri string) Kind {
	for k := KindOther + 1; k < NumKinds; k++ {
		if events[k].uri == uri {
			return k
		}
	}
	return KindOther
}
