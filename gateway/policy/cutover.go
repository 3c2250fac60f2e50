package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// compileCutover checks the dated rules and sorts them, oldest first. Of the
// rules for one kind the latest that has begun holds, so two of one kind must
// not begin at the same moment.
func compileCutover(specs []CutoverSpec) ([]Cutover, error) {
	var errs []error
	out := make([]Cutover, 0, len(specs))
	for i := range specs {
		spec := &specs[i]
		kinds, err := compileKinds(spec.Kinds)
		switch {
		case err != nil:
		case kinds == 0:
			err = errors.New("no account kinds")
		case len(spec.Only) == 0:
			err = errors.New("no issuers")
		case spec.From.Unix() <= 0:
			err = errors.New("no date")
		case spec.NoticeFrom.After(spec.From):
			err = errors.New("notice after the date")
		case slices.ContainsFunc(out, func(c Cutover) bool { return c.From.Equal(spec.From) && c.Kinds&kinds != 0 }):
			err = errors.New("another rule for the kind begins at the same moment")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%w %d: %w", ErrCutover, i+1, err))
			continue
		}
		out = append(out, Cutover{Kinds: kinds, Only: sortedSet(spec.Only), From: spec.From, NoticeFrom: spec.NoticeFrom})
	}
	slices.SortFunc(out, func(a, b Cutover) int { return a.From.Compare(b.From) })
	return out, errors.Join(errs...)
}

// cutover applies the dated rules to an account: the rule that refuses it now,
// else the next one that will and of which notice is given, else neither.
//
// An account of unknown kind may be of any kind. It is refused as soon as any
// dated rule has begun at the site, also where its issuer would be accepted:
// the kind is a mandatory attribute there, and a token that lacks it is not
// one that the operator has described.
func (s *Site) cutover(kind token.Kind, issuer string, now time.Time) (refusing, coming *Cutover) {
	for i := len(s.Cutover) - 1; i >= 0; i-- {
		c := &s.Cutover[i]
		unknown := kind == token.KindUnknown
		if !unknown && !c.Kinds.Has(kind) {
			continue
		}
		refuses := unknown || !c.accepts(issuer)
		// From is the first moment of the new rule: it holds when now >= From.
		if !now.Before(c.From) {
			if refuses {
				return c, nil
			}
			return nil, coming
		}
		if refuses && !c.NoticeFrom.IsZero() && !now.Before(c.NoticeFrom) {
			coming = c
		}
	}
	return nil, coming
}
