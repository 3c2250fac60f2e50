package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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

// read reads the record.
func (m *measured) read() (*record.File, error) {
	file, err := record.Read(bytes.NewReader(m.data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return file, nil
}

// usable are the runs that say what the target does at the rate that was answered, of those that the run attribute
// names, and how many are none. It is an error where none is left.
func (m *measured) usable(file *record.File) (runs []record.Run, left leftOut, err error) {
	wanted := m.attributes["run"]
	for _, r := range file.Runs {
		if wanted != "" && r.Name != wanted {
			continue
		}
		switch a := r.Attack; {
		case !a.Claimed:
			left[notTheTargets]++
		case a.Interrupted:
			left[cutShort]++
		// A refusal costs less than an answer, and is no throughput.
		case a.Failed*100 > a.Due:
			left[failing]++
		default:
			runs = append(runs, r)
		}
	}
	if len(runs) > 0 {
		return runs, left, nil
	}
	called, why := "", strings.Join(left.list(), ", ")
	if wanted != "" {
		called = fmt.Sprintf(" that is called %q", wanted)
	}
	if why != "" {
		why = ": it has " + why
	}
	return nil, left, fmt.Errorf("%s: has no run to go by%s%s", m.name, called, why)
}

// leftOut counts runs by why they say nothing.
type leftOut [unknownUse + 1]int

// Why a run says nothing.
const (
	notTheTargets = iota
	cutShort
	failing
	unknownUse
)

// list has words for each reason that there is.
func (l *leftOut) list() (all []string) {
	for reason, says := range [...]string{
		notTheTargets: "whose figures are not the target's",
		cutShort:      "cut short",
		failing:       "of whose requests more than 1% failed",
		unknownUse:    "through which the use of the target is not known",
	} {
		if n := l[reason]; n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, says))
		}
	}
	return all
}
