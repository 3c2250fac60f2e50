package population_test

import (
	"context"
	"fmt"
	"os"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// Minting a small population and reading its requests.
func Example() {
	dir, err := os.MkdirTemp("", "corpus")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing to be done about it
	config := population.DefaultConfig()
	config.Warm, config.Cold = 100, 50
	config.Algorithms = []population.Part[string]{{Of: "ES256", Share: 1}}
	config.Classes = []population.Part[population.Class]{{Of: population.Expired, Share: 0.02}}
	corpus, err := population.Mint(context.Background(), dir, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, class := range corpus.Manifest.Classes {
		fmt.Printf("%s: %.0f%% of the requests\n", class.Class, 100*class.RequestShare)
	}
	for line, err := range corpus.Lines() {
		fmt.Println(line.Class, line.Pool, line.Method, line.Host, line.Path, line.Expect.Status, err)
		break
	}
	// Output:
	// valid: 98% of the requests
	// expired: 2% of the requests
	// valid warm GET dichvucong.gov.vn /api/thu-tuc [200] <nil>
}
