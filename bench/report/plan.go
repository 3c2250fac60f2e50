package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// planned is what a population takes.
func planned(f *record.File) []section {
	p := f.Plan
	if p == nil {
		return nil
	}
	s := section{Title: "The fleet that a population takes"}
	var assumed []fact
	for _, a := range p.Assumptions {
		assumed = append(assumed, fact{Name: "assumed", Value: a})
	}
	if len(p.Tiers) > 0 {
		s.Blocks = append(s.Blocks, say(plain, fmt.Sprintf("In %s, for the loads with a headroom of %s. Busy is the share of the cores with one zone lost.",
			plural(p.Tiers[0].Zones, "zone", "zones"), share(p.Input.Deployment.Headroom))))
	}
	s.Blocks = append(s.Blocks, block{Table: tiers(p.Tiers)}, block{Facts: assumed})
	for _, draw := range []func([]plan.Tier) (figure, bool){coresByTier, ratesByTier, utilisation} {
		if drawn, ok := draw(p.Tiers); ok {
			s.Blocks = append(s.Blocks, show(drawn))
		}
	}
	all := []section{s}
	if len(p.Against) > 0 || simulated(p.Tiers) {
		checked := section{Title: "How far the plan's formulas can be trusted"}
		checked.Blocks = append(checked.Blocks, say(plain, "What the formulas say, beside what a simulation of every single request or a measurement found. The error is by how much more the formulas say."))
		if len(p.Against) > 0 {
			checked.Blocks = append(checked.Blocks, block{Table: comparisons("Against measurements", p.Against)})
		}
		for i := range p.Tiers {
			if t := &p.Tiers[i]; t.Simulation != nil {
				checked.Blocks = append(checked.Blocks, block{Table: comparisons(fmt.Sprintf("Against a simulation of %s requests: %s", count(t.Simulation.Requests), t.Name), t.Simulation.Comparisons)})
			}
		}
		all = append(all, checked)
	}
	if worked, ok := computation(p.Tiers); ok {
		all = append(all, worked)
	}
	return all
}

func tiers(all []plan.Tier) *table {
	var rows [][]string
	for i := range all {
		t := &all[i]
		rows = append(rows, []string{
			t.Name, rate(t.VerificationsPerSecond), rate(t.PlannedPerSecond), count(int64(t.Replicas)), count(int64(t.Cores)),
			bytes(t.Fleet.MemoryBytes), whole(t.Fleet.Connections), share(t.ZoneLost.UtilisationShare),
		})
	}
	return tabulate("What each load takes", []string{" load", "verified/s", "planned/s", "replicas", "cores", "memory", "connections", "busy"}, rows)
}

// byTier is a plot of bars with a name for each tier.
func byTier(title, alt string, axis axis, all []plan.Tier, write func(float64) string, groups ...barGroup) (figure, bool) {
	b := bars{Title: title, Alt: alt, Axis: axis, Groups: groups, Value: write}
	columns := []string{" load"}
	for _, g := range groups {
		columns = append(columns, g.Name)
	}
	var rows [][]string
	for i := range all {
		b.Names = append(b.Names, all[i].Name)
		row := []string{all[i].Name}
		for _, g := range groups {
			row = append(row, write(g.Values[i]))
		}
		rows = append(rows, row)
	}
	return b.draw(tabulate(title, columns, rows))
}

// pick takes a number out of every tier.
func pick(name string, shade int, all []plan.Tier, value func(*plan.Tier) float64) barGroup {
	g := barGroup{Name: name, Colour: shade}
	for i := range all {
		g.Values = append(g.Values, value(&all[i]))
	}
	return g
}

func greatest(groups ...barGroup) (v float64) {
	for _, g := range groups {
		for _, value := range g.Values {
			v = max(v, value)
		}
	}
	return v
}

func coresByTier(all []plan.Tier) (figure, bool) {
	cores := pick("cores", 0, all, func(t *plan.Tier) float64 { return float64(t.Cores) })
	return byTier("Cores that each load takes", "The processors of all replicas together, spare ones included, for each load.",
		axis{Name: "cores", Zero: true, Label: inRates(greatest(cores))}, all, whole, cores)
}

func ratesByTier(all []plan.Tier) (figure, bool) {
	asked := pick("the load", 0, all, func(t *plan.Tier) float64 { return t.VerificationsPerSecond })
	most := pick("the most that its fleet carries, one zone lost", 2, all, func(t *plan.Tier) float64 { return t.MostPerSecond })
	cold := pick("the most if every token is new", 1, all, func(t *plan.Tier) float64 { return t.MostNewPerSecond })
	return byTier("What each fleet carries", "For each load, its rate, and the most that the fleet planned for it carries with one zone lost, for the usual mix and where every token is new.",
		axis{Name: "verifications a second", Zero: true, Label: inRates(greatest(asked, most, cold))}, all, rate, asked, most, cold)
}

func utilisation(all []plan.Tier) (figure, bool) {
	service := pick("all in service", 2, all, func(t *plan.Tier) float64 { return t.AllInService.UtilisationShare })
	spares := pick("spare ones away", 4, all, func(t *plan.Tier) float64 { return t.SparesAway.UtilisationShare })
	lost := pick("one zone lost besides", 1, all, func(t *plan.Tier) float64 { return t.ZoneLost.UtilisationShare })
	return byTier("How busy the processors are", "The share of the cores that is busy under the planned load: with all replicas, without the spare ones, and with one zone lost.",
		axis{Name: "share of the cores that is busy", Zero: true, Label: asShare}, all, share, service, spares, lost)
}

func simulated(all []plan.Tier) bool {
	for i := range all {
		if all[i].Simulation != nil {
			return true
		}
	}
	return false
}

// trust says how far the formulas are from what they were checked against.
func trust(p *plan.Result) block {
	worst, what, all := 0.0, "", p.Against
	for i := range p.Tiers {
		if t := &p.Tiers[i]; t.Simulation != nil {
			all = slices.Concat(all, t.Simulation.Comparisons)
		}
	}
	for i := range all {
		if off := all[i].OffPercent(); off > worst {
			worst, what = off, all[i].What
		}
	}
	if len(all) == 0 {
		return say(warn, "The formulas were checked against nothing: neither a simulation nor a measurement.")
	}
	return say(plain, fmt.Sprintf("The formulas were checked in %s, and differ by %.1f%% at most (%s).", plural(len(all), "comparison", "comparisons"), worst, what))
}

func comparisons(caption string, all []plan.Comparison) *table {
	var rows [][]string
	for _, c := range all {
		meant := "equal"
		if c.Bound {
			meant = "no less"
		}
		rows = append(rows, []string{c.What, c.Unit, digits(c.Predicted), digits(c.Found), c.ErrorText(), meant})
	}
	return tabulate(caption, []string{" what", " unit", "formula", "found", "error", " meant to be"}, rows)
}

// computation is every formula with its values, for the first load.
func computation(all []plan.Tier) (section, bool) {
	if len(all) == 0 || len(all[0].Steps) == 0 {
		return section{}, false
	}
	var rows [][]string
	for _, step := range all[0].Steps {
		rows = append(rows, []string{step.Symbol, step.Meaning, strings.TrimSpace(step.Formula), digits(step.Value), step.Unit})
	}
	return section{Title: "Every formula of the plan", Blocks: []block{
		say(plain, "With the values of: "+all[0].Name+"."),
		{Table: tabulate("The computation", []string{" symbol", " is", " formula", "value", " unit"}, rows)},
	}}, true
}
