package gateway

import (
	"slices"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// compilePolicy makes a site's policy from what is configured for the site and
// from the cutover rules that name it, or no site at all.
func compilePolicy(c *config.Config, s *config.Site) (*policy.Site, error) {
	spec := policy.SiteSpec{
		Name:       s.Name,
		IgnoreCase: s.IgnorePathCase,
		Issuers:    s.Issuers,
	}
	if s.Mode == "observe" {
		spec.Mode = policy.Observe
	}
	var err error
	if spec.Require, err = requirementOf(&s.Require); err != nil {
		return nil, err
	}
	for i := range s.Rules {
		rule, err := ruleOf(&s.Rules[i])
		if err != nil {
			return nil, err
		}
		spec.Rules = append(spec.Rules, rule)
	}
	for _, moved := range c.Cutover {
		if len(moved.Sites) > 0 && !slices.Contains(moved.Sites, s.Name) {
			continue
		}
		kinds, err := kindsOf(moved.Accounts)
		if err != nil {
			return nil, err
		}
		spec.Cutover = append(spec.Cutover, policy.CutoverSpec{
			Kinds: kinds, Only: moved.Only, From: moved.From, NoticeFrom: moved.NoticeFrom,
		})
	}
	return policy.Compile(spec)
}

func ruleOf(r *config.Rule) (policy.RuleSpec, error) {
	spec := policy.RuleSpec{Paths: r.Paths, Methods: r.Methods}
	if r.Access == "public" {
		spec.Access = policy.Public
	}
	if r.Deny != "" {
		spec.Access = policy.Deny
		spec.Deny, _ = policy.DenyReason(r.Deny)
	}
	var err error
	spec.Require, err = requirementOf(&r.Requirement)
	return spec, err
}

func requirementOf(r *config.Requirement) (policy.Requirement, error) {
	kinds, err := kindsOf(r.AccountKinds)
	return policy.Requirement{
		Kinds:      kinds,
		Level:      uint8(r.AccountLevel),
		ACR:        r.ACR,
		MaxAuthAge: r.MaxAuthAge,
	}, err
}

func kindsOf(names []string) ([]token.Kind, error) {
	var kinds []token.Kind
	for _, name := range names {
		kind, err := token.ParseKind(name)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}
