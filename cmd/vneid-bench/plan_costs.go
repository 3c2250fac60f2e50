package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// readCosts reads the costs that are given: figures, and samples to fit others to.
func readCosts(files, scaling []string) (plan.Cost, error) {
	cost := plan.DefaultCost()
	var samples []plan.Sample
	var names, left []string
	machines := map[string]bool{}
	for _, argument := range files {
		m, err := readMeasured("cost", argument, costAttributes)
		if err != nil {
			return cost, err
		}
		if !bytes.HasPrefix(bytes.TrimSpace(m.data), []byte("{")) {
			if cost, err = plan.DecodeCost(m.name, m.data); err != nil {
				return cost, fmt.Errorf("--cost: %w", err)
			}
			continue
		}
		if file, err := record.Read(bytes.NewReader(m.data)); err == nil && file.Plan != nil && len(file.Runs) == 0 {
			cost = file.Plan.Cost
			continue
		}
		file, err := m.read()
		if err != nil {
			return cost, fmt.Errorf("--cost: %w", err)
		}
		found, without, err := m.samples(file)
		if err != nil {
			return cost, fmt.Errorf("--cost: %w", err)
		}
		samples, names = append(samples, found...), append(names, m.name)
		for _, runs := range without.list() {
			left = append(left, m.name+" has "+runs)
		}
		machines[machineOf(file)] = true
	}
	var err error
	if cost.Scaling, err = fitScaling(cost.Scaling, scaling); err != nil {
		return cost, err
	}
	if len(names) == 0 {
		return cost, nil
	}
	source := strings.Join(names, ", ")
	if cost, err = plan.FitCost(cost, source, samples); err != nil {
		return cost, fmt.Errorf("--cost: %w%s", err, because(left))
	}
	cost.Fit.LeftOut = left
	cost.Name, cost.Machine = "runs of "+source, strings.Join(slices.Sorted(maps.Keys(machines)), "; ")
	return cost, nil
}

// machineOf says where the record was made.
func machineOf(file *record.File) string {
	if file.Machine.CPU == "" {
		return "a machine that the record does not name"
	}
	return fmt.Sprintf("%s, %d processors, %s", file.Machine.CPU, file.Machine.Processors, file.Machine.GoVersion)
}

// because says what was left out where that is why nothing is left.
func because(left []string) string {
	if len(left) == 0 {
		return ""
	}
	return "; left out: " + strings.Join(left, ", ")
}

// samples are the record's runs as the fit needs them, and how many are left out.
func (m *measured) samples(file *record.File) (list []plan.Sample, left leftOut, err error) {
	share, algorithms, err := m.mix()
	if err != nil {
		return nil, left, err
	}
	var held [4]float64
	for i, key := range []string{"cores", "tokens", "revocations", "keys"} {
		least := 0.0
		if key == "cores" {
			least = 1
		}
		if held[i], err = m.number(key, least, 1e9, least); err != nil {
			return nil, left, err
		}
	}
	runs, left, err := m.usable(file)
	if err != nil {
		return nil, left, err
	}
	for i := range runs {
		r := &runs[i]
		if use := r.Target; use != nil && (!use.Complete || use.Gone+use.Restarts > 0) {
			left[unknownUse]++
			continue
		}
		s := plan.Sample{
			Name: m.name + " " + r.Name, PerSecond: r.Attack.AnsweredPerSecond, Cores: held[0],
			Connections: float64(r.Attack.Load.Connections), CachedTokens: held[1], Revocations: held[2], Keys: held[3],
			NewConnectionsPerSecond: r.Attack.Load.NewConnectionsPerSecond,
		}
		m.used(r.Target, &s)
		s.ColdPerSecond = map[string]float64{}
		for algorithm, part := range algorithms {
			s.ColdPerSecond[algorithm] = share * part * s.PerSecond
		}
		list = append(list, s)
	}
	return list, left, nil
}

// used puts what the target used into a sample, as far as anybody looked.
func (m *measured) used(use *target.Use, s *plan.Sample) {
	if use == nil {
		return
	}
	if use.Requests != nil && *use.Requests > 0 && use.Seconds > 0 {
		s.PerSecond = float64(*use.Requests) / use.Seconds
	}
	if use.CPUCores != nil {
		s.BusyCores = *use.CPUCores
	}
	// Without what is held its memory says nothing.
	if use.PeakRSSBytes != nil && m.attributes["tokens"] != "" {
		s.MemoryBytes = float64(*use.PeakRSSBytes)
	}
}
