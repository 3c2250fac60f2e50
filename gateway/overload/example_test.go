package overload_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
)

// A request's way through the package, where every step says yes.
func Example() {
	limits, err := overload.NewRateLimits(overload.RateLimitsConfig{
		Source: overload.Rate{PerSecond: 50, Burst: 100},
		Client: overload.Rate{PerSecond: 10},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	shedder, err := overload.NewShedder(overload.ShedderConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	site := shedder.Site(1)
	verifications, err := overload.NewVerifications(overload.VerificationsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifications.Close()

	now := time.Now()
	fmt.Println("rate of the source and the site:", limits.Arrive(netip.MustParseAddr("192.0.2.1"), now).Over)
	fmt.Println("let in:", shedder.Enter(site))
	defer shedder.Leave(site)
	fmt.Println("a new token:", shedder.Verify())
	fmt.Println("its turn:", verifications.Acquire(now))
	verifications.Release(time.Now(), time.Since(now))
	client := overload.Key{1} // of the digest of its name
	fmt.Println("rate of the client:", limits.Client(&client, time.Now()).Over)
	// Output:
	// rate of the source and the site: none
	// let in: admitted
	// a new token: admitted
	// its turn: admitted
	// rate of the client: none
}
