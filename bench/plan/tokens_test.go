package plan

import (
	"container/list"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

func TestSightingsAreTheReplicasThatSeeAToken(t *testing.T) {
	t.Parallel()
	near(t, "one replica", sightings(1, 30), 1, 0)
	near(t, "one draw", sightings(7, 1), 1, 1e-12)
	near(t, "30 draws of 6", sightings(6, 30), 6*(1-math.Pow(5.0/6, 30)), 1e-12)
	near(t, "two draws of a million", sightings(1e6, 2), 2-1e-6, 1e-12)
}

func TestZipfSharesSumToOne(t *testing.T) {
	t.Parallel()
	for _, exponent := range []float64{0, 0.8, 1.2} {
		n, sum := 0.0, 0.0
		for _, b := range zipf(1e6, exponent) {
			n += b.tokens
			sum += b.tokens * b.share
		}
		near(t, "tokens", n, 1e6, 0)
		near(t, "shares", sum, 1, 1e-9)
	}
}

// A cache of least recent use, simulated, against Che's approximation.
func TestHitRatioIsThatOfACacheOfLeastRecentUse(t *testing.T) {
	t.Parallel()
	const tokens, lookups = 5000, 200_000
	for _, exponent := range []float64{0, 0.8, 1.1} {
		for _, room := range []int{250, 2500} {
			draw := rand.New(rand.NewPCG(1, 2))
			cumulative := make([]float64, tokens)
			sum := 0.0
			for i := range cumulative {
				sum += math.Pow(float64(i+1), -exponent)
				cumulative[i] = sum
			}
			order, at := list.New(), map[int]*list.Element{}
			hits := 0
			for i := range lookups {
				token := sort.SearchFloat64s(cumulative, draw.Float64()*sum)
				if e := at[token]; e != nil {
					order.MoveToFront(e)
					if i >= lookups/4 {
						hits++
					}
					continue
				}
				at[token] = order.PushFront(token)
				if order.Len() > room {
					delete(at, order.Remove(order.Back()).(int))
				}
			}
			near(t, "hit ratio", zipf(tokens, exponent).hitRatio(float64(room)), float64(hits)/(lookups*3/4), 0.03)
		}
	}
}

func TestACacheWithRoomForAllMissesNone(t *testing.T) {
	t.Parallel()
	if h := zipf(1000, 0.8).hitRatio(1000); h != 1 {
		t.Errorf("hit ratio %v", h)
	}
	if h := zipf(1000, 0.8).hitRatio(0.5); h != 0 {
		t.Errorf("hit ratio without room %v", h)
	}
}
