package population_test

import (
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// BenchmarkPick is what it costs to find out which of a million warm requests is
// the n-th.
func BenchmarkPick(b *testing.B) {
	p, err := population.NewPicker(1, population.Reuse{ZipfExponent: 1, ColdShare: 0.1}, population.Pools{Warm: 1_000_000, Cold: 1})
	if err != nil {
		b.Fatal(err)
	}
	for n := int64(0); b.Loop(); n++ {
		p.Pick(n)
	}
}

func BenchmarkParseLine(b *testing.B) {
	raw := []byte(goodLine)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := population.ParseLine(raw); err != nil {
			b.Fatal(err)
		}
	}
}
