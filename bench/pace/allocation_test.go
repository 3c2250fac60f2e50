//go:build !race

package pace_test

import "testing"

func TestNextAllocatesNothing(t *testing.T) {
	a := profiles["spike"].Poisson(1).Arrivals()
	if n := testing.AllocsPerRun(100, func() { _, _, _ = a.Next() }); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}
