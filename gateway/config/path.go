package config

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// path is the way from the root to a field; nil is the root. It is immutable.
type path struct {
	up   *path
	text string // the last step: ".name", "[3]" or `["entry"]`
}

func (p *path) key(name string) *path { return &path{p, "." + name} }
func (p *path) index(i int) *path     { return &path{p, "[" + strconv.Itoa(i) + "]"} }
func (p *path) entry(k string) *path  { return &path{p, "[" + strconv.Quote(k) + "]"} }

// String writes the path as faults name fields: sites[0].rules[1].paths[0].
func (p *path) String() string {
	var steps []string
	for q := p; q != nil; q = q.up {
		steps = append(steps, q.text)
	}
	var b strings.Builder
	for _, step := range slices.Backward(steps) {
		b.WriteString(step)
	}
	return strings.TrimPrefix(b.String(), ".")
}

// outward yields p, what contains it, and so on to the root.
func (p *path) outward() iter.Seq[*path] {
	return func(yield func(*path) bool) {
		for q := p; yield(q) && q != nil; q = q.up {
		}
	}
}

// place is where something was stated.
type place struct {
	source       string // the file, the variable or the flag
	line, column int    // from 1, or 0
}

// places maps fields to where they were stated. A nil *places knows none.
type places struct {
	file   string
	stated map[string]place
}

func (s *places) set(p *path, where place) { s.stated[p.String()] = where }

// find returns where p was stated, or else the innermost thing around it.
func (s *places) find(p *path) place {
	if s == nil {
		return place{}
	}
	for q := range p.outward() {
		if where, ok := s.stated[q.String()]; ok {
			return where
		}
	}
	return place{source: s.file, line: 1, column: 1}
}

// has tells whether p itself was stated, rather than defaulted.
func (s *places) has(p *path) bool {
	if s == nil {
		return false
	}
	_, ok := s.stated[p.String()]
	return ok
}

// line says where p was stated, for messages that refer to another field.
func (s *places) line(p *path) string {
	where := s.find(p)
	if where.line == 0 {
		return p.String()
	}
	return p.String() + " (line " + strconv.Itoa(where.line) + ")"
}
