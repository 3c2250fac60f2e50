package scenario

import "strconv"

// floodPercent is the least part of its rate that a flood of revocations must have had, in percent.
const floodPercent = 90

// checks say whether an action was done, and whether it was felt: one that nobody met has shown nothing.
func (r *ActionResult) checks(a *Action) []Check {
	name := "action " + r.Name
	if !r.Done {
		return []Check{{name, "done", r.Error, false}}
	}
	all := []Check{{name, "done", "done", true}}
	least := func(what string, got, want int64) {
		all = append(all, Check{name + ": " + what, "at least " + count(float64(want)), strconv.FormatInt(got, 10), got >= want})
	}
	switch a.Do {
	case DoRotateKey:
		least("requests under the new key", r.NewKeyRequests, 1)
	case DoRevokeTokens:
		least("tokens revoked", r.Revoked, int64(a.Tokens))
		least("requests with them refused", r.RefusedRequests, 1)
	case DoRevokeFlood:
		least("tokens revoked", r.Revoked, max(int64(a.PerSecond*a.For.Seconds()*floodPercent/100), 1))
	}
	return all
}
