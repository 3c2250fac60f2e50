package population

import (
	"fmt"
	"math"
	"sort"
)

// block is how many requests in a row have exactly their part of cold ones.
const block = 1000

// Picker says which request of a corpus is the n-th of a load. It is immutable
// and safe for concurrent use.
//
// It is a pure function of seed and n, so that many machines that take turns with
// n send every cold token once and need not talk to each other. With millionths =
// cold share × 10⁶, and all divisions rounded down:
//
//	hash(x)      x ^= x>>16; x *= 0x7feb352d; x ^= x>>15; x *= 0x846ca68b; x ^= x>>16     (32 bits, without sign)
//	mix(seed, n) h = hash(seed); h = hash(h ^ n/2³²); h = hash(h ^ n mod 2³²)
//
//	b = n/1000; i = n mod 1000; h = mix(seed ^ 0x636f6c64, b)
//	before = b·millionths/1000; here = (b+1)·millionths/1000 - before
//	place  = (i·stride + h/400) mod 1000, with stride = 10·(h mod 100) + (1, 3, 7, 9)[h/100 mod 4]
//
//	place < here: the cold request before + place
//	else:         the first warm request k with (w₀ + … + wₖ)/(w₀ + … + wₘ₋₁) > u, where wₖ = (k+1)^-s, of m warm ones,
//	              u = (h₁·2²¹ + h₂/2¹¹)/2⁵³, h₁ = mix(seed, n), h₂ = hash(h₁ ^ 0x9e3779b9)
//
// So each 1,000 requests have exactly their part of cold ones, spread over all of
// them; n is below 2⁴².
type Picker struct {
	seed       uint32
	millionths int64
	cold       int64
	cumulative []float64 // Σ of weights, over all of them
	// guide holds, for each of as many equal parts of 0 to 1, the first warm request
	// with a sum above its beginning, and a last one: where a search has to look.
	guide []int32
}

// parts is how many parts of 0 to 1 have an entry in the guide.
const parts = 1 << 14

// NewPicker returns the picker of a corpus.
func NewPicker(seed uint32, reuse Reuse, pools Pools) (*Picker, error) {
	switch {
	case !(reuse.ColdShare >= 0 && reuse.ColdShare <= 1):
		return nil, fmt.Errorf("%w: cold share %v (0 to 1)", ErrConfig, reuse.ColdShare)
	case !(reuse.ZipfExponent >= 0 && reuse.ZipfExponent <= MaxZipfExponent):
		return nil, fmt.Errorf("%w: Zipf exponent %v (0 to %v)", ErrConfig, reuse.ZipfExponent, MaxZipfExponent)
	case pools.Warm == 0 && reuse.ColdShare < 1:
		return nil, fmt.Errorf("%w: without a warm pool the cold share must be 1", ErrConfig)
	}
	p := &Picker{seed: seed, millionths: int64(math.Round(reuse.ColdShare * 1e6)), cold: pools.Cold, cumulative: make([]float64, pools.Warm)}
	sum := 0.0
	for i := range p.cumulative {
		sum += math.Pow(float64(i+1), -reuse.ZipfExponent)
		p.cumulative[i] = sum
	}
	for i := range p.cumulative {
		p.cumulative[i] /= sum
	}
	p.guide = make([]int32, parts+1)
	for i, k := 0, 0; i <= parts; i++ {
		for k < len(p.cumulative) && p.cumulative[k] <= float64(i)/parts {
			k++
		}
		p.guide[i] = int32(k) // A pool has far fewer.
	}
	return p, nil
}

// warm is the picker of the same pools whose requests are all warm.
func (p *Picker) warm() *Picker {
	all := *p
	all.millionths = 0
	return &all
}

// Pick returns which request is the n-th: the index of a warm or of a cold one,
// each counted from 0. A cold one may lie beyond the pool.
func (p *Picker) Pick(n int64) (index int64, cold bool) {
	if place, before, here := p.place(n); place < here {
		return before + place, true
	}
	h1 := mix(p.seed, uint64(n))
	u := float64(uint64(h1)<<21|uint64(hash(h1^0x9e3779b9))>>11) / (1 << 53)
	// Both ends are exact: parts is a power of 2.
	i := h1 >> 18
	from, to := int(p.guide[i]), int(p.guide[i+1])
	k := from + sort.Search(to-from, func(k int) bool { return p.cumulative[from+k] > u })
	// Rounding may leave the last sum below 1.
	return int64(min(k, len(p.cumulative)-1)), false
}

// place is where the n-th request stands among those of its block, of which the
// first here are cold ones, after before of earlier blocks.
func (p *Picker) place(n int64) (place, before, here int64) {
	b, i := n/block, n%block
	before = b * p.millionths / block
	here = (b+1)*p.millionths/block - before
	h := int64(mix(p.seed^0x636f6c64, uint64(b)))
	stride := 10*(h%100) + [...]int64{1, 3, 7, 9}[h/100%4]
	return (i*stride + h/400) % block, before, here
}

// Cold returns how many cold requests a load of the first n needs: the greatest
// index and 1.
func (p *Picker) Cold(n int64) int64 {
	if n <= 0 {
		return 0
	}
	most := (n - 1) / block * p.millionths / block
	for m := (n - 1) / block * block; m < n; m++ {
		if i, cold := p.Pick(m); cold {
			most = max(most, i+1)
		}
	}
	return most
}

// hash is a bijection of 32 bits that leaves no trace of order.
func hash(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

// mix draws 32 bits of a seed and a number.
func mix(seed uint32, n uint64) uint32 {
	return hash(hash(hash(seed)^uint32(n>>32)) ^ uint32(n))
}
