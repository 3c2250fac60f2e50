package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// Bounds of a scenario's actions, and of its rules of each list.
const (
	maxActions = 64
	maxRules   = 64
	maxCodes   = 16 // of a rule
)

// named is what a scenario, an action and a site can be called.
var named = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$`)

// check adds what is wrong with values that can be read.
func (s *Scenario) check(r *report) {
	if !named.MatchString(s.Name) {
		r.at("name", "must be lower-case letters, digits, _ and -, neither first nor last one of these two, at most 63")
	}
	for _, text := range []struct{ field, value string }{{"title", s.Title}, {"basis", s.Basis}} {
		if strings.TrimSpace(text.value) == "" || len(text.value) > 1000 {
			r.at(text.field, "must have 1 to 1,000 bytes")
		}
	}
	s.Load.check(r)
	s.Population.check(r)
	names := s.checkActions(r)
	s.checkRules(r, "expect", s.Expect, names)
	s.checkRules(r, "allow", s.Allow, names)
	for i, assignment := range s.Gateway {
		if field, _, ok := strings.Cut(assignment, "="); !ok || field == "" {
			r.at("gateway["+strconv.Itoa(i)+"]", `must be field=value, such as "verdicts.max_bytes=64MiB"`)
		}
	}
}

// check of a load: what belongs to its shape, and nothing else.
func (l *Load) check(r *report) {
	given := map[string]bool{
		"per_second": l.PerSecond > 0, "to_per_second": l.ToPerSecond > 0, "steps_per_second": len(l.StepsPerSecond) > 0,
		"peak_per_second": l.PeakPerSecond > 0, "peak_at": l.PeakAt > 0, "peak_for": l.PeakFor > 0,
	}
	required, optional := []string{"per_second"}, []string(nil)
	switch l.Shape {
	case "ramp":
		required, optional = []string{"to_per_second"}, []string{"per_second"}
	case "steps":
		required = []string{"steps_per_second"}
	case "spike":
		required, optional = []string{"peak_per_second", "peak_for"}, []string{"per_second", "peak_at"}
	}
	checkGiven(r, "load", "with shape "+l.Shape, given, required, optional)
	if l.Shape == "spike" && l.PeakAt+l.PeakFor > l.Duration {
		r.at("load.peak_for", "the peak ends after the load; allowed: up to %v", l.Duration-l.PeakAt)
	}
	if len(l.StepsPerSecond) > 1000 {
		r.at("load.steps_per_second", "has %d steps; allowed: 1 to 1000", len(l.StepsPerSecond))
	}
	for i, rate := range l.StepsPerSecond {
		if !(rate >= 0 && rate <= 10_000_000) {
			r.at("load.steps_per_second["+strconv.Itoa(i)+"]", "%v is not allowed; allowed: 0 to 10000000", rate)
		}
	}
}

// checkGiven says which fields of a section are missing and which do not belong there.
func checkGiven(r *report, section, where string, given map[string]bool, required, optional []string) {
	for _, name := range required {
		if !given[name] {
			r.at(section+"."+name, "is required %s", where)
		}
	}
	var surplus []string
	for name, there := range given {
		if there && !slices.Contains(required, name) && !slices.Contains(optional, name) {
			surplus = append(surplus, name)
		}
	}
	slices.Sort(surplus)
	for _, name := range surplus {
		may := slices.Concat(required, optional)
		says := "nothing of the kind"
		if len(may) > 0 {
			says = strings.Join(may, ", ")
		}
		r.at(section+"."+name, "does not belong %s; allowed there: %s", where, says)
	}
}

// check of a population: shares that add up, of things that there are.
func (p *Population) check(r *report) {
	if p.Warm == 0 && p.ColdShare < 1 {
		r.at("population.warm", "must be more than 0 where population.cold_share is less than 1")
	}
	checkShares(r, "population.classes", p.Classes, func(name string) string {
		if !slices.Contains(population.Classes(), population.Class(name)) {
			return "is no class; allowed: " + classNames()
		}
		return ""
	})
	checkShares(r, "population.algorithms", p.Algorithms, func(name string) string {
		if all := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}; !slices.Contains(all, name) {
			return "is no algorithm; allowed: " + strings.Join(all, ", ")
		}
		return ""
	})
	checkShares(r, "population.sizes", p.Sizes, func(name string) string {
		if n, err := strconv.Atoi(name); err != nil || n < population.MinSize || n > population.MaxSize {
			return fmt.Sprintf("is no size of a token in bytes; allowed: %d to %d", population.MinSize, population.MaxSize)
		}
		return ""
	})
	seen := map[string]bool{}
	for i, site := range p.Sites {
		at := "population.sites[" + strconv.Itoa(i) + "]"
		if !named.MatchString(site.Name) || seen[site.Name] {
			r.at(at+".name", "must be lower-case letters, digits, _ and -, of one site only")
		}
		seen[site.Name] = true
	}
}

func classNames() string {
	var names []string
	for _, class := range population.Classes() {
		names = append(names, string(class))
	}
	return strings.Join(names, ", ")
}

func checkShares(r *report, field string, shares map[string]float64, fault func(string) string) {
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		sum += shares[name]
		if says := fault(name); says != "" {
			r.at(field+"."+name, "%s", says)
		}
	}
	if sum > 1+1e-9 {
		r.at(field, "the shares add up to %.4g; allowed: 1 at most", sum)
	}
}

// demands are the fields of each action: those that it must have, and those that it may.
var demands = map[string]struct{ required, optional []string }{ //nolint:gochecknoglobals // a constant, if Go had them
	DoCutover:       {[]string{"tolerance"}, nil},
	DoIssuerFault:   {[]string{"kind", "for"}, []string{"delay"}},
	DoRotateKey:     {[]string{"algorithm", "tokens", "share"}, nil},
	DoRevokeTokens:  {[]string{"tokens"}, nil},
	DoRevokeFlood:   {[]string{"per_second", "for"}, nil},
	DoSlowUpstream:  {[]string{"delay", "for"}, []string{"site"}},
	DoRollingUpdate: {nil, nil},
}

// checkActions returns the names of the actions.
func (s *Scenario) checkActions(r *report) (names []string) {
	if len(s.Actions) > maxActions {
		r.at("actions", "has %d; allowed: at most %d", len(s.Actions), maxActions)
	}
	cutovers := 0
	for i := range s.Actions {
		a := &s.Actions[i]
		at := "actions[" + strconv.Itoa(i) + "]"
		a.Name = cmp.Or(a.Name, a.Do)
		if !named.MatchString(a.Name) || slices.Contains(names, a.Name) {
			r.at(at+".name", "must be lower-case letters, digits, _ and -, of one action only")
		}
		names = append(names, a.Name)
		demand := demands[a.Do]
		checkGiven(r, at, "with do: "+a.Do, map[string]bool{
			"for": a.For > 0, "kind": a.Kind != "", "delay": a.Delay > 0, "site": a.Site != "", "tolerance": a.Tolerance > 0,
			"per_second": a.PerSecond > 0, "tokens": a.Tokens > 0, "algorithm": a.Algorithm != "", "share": a.Share > 0,
		}, demand.required, demand.optional)
		if a.At+a.For > s.Load.Duration {
			r.at(at+".at", "ends after the load, which lasts %v", s.Load.Duration)
		}
		if i > 0 && a.At < s.Actions[i-1].At {
			r.at(at+".at", "comes before the action above it; write them in the order of their times")
		}
		if a.Do == DoCutover {
			cutovers++
		}
		if _, there := s.Population.Algorithms[a.Algorithm]; a.Do == DoRotateKey && s.Population.Algorithms != nil && !there {
			r.at(at+".algorithm", "is none of population.algorithms, and the gateway takes no other")
		}
	}
	s.checkIssuerActions(r)
	if cutovers > 1 {
		r.at("actions", "has %d cutovers; allowed: one", cutovers)
	}
	return names
}

// checkIssuerActions refuses what would be done to the issuers at one time: the end of one fault ends another, and nobody
// can fetch a key that is published while there is one.
func (s *Scenario) checkIssuerActions(r *report) {
	lasting, rotations := -1, 0
	for i := range s.Actions {
		a := &s.Actions[i]
		if a.Do != DoIssuerFault && a.Do != DoRotateKey {
			continue
		}
		at := "actions[" + strconv.Itoa(i) + "]"
		if lasting >= 0 && a.At < s.Actions[lasting].At+s.Actions[lasting].For {
			r.at(at+".at", "begins while %s lasts; an issuer does one thing at a time", s.Actions[lasting].Name)
		}
		if a.Do == DoIssuerFault {
			if lasting < 0 || a.At+a.For > s.Actions[lasting].At+s.Actions[lasting].For {
				lasting = i
			}
			continue
		}
		if rotations++; rotations > 1 {
			r.at(at+".do", "is a second %s; allowed: one", DoRotateKey)
		}
	}
}

// checkRules checks that rules name classes, moments and statuses that there are.
func (s *Scenario) checkRules(r *report, list string, rules []Rule, actions []string) {
	if len(rules) > maxRules {
		r.at(list, "has %d; allowed: at most %d", len(rules), maxRules)
	}
	for i, rule := range rules {
		at := list + "[" + strconv.Itoa(i) + "]"
		for j, class := range rule.Classes {
			if !slices.Contains(population.Classes(), population.Class(class)) {
				r.at(at+".classes["+strconv.Itoa(j)+"]", "%q is no class; allowed: %s", class, classNames())
			}
		}
		for _, m := range []struct{ field, text string }{{"from", rule.From}, {"until", rule.Until}} {
			parsed, ok := parseMoment(m.text)
			switch {
			case !ok:
				r.at(at+"."+m.field, "%q is no moment; write 30s, NAME, NAME.end or NAME.end+5s, with the name of an action", m.text)
			case parsed.action != "" && !slices.Contains(actions, parsed.action):
				r.at(at+"."+m.field, "no action is called %q; there are: %s", parsed.action, strings.Join(actions, ", "))
			case parsed.action == "" && parsed.plus > s.Load.Duration:
				r.at(at+"."+m.field, "is after the load, which lasts %v", s.Load.Duration)
			}
		}
		if len(rule.Status) == 0 || len(rule.Status) > population.MaxStatuses {
			r.at(at+".status", "must list 1 to %d statuses", population.MaxStatuses)
		}
		for j, status := range rule.Status {
			if status < 200 || status > 599 {
				r.at(at+".status["+strconv.Itoa(j)+"]", "%d is not allowed; allowed: 200 to 599", status)
			}
		}
		for j, code := range rule.Code {
			if code == "" || len(code) > population.MaxCodeBytes {
				r.at(at+".code["+strconv.Itoa(j)+"]", "must have 1 to %d bytes", population.MaxCodeBytes)
			}
		}
		if len(rule.Code) > maxCodes {
			r.at(at+".code", "lists %d; allowed: at most %d", len(rule.Code), maxCodes)
		}
	}
}
