package policy

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// SiteSpec is the policy of one site as written. Compile keeps nothing of it.
type SiteSpec struct {
	// Name is the site's configured name. Required.
	Name string
	// Mode is kept on the Site for the handler.
	Mode Mode
	// IgnoreCase matches paths without regard to ASCII case.
	IgnoreCase bool
	// Issuers names the issuers accepted here. Empty: none, and every
	// credential is refused.
	Issuers []string
	// Require holds where no rule matches. Zero: a valid credential.
	Require Requirement
	// Rules refine the site by path and method. Order does not matter.
	Rules []RuleSpec
	// Cutover lists the dated rules that apply to this site.
	Cutover []CutoverSpec
}

// RuleSpec is one rule as written.
type RuleSpec struct {
	// Paths lists patterns, "/exact/path" or "/prefix/**", in the form in
	// which the normalised path is matched. Required.
	Paths []string
	// Methods limits the rule. Empty: every method.
	Methods []string
	// Access is Require (the zero value), Public or Deny. A rule with a Deny
	// reason is a Deny rule without saying so.
	Access Access
	// Deny is ReasonCitizenAccountCreationRemoved or ReasonRouteDenied for a
	// rule that refuses; a Deny rule without it refuses with ReasonRouteDenied.
	Deny Reason
	// Require applies to Require rules only and replaces the site's.
	Require Requirement
}

// Requirement is what a credential must satisfy beyond being valid.
type Requirement struct {
	// Kinds lists the account kinds that may pass. Empty: every kind.
	Kinds []token.Kind
	// Level is the least account level, 1 or 2. 0: any.
	Level uint8
	// ACR lists accepted values of the acr claim. Empty: any.
	ACR []string
	// MaxAuthAge bounds the time since auth_time, in whole seconds. 0: any.
	MaxAuthAge time.Duration
}

// CutoverSpec moves account kinds to given issuers on a date.
type CutoverSpec struct {
	// Kinds lists the account kinds that move. Required.
	Kinds []token.Kind
	// Only names the issuers accepted for them from From on. Required.
	Only []string
	// From is the first moment at which the rule holds. Required.
	From time.Time
	// NoticeFrom is when callers start to be told. Zero: never. Not after From.
	NoticeFrom time.Time
}
