package scenario

import (
	"math"
	"strconv"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// A class' share of the requests differs where it is off by this much of them all and by this part of itself. What is
// minted for a scenario is nearer: see [population.Config].
const (
	shareOff     = 0.01
	shareOffPart = 0.1
)

// Difference is something of the corpus that was sent which is not as the scenario says.
type Difference struct {
	// What it is: warm tokens, Zipf exponent, cold share, or the share of a class.
	What string `json:"what"`
	// Scenario is what the scenario says, Sent what was sent.
	Scenario string `json:"scenario"`
	Sent     string `json:"sent"`
}

func (d Difference) text() string { return d.What + " " + d.Sent + " (scenario: " + d.Scenario + ")" }

// differences compares what a scenario says of its population with a corpus.
func (s *Scenario) differences(m *population.Manifest) (all []Difference) {
	p := &s.Population
	if p.Warm != m.Pools.Warm {
		all = append(all, Difference{"warm tokens", count(float64(p.Warm)), count(float64(m.Pools.Warm))})
	}
	if p.ZipfExponent != m.Reuse.ZipfExponent && m.Pools.Warm > 0 {
		all = append(all, Difference{"Zipf exponent", number(p.ZipfExponent), number(m.Reuse.ZipfExponent)})
	}
	if math.Abs(p.ColdShare-m.Reuse.ColdShare) > 1e-6 {
		all = append(all, Difference{"cold share", decimal(p.ColdShare*100) + "%", decimal(m.Reuse.ColdShare*100) + "%"})
	}
	want, sent := s.classShares(), map[population.Class]float64{}
	for _, c := range m.Classes {
		sent[c.Class] = c.RequestShare
	}
	for _, class := range population.Classes() {
		a, b := want[class], sent[class]
		if off := math.Abs(a - b); off >= shareOff && off >= shareOffPart*a || (a > 0) != (b > 0) {
			all = append(all, Difference{"class " + string(class), decimal(a*100) + "%", decimal(b*100) + "%"})
		}
	}
	return all
}

// classShares are the shares of all requests that a scenario says; what the others leave is of valid tokens.
func (s *Scenario) classShares() map[population.Class]float64 {
	shares := map[population.Class]float64{}
	if s.Population.Classes == nil {
		for _, c := range population.DefaultConfig().Classes {
			shares[c.Of] = c.Share
		}
	}
	for name, share := range s.Population.Classes {
		shares[population.Class(name)] = share
	}
	valid := 1.0
	for class, share := range shares {
		if class != population.Valid {
			valid -= share
		}
	}
	shares[population.Valid] = max(valid, 0)
	if valid < 1e-9 { // What rounding leaves of 1.
		shares[population.Valid] = 0
	}
	return shares
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
