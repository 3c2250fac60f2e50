package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Compile checks a specification and returns the site's policy. The result
// shares no memory with the specification. Every fault found is reported,
// joined, each wrapping one of the package's errors.
func Compile(spec SiteSpec) (*Site, error) {
	var errs []error
	if spec.Name == "" || spec.Mode > Observe {
		errs = append(errs, fmt.Errorf("%w: name %q, mode %d", ErrSite, spec.Name, spec.Mode))
	}
	s := &Site{
		Name:       spec.Name,
		Mode:       spec.Mode,
		IgnoreCase: spec.IgnoreCase,
		Issuers:    sortedSet(spec.Issuers),
		Default:    &Rule{},
	}
	if err := s.Default.require(spec.Require); err != nil {
		errs = append(errs, fmt.Errorf("default requirement: %w", err))
	}
	for i := range spec.Rules {
		rule, err := compileRule(&spec.Rules[i])
		if err == nil {
			err = s.insert(rule)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", i+1, err))
			continue
		}
		s.Rules = append(s.Rules, rule)
	}
	slices.SortFunc(s.Rules, func(a, b *Rule) int {
		return cmp.Or(slices.Compare(a.Paths, b.Paths), slices.Compare(a.Methods, b.Methods))
	})
	s.root.sort()
	var err error
	if s.Cutover, err = compileCutover(spec.Cutover); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

func compileRule(spec *RuleSpec) (*Rule, error) {
	r := &Rule{Paths: sortedSet(spec.Paths), Methods: sortedSet(spec.Methods), Access: spec.Access, Deny: spec.Deny}
	if len(spec.Paths) == 0 {
		return nil, fmt.Errorf("%w: no paths", ErrRule)
	}
	for _, m := range r.Methods {
		if !validMethod(m) {
			return nil, fmt.Errorf("%w: %q", ErrMethod, m)
		}
	}
	switch {
	case r.Access > Deny:
		return nil, fmt.Errorf("%w: access %d", ErrRule, r.Access)
	case r.Deny == ReasonNone && r.Access == Deny:
		r.Deny = ReasonRouteDenied
	case r.Deny == ReasonNone:
	case r.Access == Public:
		return nil, fmt.Errorf("%w: public and denied", ErrRule)
	case r.Deny != ReasonRouteDenied && r.Deny != ReasonCitizenAccountCreationRemoved:
		return nil, fmt.Errorf("%w: %q is no reason to deny", ErrRule, r.Deny)
	default:
		r.Access = Deny
	}
	if r.Access != Require && !spec.Require.isZero() {
		return nil, fmt.Errorf("%w: access %q with a requirement", ErrRule, r.Access)
	}
	return r, r.require(spec.Require)
}

// insert adds the rule to the tree, or reports the pattern at fault.
func (s *Site) insert(r *Rule) error {
	for _, pattern := range r.Paths {
		segments, prefix, err := splitPattern(pattern)
		if err != nil {
			return err
		}
		n := &s.root
		for _, segment := range segments {
			if s.IgnoreCase {
				for i := range segment {
					segment[i] = foldByte(segment[i])
				}
			}
			n = n.grow(segment)
		}
		rules := &n.exact
		if prefix {
			rules = &n.prefix
		}
		if err := rules.add(r); err != nil {
			return fmt.Errorf("%w: %q", err, pattern)
		}
	}
	return nil
}

// splitPattern returns the segments of a pattern in memory of their own.
func splitPattern(pattern string) (segments [][]byte, prefix bool, err error) {
	path, prefix := strings.CutSuffix(pattern, "/**")
	if prefix && path == "" {
		return nil, true, nil
	}
	rest, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return nil, false, fmt.Errorf("%w: %q", ErrPattern, pattern)
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`*?#\`, c) >= 0 {
			return nil, false, fmt.Errorf("%w: %q", ErrPattern, pattern)
		}
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		// RFC 3986 section 5.2.4: a normalised path has no dot segments, and
		// only its last segment may be empty.
		last := i == len(parts)-1 && !prefix
		if part == "." || part == ".." || part == "" && !last {
			return nil, false, fmt.Errorf("%w: %q", ErrPattern, pattern)
		}
		segments = append(segments, []byte(part))
	}
	return segments, prefix, nil
}

func (n *node) grow(segment []byte) *node {
	for _, c := range n.children {
		if bytes.Equal(c.segment, segment) {
			return c
		}
	}
	c := &node{segment: segment}
	n.children = append(n.children, c)
	return c
}

func (n *node) sort() {
	slices.SortFunc(n.children, func(a, b *node) int { return bytes.Compare(a.segment, b.segment) })
	for _, c := range n.children {
		c.sort()
	}
}

func (m *methodRules) add(r *Rule) error {
	if len(r.Methods) == 0 {
		if m.other != nil {
			return ErrConflict
		}
		m.other = r
	}
	for _, name := range r.Methods {
		if m.lookup([]byte(name)) != nil {
			return fmt.Errorf("%w: %s", ErrConflict, name)
		}
		m.listed = append(m.listed, methodRule{[]byte(name), r})
	}
	return nil
}

// validMethod: RFC 9110 section 5.6.2 token characters, without small letters,
// which would make a rule that no client's method matches.
func validMethod(m string) bool {
	const other = "!#$%&'*+-.^_`|~"
	for i := range len(m) {
		c := m[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(other, c) < 0 {
			return false
		}
	}
	return m != "" && len(m) <= 32
}

func sortedSet(in []string) []string {
	out := slices.Clone(in)
	slices.Sort(out)
	return slices.Compact(out)
}
