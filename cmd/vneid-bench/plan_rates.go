package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
)

// highest is the highest rate of a record: what find-max found, or the highest that a run was answered.
func (m *measured) highest() (plan.Highest, error) {
	h := plan.Highest{Name: m.name}
	file, err := m.read()
	if err != nil {
		return h, err
	}
	if found := file.FindMax; found != nil && m.attributes["run"] == "" {
		if found.LowPerSecond == nil && found.HighPerSecond != nil || !(found.RatePerSecond > 0) {
			return h, fmt.Errorf("%s: no rate was found at which the objective is kept", m.name)
		}
		h.PerSecond, h.AtLeast, h.Objectives = found.RatePerSecond, found.LowerBoundOnly, objectivesOf(found.Objective)
		return h, nil
	}
	runs, _, err := m.usable(file)
	for _, r := range runs {
		h.PerSecond = max(h.PerSecond, r.Attack.AnsweredPerSecond)
	}
	return h, err
}

// objectivesOf are the percentiles in an objective of find-max: those of the gateway's own time where there are any,
// and else those of the whole latency, of which that is a part.
func objectivesOf(objective string) []plan.Objective {
	var own, whole []plan.Objective
	for term := range strings.SplitSeq(objective, ",") {
		name, bound, _ := strings.Cut(strings.ReplaceAll(term, " ", ""), "<")
		name, isOwn := strings.CutPrefix(name, "overhead.")
		percentile, isTime := strings.CutPrefix(name, "p")
		q, err := strconv.ParseFloat(percentile, 64)
		d, alsoErr := time.ParseDuration(strings.TrimPrefix(bound, "="))
		if !isTime || err != nil || alsoErr != nil || !(q > 0 && q < 100) {
			continue
		}
		list := &whole
		if isOwn {
			list = &own
		}
		*list = append(*list, plan.Objective{Quantile: q / 100, Seconds: d.Seconds()})
	}
	if len(own) > 0 {
		return own
	}
	return whole
}

// fitScaling fits the scaling curve to the highest rates of records.
func fitScaling(prior plan.Scaling, files []string) (plan.Scaling, error) {
	var found []plan.Throughput
	names := map[string]bool{}
	for _, argument := range files {
		m, err := readMeasured("scaling", argument, scalingAttributes)
		if err != nil {
			return prior, err
		}
		if m.attributes["cores"] == "" {
			return prior, fmt.Errorf("--scaling: %s: does not say with how many cores; say it, as in %s,cores=2", m.name, m.name)
		}
		cores, err := m.number("cores", 1, 1024, 0)
		if err != nil {
			return prior, fmt.Errorf("--scaling: %w", err)
		}
		h, err := m.highest()
		if err != nil {
			return prior, fmt.Errorf("--scaling: %w", err)
		}
		if h.AtLeast {
			return prior, fmt.Errorf("--scaling: %s: says only that the highest rate is more than %.0f requests/s", m.name, h.PerSecond)
		}
		found, names[m.name] = append(found, plan.Throughput{Cores: cores, PerSecond: h.PerSecond}), true
	}
	return plan.FitScaling(prior, strings.Join(slices.Sorted(maps.Keys(names)), ", "), found), nil
}

// compareWith compares the costs with rates that were measured.
func compareWith(cost *plan.Cost, files []string) ([]plan.Comparison, error) {
	var list []plan.Comparison
	for _, argument := range files {
		m, err := readMeasured("against", argument, againstAttributes)
		if err != nil {
			return nil, err
		}
		c, err := m.compare(cost)
		if err != nil {
			return nil, fmt.Errorf("--against: %w", err)
		}
		list = append(list, c)
	}
	return list, nil
}

func (m *measured) compare(cost *plan.Cost) (plan.Comparison, error) {
	h, err := m.highest()
	if err != nil {
		return plan.Comparison{}, err
	}
	if text := m.attributes["objective"]; text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return plan.Comparison{}, fmt.Errorf("%s: objective=%s is not allowed; must be a time, as in 5ms", m.name, text)
		}
		h.Objectives = []plan.Objective{{Quantile: 0.99, Seconds: d.Seconds()}}
	}
	if h.ColdShare, h.Algorithms, err = m.mix(); err != nil {
		return plan.Comparison{}, err
	}
	if h.Cores, err = m.number("cores", 1, 1024, 1); err != nil {
		return plan.Comparison{}, err
	}
	c, err := cost.Predict(h)
	if errors.Is(err, plan.ErrInput) {
		return c, fmt.Errorf("%s: %w", m.name, err)
	}
	return c, err
}
