package compare_test

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/compare"
)

// Four runs before a change and four after it, each of which took half as long again.
func ExampleCompare() {
	before := side("before", nil, 1000, 1010, 1020, 1030)
	after := side("after", nil, 1500, 1510, 1520, 1530)
	r, err := compare.Compare(before, after, compare.Options{MaxRegression: 0.05})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range r.Loads[0].Metrics {
		if m.Regression {
			fmt.Printf("%s: %+.0f%%, p = %.3f\n", m.Name, *m.ChangeShare*100, *m.P)
		}
	}
	// Output:
	// latency p99: +49%, p = 0.029
	// latency p99.9: +49%, p = 0.029
}
