// Package policy decides whether a verified credential may use a route of a
// site. It is pure: no I/O, no clock, no state. A Site is compiled once from a
// SiteSpec, is immutable afterwards and is safe for concurrent use; Match and
// Decide allocate nothing.
//
// A decision is taken for every request, also when the token's verdict came
// from a cache: a verdict is evidence about a token, never a decision about a
// request.
//
// # Which rule holds
//
// A pattern is an exact path ("/a/b") or a prefix ("/a/**": "/a" itself and
// everything below "/a/"; "/**": everything). Of the rules that match path and
// method, the one with the most specific path wins: the exact path, then the
// longest prefix. At one and the same path a rule that lists the method beats
// a rule that lists none. A rule whose methods leave the request's out does
// not match, and the next less specific one is tried. Where nothing matches,
// the site's default requirement holds. The order of the rules never matters:
// two rules that would tie are an error of Compile.
//
// A rule that lists GET also covers HEAD, unless a rule at the same path lists
// HEAD itself: HEAD reads the same resource (RFC 9110 section 9.3.2), so it
// must not escape to a less specific, laxer rule. Methods are case-sensitive
// (RFC 9110 section 9.1).
//
// # Account levels
//
// Decree 69/2024 Article 7 gives levels to persons only: organisations and
// enterprises have none and are never level-checked. Everybody else is, and
// without a level is refused where one is required. That includes officers and
// accounts of unknown kind: no source exempts them, so the check fails closed.
package policy

import (
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Access says how a rule treats credentials.
type Access uint8

const (
	// Require asks for a valid credential that meets the requirement.
	Require Access = iota
	// Public looks at no credential.
	Public
	// Deny refuses every request, whatever its credential.
	Deny
)

// String returns the name used in the configuration: require, public or deny.
func (a Access) String() string {
	switch a {
	case Require:
		return "require"
	case Public:
		return "public"
	case Deny:
		return "deny"
	}
	return "invalid"
}

// Mode says what the handler does with a refusal. Decide does not look at it.
type Mode uint8

const (
	// Enforce refuses what Decide refuses.
	Enforce Mode = iota
	// Observe counts what Decide refuses and lets it pass; deny rules hold.
	Observe
)

// String returns the name used in the configuration: enforce or observe.
func (m Mode) String() string {
	switch m {
	case Enforce:
		return "enforce"
	case Observe:
		return "observe"
	}
	return "invalid"
}

// KindSet is a set of account kinds. The zero value is the empty set.
type KindSet uint32

// KindsOf returns the set of the given kinds.
func KindsOf(kinds ...token.Kind) KindSet {
	var s KindSet
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s KindSet) Has(k token.Kind) bool { return s&(1<<k) != 0 }

// Kinds returns the members in ascending order.
func (s KindSet) Kinds() []token.Kind {
	var out []token.Kind
	for k := range token.Kind(32) {
		if s.Has(k) {
			out = append(out, k)
		}
	}
	return out
}

// Rule is one compiled rule, or a site's default. Read-only once Compile
// returned it; exported so that the effective policy can be listed.
type Rule struct {
	// Paths holds the patterns as configured, sorted. Empty for a default.
	Paths []string
	// Methods holds the methods, sorted. Empty: every method.
	Methods []string
	// Access says how credentials are treated.
	Access Access
	// Deny is the reason of a Deny rule, else ReasonNone.
	Deny Reason
	// Kinds holds the account kinds that may pass. Empty: every kind.
	Kinds KindSet
	// Level is the least account level, 0 (any), 1 or 2.
	Level uint8
	// ACR holds the accepted values of the acr claim. Empty: any.
	ACR []string
	// ACRValues is ACR joined by spaces, as RFC 9470 section 3 wants it.
	ACRValues string
	// MaxAuthAge bounds the time since auth_time. 0: any.
	MaxAuthAge time.Duration
}

// Cutover is one compiled dated rule of a site. Read-only.
type Cutover struct {
	// Kinds holds the account kinds that move.
	Kinds KindSet
	// Only holds the names of the issuers accepted from From on, sorted.
	Only []string
	// From is the first moment at which the rule holds.
	From time.Time
	// NoticeFrom is when callers start to be told. Zero: never.
	NoticeFrom time.Time
}

// accepts reports whether the rule leaves the issuer in use.
func (c *Cutover) accepts(issuer string) bool { return slices.Contains(c.Only, issuer) }

// Site is the compiled policy of one site. Immutable and safe for concurrent
// use; the exported fields are for listing the effective policy.
type Site struct {
	// Name is the site's configured name.
	Name string
	// Mode is the handler's business: Decide does not look at it.
	Mode Mode
	// IgnoreCase matches paths without regard to ASCII case.
	IgnoreCase bool
	// Issuers holds the names of the accepted issuers, sorted.
	Issuers []string
	// Default holds where no rule matches. Its access is Require.
	Default *Rule
	// Rules holds the rules in a fixed order that does not depend on the
	// order of the specification.
	Rules []*Rule
	// Cutover holds the dated rules, oldest first.
	Cutover []Cutover

	root node
}
