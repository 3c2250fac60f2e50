package limit_test

import (
	"context"
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/limit"
)

func ExampleFind() {
	// A target that always keeps the objective up to 3,000 requests a second.
	try := func(_ context.Context, rate float64) (limit.Trial, error) {
		if rate > 3000 {
			return limit.Trial{Outcome: limit.OutcomeBroken}, nil
		}
		return limit.Trial{Outcome: limit.OutcomeKept}, nil
	}
	r, err := limit.Find(context.Background(), limit.Config{}, try, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f to %.0f after %d trials: %s\n", *r.LowPerSecond, *r.HighPerSecond, len(r.Trials), r.Ended)
	// Output: 2861 to 3148 after 25 trials: found
}
