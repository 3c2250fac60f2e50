package policy

// Reason says why a request was refused. It is a closed enumeration: names are
// stable, appear in metrics, logs and answers, and are never reused.
type Reason uint8

// The reasons. A decision gives the first that applies.
const (
	// ReasonNone is the reason of an allowed request.
	ReasonNone Reason = iota
	// ReasonCredentialMissing: the route requires a credential and the
	// request had none.
	ReasonCredentialMissing
	// ReasonCitizenAccountCreationRemoved: the operation was taken away from
	// one-stop officers (official letter 3701/VPCP-KSTT, item 2).
	ReasonCitizenAccountCreationRemoved
	// ReasonRouteDenied: a deny rule refuses the route.
	ReasonRouteDenied
	// ReasonIssuerNotAccepted: the site does not accept the token's issuer.
	ReasonIssuerNotAccepted
	// ReasonVNeIDAccountRequired: the account's kind has moved to other
	// issuers than the token's.
	ReasonVNeIDAccountRequired
	// ReasonAccountKindUnknown: a rule depends on the account's kind, which
	// the token does not tell.
	ReasonAccountKindUnknown
	// ReasonAccountKindNotAllowed: the rule does not list the account's kind.
	ReasonAccountKindNotAllowed
	// ReasonAccountLevelInsufficient: the account's level is too low.
	ReasonAccountLevelInsufficient
	// ReasonAuthenticationInsufficient: acr or auth_time do not satisfy the
	// rule; logging in again can help (RFC 9470).
	ReasonAuthenticationInsufficient

	reasonCount
)

var reasonNames = [reasonCount]string{
	ReasonNone:                          "none",
	ReasonCredentialMissing:             "credential_missing",
	ReasonCitizenAccountCreationRemoved: "citizen_account_creation_removed",
	ReasonRouteDenied:                   "route_denied",
	ReasonIssuerNotAccepted:             "issuer_not_accepted",
	ReasonVNeIDAccountRequired:          "vneid_account_required",
	ReasonAccountKindUnknown:            "account_kind_unknown",
	ReasonAccountKindNotAllowed:         "account_kind_not_allowed",
	ReasonAccountLevelInsufficient:      "account_level_insufficient",
	ReasonAuthenticationInsufficient:    "authentication_insufficient",
}

// String returns the stable name in snake case.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "invalid"
}

// Reasons returns every reason for which Decide refuses.
func Reasons() []Reason {
	out := make([]Reason, 0, reasonCount-1)
	for r := ReasonNone + 1; r < reasonCount; r++ {
		out = append(out, r)
	}
	return out
}

// DenyReason returns the reason that a deny rule may name in the
// configuration, and whether there is one of that name.
func DenyReason(name string) (Reason, bool) {
	for _, r := range [...]Reason{ReasonCitizenAccountCreationRemoved, ReasonRouteDenied} {
		if r.String() == name {
			return r, true
		}
	}
	return ReasonNone, false
}
