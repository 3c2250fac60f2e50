package plan

import "math"

// sightings is how many of r replicas see a token whose requests, or connections, are dealt to replicas at random
// d times: each replica is missed by all of them with probability (1-1/r)^d. Each of those that see it verifies it.
func sightings(r, d float64) float64 {
	if r <= 1 {
		return r
	}
	// As 1-(1-1/r)^d, without the loss of digits for many replicas.
	return -r * math.Expm1(d*math.Log1p(-1/r))
}

// ranks is a distribution of popularity over n tokens: bands of neighbouring ranks with how many there are in each, and
// the share of requests that one of them gets. Bands grow with the rank: 3% of it, so that a million tokens take some
// 400 of them.
type ranks []band

type band struct{ tokens, share float64 }

// zipf is the distribution in which the token of rank i is used as i^-exponent.
func zipf(n, exponent float64) ranks {
	var list ranks
	total := 0.0
	for first := 1.0; first <= n; {
		last := math.Min(math.Floor(math.Max(first, first*1.03)), math.Floor(n))
		// The middle rank stands for its band, which is exact where the band is one rank.
		weight := math.Pow((first+last)/2, -exponent)
		list = append(list, band{last - first + 1, weight})
		total += weight * (last - first + 1)
		first = last + 1
	}
	for i := range list {
		list[i].share /= total
	}
	return list
}

// hitRatio is Che's approximation for a cache of least recent use with room for so many of the tokens: a token is in it
// when it was used within the last t requests, and t is such that the expected number of those that were is room.
// It returns the share of requests whose token is there.
func (list ranks) hitRatio(room float64) float64 {
	held := func(t float64) float64 {
		sum := 0.0
		for _, b := range list {
			sum -= b.tokens * math.Expm1(-b.share*t)
		}
		return sum
	}
	tokens := 0.0
	for _, b := range list {
		tokens += b.tokens
	}
	if room >= tokens {
		return 1
	}
	if room < 1 {
		return 0
	}
	low, high := 0.0, room
	for held(high) < room && high < 1e18 {
		low, high = high, 2*high
	}
	for range 45 {
		if middle := (low + high) / 2; held(middle) < room {
			low = middle
		} else {
			high = middle
		}
	}
	hits := 0.0
	for _, b := range list {
		hits -= b.tokens * b.share * math.Expm1(-b.share*high)
	}
	return hits
}
