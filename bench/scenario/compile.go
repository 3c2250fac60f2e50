package scenario

import (
	"slices"
	"sync/atomic"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// newSource makes a corpus and a scenario's rules into what is sent. Errors are those of the corpus.
func (s *Scenario) newSource(corpus *population.Corpus, config population.SourceConfig, c *course) (*source, error) {
	inner, err := corpus.Source(config)
	if err != nil {
		return nil, err
	}
	m := &corpus.Manifest
	src := &source{Source: inner, course: c, classes: slices.Clone(inner.Classes()), spared: new(atomic.Int64)}
	if src.picker, err = population.NewPicker(m.Seed, m.Reuse, m.Pools); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(src.classes, func(c attack.Class) bool { return c.Name == string(population.Valid) }); i >= 0 {
		src.valid = uint8(i + 1) // There are at most attack.MaxClasses.
	}
	if s.action(DoRotateKey) >= 0 {
		src.classes = append(src.classes, attack.Class{Name: newKeyClass, Expected: "200"})
	}
	src.rules = make([][]*ruling, len(src.classes)+1)
	src.codes = config.Check == "" || config.Check == population.CheckCode
	compile := func(rules []Rule, instead bool) (all []*ruling) {
		for i := range rules {
			r := c.ruling(s, &rules[i], instead)
			if !src.codes {
				r.codes = nil
			}
			for k, class := range src.classes {
				if len(rules[i].Classes) == 0 || slices.Contains(rules[i].Classes, class.Name) {
					src.rules[k+1] = append(src.rules[k+1], r)
				}
			}
			all = append(all, r)
		}
		return all
	}
	src.expect, src.allow = compile(s.Expect, true), compile(s.Allow, false)
	return src, nil
}

// ruling prepares a rule.
func (c *course) ruling(s *Scenario, rule *Rule, instead bool) *ruling {
	actions := map[string]int{}
	for i := range s.Actions {
		actions[s.Actions[i].Name] = i
	}
	// They were checked when the file was read.
	from, _ := parseMoment(rule.From)
	until, _ := parseMoment(rule.Until)
	return &ruling{
		statuses: rule.Status, codes: rule.Code, instead: instead,
		window: func() window { return window{c.span(from, actions, always), c.span(until, actions, never)} },
	}
}

// action returns the index of the first action of a kind, or -1.
func (s *Scenario) action(do string) int {
	return slices.IndexFunc(s.Actions, func(a Action) bool { return a.Do == do })
}
