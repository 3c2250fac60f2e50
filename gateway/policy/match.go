package policy

import (
	"bytes"
	"slices"
)

// node is one path segment of the compiled patterns. The tree replaces a map
// of exact paths with a list of prefixes: one walk along the request's path
// meets every pattern that matches it, least specific first, and costs at most
// the path's length, however many slashes a client sends.
type node struct {
	segment  []byte  // folded where the site ignores case
	children []*node // sorted by segment
	exact    methodRules
	prefix   methodRules
}

// methodRules holds the rules of one pattern: at most one for each method, and
// at most one for all others.
type methodRules struct {
	listed []methodRule // sorted by method
	other  *Rule
}

type methodRule struct {
	method []byte
	rule   *Rule
}

var (
	methodGet  = []byte("GET")
	methodHead = []byte("HEAD")
)

// Match returns the rule that holds for a request, never nil. The path is the
// normalised path, without query, as the upstream will see it. Neither slice
// is kept.
func (s *Site) Match(method, path []byte) *Rule {
	best := s.Default
	n := &s.root
	if r := n.prefix.find(method); r != nil {
		best = r
	}
	if len(path) == 0 || path[0] != '/' {
		return best
	}
	for rest := path[1:]; ; {
		segment := rest
		slash := bytes.IndexByte(rest, '/')
		if slash >= 0 {
			segment = rest[:slash]
		}
		if n = n.child(segment, s.IgnoreCase); n == nil {
			return best
		}
		if r := n.prefix.find(method); r != nil {
			best = r
		}
		if slash < 0 {
			break
		}
		rest = rest[slash+1:]
	}
	if r := n.exact.find(method); r != nil {
		best = r
	}
	return best
}

func (m *methodRules) find(method []byte) *Rule {
	if r := m.lookup(method); r != nil {
		return r
	}
	// RFC 9110 section 9.3.2: HEAD is GET without the content.
	if bytes.Equal(method, methodHead) {
		if r := m.lookup(methodGet); r != nil {
			return r
		}
	}
	return m.other
}

func (m *methodRules) lookup(method []byte) *Rule {
	for i := range m.listed {
		if bytes.Equal(m.listed[i].method, method) {
			return m.listed[i].rule
		}
	}
	return nil
}

func (n *node) child(segment []byte, fold bool) *node {
	compare := compareSegment
	if fold {
		compare = compareSegmentFold
	}
	i, found := slices.BinarySearchFunc(n.children, segment, compare)
	if !found {
		return nil
	}
	return n.children[i]
}

func compareSegment(n *node, segment []byte) int { return bytes.Compare(n.segment, segment) }

// compareSegmentFold orders like compareSegment, with the ASCII capitals of
// the request's segment read as small letters; the node's are folded already.
func compareSegmentFold(n *node, segment []byte) int {
	for i, b := range n.segment {
		if i == len(segment) {
			return 1
		}
		if c := foldByte(segment[i]); b != c {
			return int(b) - int(c)
		}
	}
	if len(segment) > len(n.segment) {
		return -1
	}
	return 0
}

func foldByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}
