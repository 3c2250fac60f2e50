package population_test

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

func newPicker(t *testing.T, seed uint32, reuse population.Reuse, pools population.Pools) *population.Picker {
	t.Helper()
	p, err := population.NewPicker(seed, reuse, pools)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryColdRequestComesOnceAndNoneIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.000001, 0.0005, 0.05, 1.0 / 3, 0.999, 1} {
		p := newPicker(t, 5, population.Reuse{ColdShare: share, ZipfExponent: 1}, population.Pools{Warm: 10, Cold: 1})
		const blocks = 20
		seen := map[int64]bool{}
		for n := range int64(blocks * 1000) {
			i, cold := p.Pick(n)
			if cold && seen[i] {
				t.Fatalf("share %v: request %d is cold request %d again", share, n, i)
			}
			if cold {
				seen[i] = true
			}
		}
		if want := int(math.Round(share*1e6)) * blocks / 1000; len(seen) != want {
			t.Errorf("share %v: %d cold requests, want %d", share, len(seen), want)
		}
		for i := range int64(len(seen)) {
			if !seen[i] {
				t.Errorf("share %v: cold request %d never came", share, i)
			}
		}
	}
}

func TestColdTellsTheGreatestIndexOfALoad(t *testing.T) {
	t.Parallel()
	p := newPicker(t, 9, population.Reuse{ColdShare: 0.0437, ZipfExponent: 1}, population.Pools{Warm: 10, Cold: 1})
	most := int64(0)
	for n := range int64(2100) {
		if got := p.Cold(n); got != most {
			t.Fatalf("Cold(%d) = %d, want %d", n, got, most)
		}
		if i, cold := p.Pick(n); cold {
			most = max(most, i+1)
		}
	}
}

func TestWarmRequestsComeAsOftenAsZipfSays(t *testing.T) {
	t.Parallel()
	const warm, requests = 50, 100_000
	for _, s := range []float64{0, 0.8, 1.2} {
		p := newPicker(t, 3, population.Reuse{ZipfExponent: s}, population.Pools{Warm: warm})
		var got [warm]float64
		for n := range int64(requests) {
			i, cold := p.Pick(n)
			if cold {
				t.Fatal("a cold request")
			}
			got[i]++
		}
		sum := 0.0
		for k := range warm {
			sum += math.Pow(float64(k+1), -s)
		}
		// The sum of squared deviations, each in the measure of its variance, is of
		// the chi-squared distribution with 49 degrees of freedom: above 94.6 once in
		// ten thousand seeds.
		chi := 0.0
		for k := range warm {
			want := requests * math.Pow(float64(k+1), -s) / sum
			chi += (got[k] - want) * (got[k] - want) / want
		}
		if chi > 94.6 || chi < 20 {
			t.Errorf("exponent %v: chi-squared %.1f", s, chi)
		}
	}
}

func TestSeedsDrawOtherOrders(t *testing.T) {
	t.Parallel()
	reuse, pools := population.Reuse{ColdShare: 0.2, ZipfExponent: 1}, population.Pools{Warm: 100, Cold: 1000}
	a, b := newPicker(t, 1, reuse, pools), newPicker(t, 2, reuse, pools)
	same, coldsSame := 0, 0
	for n := range int64(1000) {
		i, cold := a.Pick(n)
		j, also := b.Pick(n)
		if i == j && cold == also {
			same++
		}
		if cold && also {
			coldsSame++
		}
	}
	// Of independent orders 4% are cold in both, and few warm ones are the same.
	if same > 150 || coldsSame > 80 {
		t.Errorf("%d of 1000 requests are the same, %d cold in both", same, coldsSame)
	}
}

// vector is a pick that other implementations can be held against.
type vector struct {
	Seed  uint32  `json:"seed"`
	Zipf  float64 `json:"zipf_exponent"`
	Share float64 `json:"cold_share"`
	Warm  int64   `json:"warm"`
	N     int64   `json:"n"`
	Index int64   `json:"index"`
	Cold  bool    `json:"cold"`
}

func TestPicksAreThoseOfEveryOtherImplementation(t *testing.T) {
	t.Parallel()
	const file = "testdata/picks.json"
	var got []vector
	for _, c := range []vector{
		{Seed: 1, Zipf: 1, Share: 0.05, Warm: 2000},
		{Seed: 4_294_967_295, Zipf: 0.7, Share: 0.333333, Warm: 10},
		{Seed: 0, Zipf: 0, Share: 1, Warm: 0},
		{Seed: 77, Zipf: 1.3, Share: 0, Warm: 100_000},
	} {
		p := newPicker(t, c.Seed, population.Reuse{ZipfExponent: c.Zipf, ColdShare: c.Share}, population.Pools{Warm: c.Warm, Cold: 1})
		for _, n := range []int64{0, 1, 2, 3, 999, 1000, 1001, 123_456, 4_294_967_295, 4_294_967_296, 4_294_968_000, 1 << 41} {
			c.N = n
			c.Index, c.Cold = p.Pick(n)
			got = append(got, c)
		}
	}
	encoded, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, append(encoded, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(encoded)+"\n" {
		t.Errorf("picks changed: corpora and k6 scripts that exist would send other requests\n%s", encoded)
	}
}
