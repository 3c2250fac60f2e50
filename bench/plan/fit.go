package plan

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Fit says how well what was fitted matches the runs.
type Fit struct {
	// Runs is how many there were.
	Runs int `json:"runs"`
	// CPURSquared and MemoryRSquared are the shares of the variance that the fit explains; nil where there are too
	// few runs to say.
	CPURSquared    *float64 `json:"cpu_r_squared"`
	MemoryRSquared *float64 `json:"memory_r_squared"`
	// CPUErrorPercent and MemoryErrorPercent are the largest distances of a run from the fit, in % of the run.
	CPUErrorPercent    float64 `json:"cpu_error_percent"`
	MemoryErrorPercent float64 `json:"memory_error_percent"`
	// LeftOut are runs that were given and not used, each with why.
	LeftOut []string `json:"left_out,omitzero"`
}

// term is a column of a regression: a quantity in each run, what one unit of it was taken to cost, and the least that
// it may cost.
type term struct {
	name   string
	amount []float64
	prior  float64
	// kept terms keep their prior, whatever the runs say.
	kept   bool
	fitted bool
}

// mostCondition bounds how alike the amounts of two terms may be, as a condition number: beyond it noise decides which
// of them a cost goes to.
const mostCondition = 1e3

// regress finds what a unit of each term costs, such that Σ amount·cost is total in each run with the least sum of
// squared relative errors, and none costs less than nothing. A term that the runs do not tell apart from those before
// it, or of which they have too little, keeps its prior. Terms are in the order of their importance. It returns the
// fitted totals.
func regress(terms []term, totals []float64) (fitted []float64) {
	var chosen []int
	for i := range terms {
		if tried := append(slices.Clip(chosen), i); !terms[i].kept && matters(terms[i], totals) && distinct(terms, tried, totals) {
			chosen = tried
		}
	}
	best, least := 0, math.Inf(1)
	var costs []float64
	// With so few terms the best of all sets of them that leads to no negative cost is the optimum under that bound.
	for set := range 1 << len(chosen) {
		x, squares, ok := leastSquares(terms, subset(chosen, set), chosen, totals)
		if ok && squares < least*(1-1e-9) {
			best, least, costs = set, squares, x
		}
	}
	for _, i := range chosen {
		terms[i].prior, terms[i].fitted = 0, true
	}
	for j, i := range subset(chosen, best) {
		terms[i].prior = costs[j]
	}
	fitted = make([]float64, len(totals))
	for row := range totals {
		for _, t := range terms {
			fitted[row] += t.amount[row] * t.prior
		}
	}
	return fitted
}

// matters reports whether a term makes, at its prior, more than 1% of some run's total; one without prior does where
// there is any of it.
func matters(t term, totals []float64) bool {
	for row, a := range t.amount {
		if a > 0 && (t.prior == 0 || a*t.prior > totals[row]/100) {
			return true
		}
	}
	return false
}

// subset picks those of list whose bit is set.
func subset(list []int, set int) []int {
	var picked []int
	for i, v := range list {
		if set&(1<<i) != 0 {
			picked = append(picked, v)
		}
	}
	return picked
}

// design is the matrix of the picked terms, each run divided by its total.
func design(terms []term, picked []int, totals []float64) *mat.Dense {
	a := mat.NewDense(len(totals), len(picked), nil)
	for row, total := range totals {
		for column, i := range picked {
			a.Set(row, column, terms[i].amount[row]/total)
		}
	}
	return a
}

// distinct reports whether the runs tell the picked terms apart.
func distinct(terms []term, picked []int, totals []float64) bool {
	if len(picked) > len(totals) {
		return false
	}
	a := design(terms, picked, totals)
	// Units must not matter: each column has length one.
	for column := range picked {
		if norm := mat.Norm(a.ColView(column), 2); norm > 0 {
			for row := range totals {
				a.Set(row, column, a.At(row, column)/norm)
			}
		}
	}
	var svd mat.SVD
	return svd.Factorize(a, mat.SVDNone) && svd.Cond() < mostCondition //nolint:misspell // gonum's name
}

// leastSquares solves for the picked terms; those of chosen that are not picked cost nothing, and all others their prior.
func leastSquares(terms []term, picked, chosen []int, totals []float64) (costs []float64, squares float64, ok bool) {
	rest := mat.NewVecDense(len(totals), nil)
	for row, total := range totals {
		left := total
		for i, t := range terms {
			if !slices.Contains(chosen, i) {
				left -= t.amount[row] * t.prior
			}
		}
		rest.SetVec(row, left/total)
	}
	if len(picked) == 0 {
		return nil, mat.Dot(rest, rest), true
	}
	a := design(terms, picked, totals)
	var x, residual mat.VecDense
	if err := x.SolveVec(a, rest); err != nil {
		return nil, 0, false
	}
	residual.MulVec(a, &x)
	residual.SubVec(&residual, rest)
	for i := range picked {
		if x.AtVec(i) < 0 {
			return nil, 0, false
		}
		costs = append(costs, x.AtVec(i))
	}
	return costs, mat.Dot(&residual, &residual), true
}

// goodness is the coefficient of determination, nil where parameters leave too few values to say, and the largest
// relative error in %.
func goodness(values, fitted []float64, parameters int) (rSquared *float64, largest float64) {
	mean := 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	rest, all := 0.0, 0.0
	for i, v := range values {
		rest += (v - fitted[i]) * (v - fitted[i])
		all += (v - mean) * (v - mean)
		largest = math.Max(largest, 100*math.Abs(fitted[i]/v-1))
	}
	if len(values) > parameters && all > 0 {
		r := 1 - rest/all
		rSquared = &r
	}
	return rSquared, largest
}
