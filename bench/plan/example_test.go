package plan_test

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
)

// A province with two zones.
func Example() {
	in, err := plan.DecodeInput("province.yaml", []byte(`
population: { logins_per_day: 400_000, surges: [] }
deployment: { zones: 2, cores_per_replica: 1 }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := plan.Make(in, plan.DefaultCost())
	if err != nil {
		fmt.Println(err)
		return
	}
	t := r.Tiers[0]
	fmt.Printf("%.0f verifications/s: %d replicas, %.0f MiB each\n", t.VerificationsPerSecond, t.Replicas, t.PerReplica.MemoryBytes/(1<<20))
	// Output: 667 verifications/s: 4 replicas, 752 MiB each
}
