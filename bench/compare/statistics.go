package compare

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"
)

// exactSamples is up to how many pairs of samples the quantile of U is computed exactly.
const exactSamples = 400

// shift is by how much one sample lies above another.
type shift struct {
	Estimate, Low, High float64
	// P is that of the two-sided Mann-Whitney U test.
	P float64
	// Enough says that samples of these sizes could have shown a difference at all.
	Enough bool
}

// shifted compares samples, of which neither is empty.
func shifted(base, other []float64, alpha float64) shift {
	differences := make([]float64, 0, len(base)*len(other))
	for _, b := range base {
		for _, o := range other {
			differences = append(differences, o-b)
		}
	}
	slices.Sort(differences)
	s := shift{Estimate: median(differences), Low: math.Inf(-1), High: math.Inf(1), Enough: leastP(len(base), len(other)) < alpha}
	// With c such that P(U < c) <= alpha/2, the c-th difference from either end bounds the interval.
	if c := bound(len(base), len(other), alpha/2); c > 0 {
		s.Low, s.High = differences[c-1], differences[len(differences)-c]
	}
	t := benchmath.DefaultThresholds
	t.CompareAlpha = alpha
	s.P = benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(base), &t), benchmath.NewSample(slices.Clone(other), &t)).P
	return s
}

// median is that of sorted values; there must be some.
func median(sorted []float64) float64 {
	return stats.Sample{Xs: sorted, Sorted: true}.Quantile(0.5)
}

// leastP is the p of samples of m and n values that do not overlap: 2·m!·n!/(m+n)!.
func leastP(m, n int) float64 {
	a, _ := math.Lgamma(float64(m) + 1)
	b, _ := math.Lgamma(float64(n) + 1)
	both, _ := math.Lgamma(float64(m+n) + 1)
	return min(2*math.Exp(a+b-both), 1)
}

// bound is the largest c with P(U < c) <= tail, for the U of m and n samples that do not differ.
func bound(m, n int, tail float64) (c int) {
	if m*n <= exactSamples {
		u := stats.UDist{N1: m, N2: n}
		for c < m*n/2 && u.CDF(float64(c)) <= tail {
			c++
		}
		return c
	}
	mean, deviation := float64(m*n)/2, math.Sqrt(float64(m*n)*float64(m+n+1)/12)
	return max(int(mean+deviation*math.Sqrt2*math.Erfinv(2*tail-1)), 0)
}
