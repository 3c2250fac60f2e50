package target_test

import (
	"context"
	"fmt"
	"os"

	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

func ExampleStart() {
	ctx := context.Background()
	sampler, err := target.Start(ctx, target.Config{PIDs: []int{os.Getpid()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Here the load goes on.
	use := sampler.Stop(ctx, 1000)
	fmt.Println(use.Source, use.Complete, *use.CPUSeconds >= 0)
	// Output: [proc] true true
}
