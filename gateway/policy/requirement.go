package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func (q *Requirement) isZero() bool {
	return len(q.Kinds) == 0 && q.Level == 0 && len(q.ACR) == 0 && q.MaxAuthAge == 0
}

// require compiles a requirement into the rule.
func (r *Rule) require(q Requirement) error {
	kinds, err := compileKinds(q.Kinds)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRequirement, err)
	}
	if q.Level > 2 {
		return fmt.Errorf("%w: account level %d, allowed 0, 1, 2", ErrRequirement, q.Level)
	}
	if q.MaxAuthAge < 0 || q.MaxAuthAge%time.Second != 0 {
		return fmt.Errorf("%w: maximum age %v, allowed whole seconds from 0s", ErrRequirement, q.MaxAuthAge)
	}
	for _, v := range q.ACR {
		if !validACR(v) {
			return fmt.Errorf("%w: acr value %q", ErrRequirement, v)
		}
	}
	r.Kinds = kinds
	r.Level = q.Level
	r.ACR = sortedSet(q.ACR)
	// RFC 9470 section 3: acr_values is space-separated, in order of preference.
	r.ACRValues = strings.Join(q.ACR, " ")
	r.MaxAuthAge = q.MaxAuthAge
	return nil
}

// validACR: the value stands in a quoted string, in a list split by spaces.
func validACR(v string) bool {
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return v != "" && len(v) <= 255
}

func compileKinds(kinds []token.Kind) (KindSet, error) {
	for _, k := range kinds {
		switch k {
		case token.KindCitizen, token.KindOrganisation, token.KindEnterprise, token.KindForeigner, token.KindOfficer:
		default:
			return 0, fmt.Errorf("account kind %d cannot be listed", k)
		}
	}
	return KindsOf(kinds...), nil
}
