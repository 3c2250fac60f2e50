package policy

import (
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Outcome is what becomes of a request. The zero value is Refuse, so that a
// decision nobody took lets nothing pass.
type Outcome uint8

const (
	// Refuse lets the request not pass.
	Refuse Outcome = iota
	// Allow lets the request pass.
	Allow
)

// String returns refuse or allow.
func (o Outcome) String() string {
	if o == Allow {
		return "allow"
	}
	return "refuse"
}

// Decision is the outcome for one request, with what an answer must tell. It
// is a small value: copying it is cheap and it owns nothing that changes.
type Decision struct {
	// Outcome is Allow or Refuse.
	Outcome Outcome
	// Reason says why a request was refused; ReasonNone where it was allowed.
	Reason Reason
	// Kind is the account kind that was judged.
	Kind token.Kind
	// RequiredLevel is the least account level, set with
	// ReasonAccountLevelInsufficient.
	RequiredLevel uint8
	// ACRValues lists the accepted acr values, space-separated, and
	// MaxAuthAge the greatest age of a login; both are set as far as the rule
	// has them with ReasonAuthenticationInsufficient.
	ACRValues  string
	MaxAuthAge time.Duration
	// CutoverSince is when the refusing dated rule began to hold, in Unix
	// seconds; set with ReasonVNeIDAccountRequired.
	CutoverSince int64
	// NoticeUntil is the moment, in Unix seconds, from which this request
	// would be refused, and NoticeSince when notice of it began. 0: no
	// notice. Set only where Outcome is Allow.
	NoticeUntil int64
	NoticeSince int64
}

// maxAuthTimeAhead is how far auth_time may lie in the future: the greatest
// leeway that an issuer can be given. Beyond it auth_time proves no login.
const maxAuthTimeAhead = 5 * time.Minute

// Decide judges a verified credential under a rule that s.Match returned. The
// claims may be nil where the request carried no credential: public and deny
// rules do not look at them, any other rule refuses. The issuer is the
// configured name of the issuer whose key verified the token. Decide reads its
// arguments only and allocates nothing.
//
// Checks are made in this order, and the first that fails gives the reason:
// deny rule, credential, issuer accepted at the site, cutover, account kind,
// account level, acr, age of the login.
func Decide(rule *Rule, site *Site, c *token.Claims, issuer string, now time.Time) Decision {
	switch {
	case rule.Access == Deny:
		return Decision{Reason: rule.Deny}
	case rule.Access == Public:
		return Decision{Outcome: Allow}
	case c == nil:
		return Decision{Reason: ReasonCredentialMissing}
	case !slices.Contains(site.Issuers, issuer):
		return Decision{Reason: ReasonIssuerNotAccepted, Kind: c.Kind}
	}
	refusing, coming := site.cutover(c.Kind, issuer, now)
	if refusing != nil {
		if c.Kind == token.KindUnknown {
			return Decision{Reason: ReasonAccountKindUnknown}
		}
		return Decision{Reason: ReasonVNeIDAccountRequired, Kind: c.Kind, CutoverSince: refusing.From.Unix()}
	}
	if rule.Kinds != 0 && !rule.Kinds.Has(c.Kind) {
		if c.Kind == token.KindUnknown {
			return Decision{Reason: ReasonAccountKindUnknown}
		}
		return Decision{Reason: ReasonAccountKindNotAllowed, Kind: c.Kind}
	}
	if c.Level < rule.Level && hasLevels(c.Kind) {
		return Decision{Reason: ReasonAccountLevelInsufficient, Kind: c.Kind, RequiredLevel: rule.Level}
	}
	if !rule.authenticated(c, now) {
		return Decision{
			Reason:     ReasonAuthenticationInsufficient,
			Kind:       c.Kind,
			ACRValues:  rule.ACRValues,
			MaxAuthAge: rule.MaxAuthAge,
		}
	}
	d := Decision{Outcome: Allow, Kind: c.Kind}
	if coming != nil {
		d.NoticeUntil, d.NoticeSince = coming.From.Unix(), coming.NoticeFrom.Unix()
	}
	return d
}

// hasLevels: Decree 69/2024 Article 7 gives organisations no level. Every
// other kind is checked, the unknown one included.
func hasLevels(k token.Kind) bool {
	return k != token.KindOrganisation && k != token.KindEnterprise
}

// authenticated reports whether the login satisfies the rule.
func (r *Rule) authenticated(c *token.Claims, now time.Time) bool {
	// RFC 9470 section 5: one of the listed values; a token without acr has none.
	if len(r.ACR) > 0 && !slices.Contains(r.ACR, c.ACR) {
		return false
	}
	if r.MaxAuthAge == 0 {
		return true
	}
	// OpenID Connect Core section 3.1.2.1: refuse when now > auth_time +
	// max_age, and where there is no auth_time to tell.
	seconds := now.Unix()
	return c.AuthTime > 0 &&
		c.AuthTime <= seconds+int64(maxAuthTimeAhead/time.Second) &&
		seconds-c.AuthTime <= int64(r.MaxAuthAge/time.Second)
}
