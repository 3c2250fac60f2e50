package limit

import "math"

// The grid of a posterior: cells of 1/64 octave from 10 octaves below the bracket to 10
// above it.
const (
	cellsPerOctave = 64
	octavesAround  = 10
)

// sureness is the weight that the side gets for which an outcome speaks.
const sureness = 0.8

// posterior is a distribution of where the limit is. It says where to try and proves
// nothing.
type posterior struct {
	from  float64 // log2 of the lower end
	cells []float64
}

// newPosterior is even over a bracket, on a scale of factors, and falls by 4 with each
// octave away from it, because the trials that gave the bracket may have been flukes.
func newPosterior(low, high float64) *posterior {
	below, above := math.Log2(low), math.Log2(high)
	p := &posterior{from: below - octavesAround}
	p.cells = make([]float64, int((above-below+2*octavesAround)*cellsPerOctave))
	for i := range p.cells {
		x := p.at(i)
		p.cells[i] = math.Exp2(-2 * max(0, below-x, x-above))
	}
	p.normalise()
	return p
}

// at is log2 of the middle of a cell.
func (p *posterior) at(cell int) float64 {
	return p.from + (float64(cell)+0.5)/cellsPerOctave
}

func (p *posterior) normalise() {
	sum := 0.0
	for _, w := range p.cells {
		sum += w
	}
	for i := range p.cells {
		p.cells[i] /= sum
	}
}

// update takes the outcome of a trial.
func (p *posterior) update(rate float64, kept bool) {
	r := math.Log2(rate)
	for i := range p.cells {
		if (p.at(i) > r) == kept {
			p.cells[i] *= sureness
		} else {
			p.cells[i] *= 1 - sureness
		}
	}
	p.normalise()
}

// quantile is the rate below which the limit is with probability q.
func (p *posterior) quantile(q float64) float64 {
	for i, w := range p.cells {
		if q <= w {
			return math.Exp2(p.from + (float64(i)+q/w)/cellsPerOctave)
		}
		q -= w
	}
	return math.Exp2(p.at(len(p.cells) - 1))
}
