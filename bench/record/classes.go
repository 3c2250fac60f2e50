package record

import (
	"cmp"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// mergeClasses adds up what became of each class of requests, in the order in which the classes
// first came.
func mergeClasses(parts []*attack.Result) (all []attack.ClassResult) {
	for _, p := range parts {
		for _, c := range p.Classes {
			at := slices.IndexFunc(all, func(o attack.ClassResult) bool { return o.Class == c.Class && o.Expected == c.Expected })
			if at < 0 {
				c.Unexpected = slices.Clone(c.Unexpected)
				all = append(all, c)
				continue
			}
			sum := &all[at]
			sum.Due += c.Due
			sum.AsExpected += c.AsExpected
			sum.WrongVerdicts += c.WrongVerdicts
			sum.RefusedByOverload += c.RefusedByOverload
			sum.FailedOtherwise += c.FailedOtherwise
			sum.Answered += c.Answered
			sum.Unexpected = mergeUnexpected(sum.Unexpected, c.Unexpected)
		}
	}
	return all
}

// mergeUnexpected adds answers up, most frequent first.
func mergeUnexpected(all, part []attack.Unexpected) []attack.Unexpected {
	for _, u := range part {
		at := slices.IndexFunc(all, func(o attack.Unexpected) bool { return o.Status == u.Status && o.Reason == u.Reason })
		if at < 0 {
			all = append(all, u)
			continue
		}
		all[at].Count += u.Count
	}
	slices.SortStableFunc(all, func(a, b attack.Unexpected) int { return cmp.Compare(b.Count, a.Count) })
	return all
}
