package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// measured is a file as flags name it, FILE[,NAME=VALUE]…: a record, and what it does not say of its load.
type measured struct {
	name       string
	data       []byte
	attributes map[string]string
}

// The attributes of each flag.
var (
	costAttributes    = []string{"algorithm", "cold", "corpus", "cores", "keys", "revocations", "run", "tokens"} //nolint:gochecknoglobals // a constant, if Go had them
	scalingAttributes = []string{"cores", "run"}                                                                 //nolint:gochecknoglobals // as above
	againstAttributes = []string{"algorithm", "cold", "cores", "corpus", "objective", "run"}                     //nolint:gochecknoglobals // as above
)

func readMeasured(flag, argument string, known []string) (*measured, error) {
	name, rest, _ := strings.Cut(argument, ",")
	m := &measured{name: name, attributes: map[string]string{}}
	for rest != "" {
		var attribute string
		attribute, rest, _ = strings.Cut(rest, ",")
		key, value, _ := strings.Cut(attribute, "=")
		if !slices.Contains(known, key) || value == "" || m.attributes[key] != "" {
			return nil, fmt.Errorf("--%s: %s: %q is not allowed; must be NAME=VALUE, once each of %s", flag, name, attribute, strings.Join(known, ", "))
		}
		m.attributes[key] = value
	}
	var err error
	if m.data, err = readBounded(name, record.MaxBytes); err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return m, nil
}

// number is a numeric attribute, or what holds without it.
func (m *measured) number(key string, lowest, highest, otherwise float64) (float64, error) {
	text, given := m.attributes[key]
	if !given {
		return otherwise, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= lowest && v <= highest) {
		return 0, fmt.Errorf("%s: %s=%s is not allowed; must be %v to %v", m.name, key, text, lowest, highest)
	}
	return v, nil
}

// mix is the share of new tokens, and how they are signed. A record does not say it, and nobody may take one mix for
// another, so that it is an error where it is not given.
func (m *measured) mix() (cold float64, algorithms map[string]float64, err error) {
	if dir := m.attributes["corpus"]; dir != "" {
		if cold, algorithms, err = corpusMix(dir); err != nil {
			return 0, nil, fmt.Errorf("%s: corpus=%s: %w", m.name, dir, err)
		}
	}
	if m.attributes["cold"] == "" && algorithms == nil {
		return 0, nil, fmt.Errorf("%s: does not say what share of its tokens was new; say it, as in %s,cold=0.2", m.name, m.name)
	}
	if a := m.attributes["algorithm"]; a != "" {
		algorithms = map[string]float64{a: 1}
	}
	if algorithms == nil {
		algorithms = map[string]float64{"RS256": 1}
	}
	cold, err = m.number("cold", 0, 1, cold)
	return cold, algorithms, err
}

// corpusMix reads the mix from the manifest of a corpus.
func corpusMix(dir string) (cold float64, algorithms map[string]float64, err error) {
	data, err := readBounded(filepath.Join(dir, population.ManifestFile), population.MaxManifestBytes)
	if err != nil {
		return 0, nil, err
	}
	var manifest population.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return 0, nil, err
	}
	if manifest.Format != population.Format {
		return 0, nil, fmt.Errorf("format %q is not allowed; must be %q", manifest.Format, population.Format)
	}
	total := 0.0
	algorithms = map[string]float64{}
	for _, a := range manifest.Algorithms {
		algorithms[a.Name] += float64(a.Tokens)
		total += float64(a.Tokens)
	}
	if total == 0 {
		return 0, nil, errors.New("has no signed tokens")
	}
	for name := range algorithms {
		algorithms[name] /= total
	}
	return manifest.Reuse.ColdShare, algorithms, nil
}

// read reads the record, with those of its runs that count: whose figures are the target's.
func (m *measured) read() (*record.File, error) {
	file, err := record.Read(bytes.NewReader(m.data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	wanted := m.attributes["run"]
	file.Runs = slices.DeleteFunc(file.Runs, func(r record.Run) bool {
		return !r.Attack.Claimed || wanted != "" && r.Name != wanted
	})
	if len(file.Runs) == 0 && file.FindMax == nil {
		return nil, fmt.Errorf("%s: has no run whose figures are the target's%s", m.name, called(wanted))
	}
	return file, nil
}

func called(run string) string {
	if run == "" {
		return ""
	}
	return fmt.Sprintf(" and that is called %q", run)
}

// readCosts reads the costs that are given: figures, and samples to fit others to.
func readCosts(files, scaling []string) (plan.Cost, error) {
	cost := plan.DefaultCost()
	var samples []plan.Sample
	var names []string
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
		found, err := m.samples(file)
		if err != nil {
			return cost, fmt.Errorf("--cost: %w", err)
		}
		samples, names = append(samples, found...), append(names, m.name)
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
		return cost, fmt.Errorf("--cost: %w", err)
	}
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

// samples are the record's runs as the fit needs them.
func (m *measured) samples(file *record.File) ([]plan.Sample, error) {
	share, algorithms, err := m.mix()
	if err != nil {
		return nil, err
	}
	var held [4]float64
	for i, key := range []string{"cores", "tokens", "revocations", "keys"} {
		least := 0.0
		if key == "cores" {
			least = 1
		}
		if held[i], err = m.number(key, least, 1e9, least); err != nil {
			return nil, err
		}
	}
	var list []plan.Sample
	for _, r := range file.Runs {
		// What is refused or cut off costs something else.
		if r.Attack.Failed*100 > r.Attack.Due {
			continue
		}
		s := plan.Sample{
			Name: m.name + " " + r.Name, PerSecond: r.Attack.AnsweredPerSecond, Cores: held[0],
			Connections: float64(r.Attack.Load.Connections), CachedTokens: held[1], Revocations: held[2], Keys: held[3],
			NewConnectionsPerSecond: r.Attack.Load.NewConnectionsPerSecond,
		}
		if use := r.Target; use != nil {
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
		s.ColdPerSecond = map[string]float64{}
		for algorithm, part := range algorithms {
			s.ColdPerSecond[algorithm] = share * part * s.PerSecond
		}
		list = append(list, s)
	}
	return list, nil
}

// highest is the highest rate of a record: what find-max found, or the highest that a run was answered.
func (m *measured) highest() (plan.Highest, error) {
	h := plan.Highest{Name: m.name}
	file, err := m.read()
	if err != nil {
		return h, err
	}
	if found := file.FindMax; found != nil && m.attributes["run"] == "" {
		h.PerSecond, h.AtLeast = found.RatePerSecond, found.LowerBoundOnly
		h.ObjectiveSeconds, h.Quantile = objectiveOf(found.Objective)
		return h, nil
	}
	for _, r := range file.Runs {
		h.PerSecond = max(h.PerSecond, r.Attack.AnsweredPerSecond)
	}
	return h, nil
}

// objectiveOf is the tightest term about the gateway's own time in an objective of find-max; without one it is about
// the whole latency, of which the gateway's time is a part.
func objectiveOf(objective string) (seconds, quantile float64) {
	for term := range strings.SplitSeq(objective, ",") {
		name, bound, _ := strings.Cut(strings.TrimSpace(term), "<")
		d, err := time.ParseDuration(strings.TrimPrefix(bound, "="))
		percentile, isTime := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(name), "overhead."), "p")
		q, notNumber := strconv.ParseFloat(percentile, 64)
		if err == nil && isTime && notNumber == nil && (seconds == 0 || d.Seconds() < seconds) {
			seconds, quantile = d.Seconds(), q/100
		}
	}
	return seconds, quantile
}

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
		h.ObjectiveSeconds, h.Quantile = d.Seconds(), 0.99
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
