package statuslist_test

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
)

// What the application makes of a status is decided in one place.
func ExampleLists_Allows() {
	var lists *statuslist.Lists // an issuer without lists
	for _, status := range []statuslist.Status{statuslist.Valid, statuslist.Suspended, statuslist.Foreign} {
		fmt.Println(status, lists.Allows(status))
	}
	// Output:
	// valid true
	// suspended false
	// foreign false
}
