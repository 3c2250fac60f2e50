package policy

import "errors"

// Errors of Compile. They are wrapped with the rule and the value at fault.
var (
	// ErrSite: the site has no name, or its mode is not one of the constants.
	ErrSite = errors.New("policy: invalid site")
	// ErrPattern: a path pattern is not "/exact/path" or "/prefix/**", or
	// could never match a normalised path.
	ErrPattern = errors.New("policy: invalid path pattern")
	// ErrMethod: a method is not an upper-case token of RFC 9110.
	ErrMethod = errors.New("policy: invalid method")
	// ErrConflict: two rules would tie for the same path and method.
	ErrConflict = errors.New("policy: two rules for the same path and method")
	// ErrRule: a rule contradicts itself.
	ErrRule = errors.New("policy: invalid rule")
	// ErrRequirement: a level, acr value, kind or age is out of range.
	ErrRequirement = errors.New("policy: invalid requirement")
	// ErrCutover: a dated rule lacks kinds, issuers or a date, or two begin
	// at the same moment for the same kind.
	ErrCutover = errors.New("policy: invalid cutover rule")
)
