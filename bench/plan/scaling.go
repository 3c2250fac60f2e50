package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Throughput is the highest rate that was found with a number of cores.
type Throughput struct {
	Cores, PerSecond float64
}

// FitScaling fits the Universal Scalability Law to rates by least squares. It is X(N) = λN/(1 + σ(N-1) + κN(N-1)), and
// so linear in 1/λ, σ/λ and κ/λ: N/X = 1/λ + σ/λ·(N-1) + κ/λ·N(N-1). With one number of cores σ and κ stay those of
// the scaling that is given, and with two κ is 0; the sources of the figures say so.
func FitScaling(prior Scaling, source string, found []Throughput) Scaling {
	s := prior
	found = slices.DeleteFunc(slices.Clone(found), func(t Throughput) bool {
		return !(t.Cores >= 1 && t.PerSecond > 0) || math.IsInf(t.PerSecond, 0)
	})
	slices.SortStableFunc(found, func(a, b Throughput) int { return cmp.Compare(a.Cores, b.Cores) })
	if len(found) == 0 {
		return s
	}
	counts := map[float64]bool{}
	totals := make([]float64, len(found)) // N/X
	one := term{amount: make([]float64, len(found))}
	wait, pairs := term{amount: make([]float64, len(found))}, term{amount: make([]float64, len(found))}
	for i, t := range found {
		counts[t.Cores] = true
		totals[i] = t.Cores / t.PerSecond
		one.amount[i], wait.amount[i], pairs.amount[i] = 1, t.Cores-1, t.Cores*(t.Cores-1)
	}
	terms := []term{one, wait, pairs}
	switch len(counts) {
	case 1:
		// One parameter, λ: the amounts hold what σ and κ make of it.
		for i, t := range found {
			one.amount[i] = t.Cores / s.EffectiveCores(t.Cores)
		}
		terms = terms[:1]
	case 2:
		terms = terms[:2]
	}
	fitted := regress(terms, totals)
	s.OneCore = 1 / terms[0].prior
	if len(counts) == 1 {
		said := fmt.Sprintf("assumed: measured with %s %s only, %s", short(found[0].Cores), plural(int(found[0].Cores), "core"), source)
		s.Sigma, s.Kappa = Figure{s.Sigma.Value, Assumed, said}, Figure{s.Kappa.Value, Assumed, said}
	} else {
		said := fmt.Sprintf("fitted to %d rates with %d numbers of cores, %s", len(found), len(counts), source)
		s.Sigma = Figure{math.Min(terms[1].prior*s.OneCore, 1), Measured, said}
		s.Kappa = Figure{0, Assumed, "measured with two numbers of cores only, " + source}
		if len(counts) > 2 {
			s.Kappa = Figure{math.Min(terms[2].prior*s.OneCore, 1), Measured, said}
		}
	}
	s.Points = nil
	var values, curve []float64
	for i, t := range found {
		values, curve = append(values, t.PerSecond), append(curve, t.Cores/fitted[i])
		s.Points = append(s.Points, ScalingPoint{t.Cores, t.PerSecond, t.Cores / fitted[i]})
	}
	s.RSquared, _ = goodness(values, curve, len(terms))
	return s
}
