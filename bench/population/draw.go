package population

import "math/rand/v2"

// Paths that the gateway's configuration has a rule for.
const (
	publicPath = "/tra-cuu"       // no credential is needed
	levelPath  = "/api/ho-so/nop" // by POST: account level 2
)

// chooser gives turns to things so that each has its share of the weight of all
// turns so far, as nearly as turns of these weights can. A turn that would be more
// than all that somebody is ever to have goes to another, if there is one for whom
// it is not.
type chooser struct {
	shares []float64
	owed   []float64 // as of now
	left   []float64 // until the end
}

// newChooser shares turns out that are expected to have some weight in all. Whose
// turn is first is drawn: of many choosers with few turns each, none would ever
// come to the last.
func newChooser(shares []float64, total float64, rng *rand.Rand) *chooser {
	c := &chooser{shares: shares, owed: make([]float64, len(shares)), left: make([]float64, len(shares))}
	for i, share := range shares {
		c.owed[i], c.left[i] = 1e-9*rng.Float64()*share*total, share*total
	}
	return c
}

// take has a turn of some weight, and returns whose it is.
func (c *chooser) take(weight float64) int {
	best, most := -1, 0
	for i := range c.owed {
		c.owed[i] += c.shares[i] * weight
		if c.left[i] > c.left[most] {
			most = i
		}
		if c.left[i] >= weight && (best < 0 || c.owed[i] > c.owed[best]) {
			best = i
		}
	}
	if best < 0 {
		best = most
	}
	c.owed[best] -= weight
	c.left[best] -= weight
	return best
}

// draft is what is decided of a request before its token is made.
type draft struct {
	class     Class
	algorithm int // of Config.Algorithms
	size      int // of Config.Sizes
	site      int // of Config.Sites
	turn      int // among those of the site
}

// drafter decides what each request of a pool is. Classes have their share of the
// requests whatever the popularity of each; within a class sites have theirs,
// within those algorithms, and within those sizes, so that no two go together.
type drafter struct {
	config *Config
	rng    *rand.Rand
	total  float64 // weight of all requests
	class  *chooser
	below  map[[3]int]*chooser
	turns  []int
}

// newDrafter decides for a pool whose requests have some weight in all.
func newDrafter(c *Config, pool Pool, total float64) *drafter {
	stream := uint64(0)
	if pool == Cold {
		stream = 1
	}
	d := &drafter{
		config: c, total: total, below: map[[3]int]*chooser{}, turns: make([]int, len(c.Sites)),
		rng: rand.New(rand.NewPCG(uint64(c.Seed), stream)), //nolint:gosec // it is to be repeatable
	}
	d.class = newChooser(sharesOf(c.Classes), total, d.rng)
	return d
}

// next decides a request of some weight.
func (d *drafter) next(weight float64) draft {
	c := d.config
	class := d.class.take(weight)
	part := c.Classes[class].Share
	site := d.take([3]int{class, -1, -1}, weight, part, func() []float64 {
		shares := make([]float64, len(c.Sites))
		for i := range c.Sites {
			shares[i] = c.Sites[i].Share
		}
		return shares
	})
	part *= c.Sites[site].Share
	algorithm := d.take([3]int{class, site, -1}, weight, part, func() []float64 { return sharesOf(c.Algorithms) })
	part *= c.Algorithms[algorithm].Share
	size := d.take([3]int{class, site, algorithm}, weight, part, func() []float64 { return sharesOf(c.Sizes) })
	d.turns[site]++
	return draft{class: c.Classes[class].Of, algorithm: algorithm, size: size, site: site, turn: d.turns[site]}
}

// take has a turn of one of the choosers below the classes, which has some part of
// all turns.
func (d *drafter) take(which [3]int, weight, part float64, shares func() []float64) int {
	c := d.below[which]
	if c == nil {
		c = newChooser(shares(), part*d.total, d.rng)
		d.below[which] = c
	}
	return c.take(weight)
}

func sharesOf[T any](parts []Part[T]) []float64 {
	shares := make([]float64, len(parts))
	for i, p := range parts {
		shares[i] = p.Share
	}
	return shares
}
