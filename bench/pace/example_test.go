package pace_test

import (
	"fmt"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func ExampleProfile_Even() {
	p, err := pace.Ramp(0, 4, 2*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	arrivals := p.Even().Arrivals()
	for {
		n, due, ok := arrivals.Next()
		if !ok {
			break
		}
		fmt.Println(n, due.Round(time.Millisecond))
	}
	// Output:
	// 0 707ms
	// 1 1.225s
	// 2 1.581s
	// 3 1.871s
}
