package k6_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// The gateway itself gives every class of a minted corpus what it must get, as k6
// sees it.
func TestGatewayGivesTheCorpusWhatItMustGet(t *testing.T) {
	t.Parallel()
	binary(t)
	gateway := filepath.Join(t.TempDir(), "vneid-gateway")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", gateway, "./cmd/vneid-gateway")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	config := population.DefaultConfig()
	config.Warm, config.Cold, config.Reuse.ColdShare = 200, 200, 0.2
	config.IssuerURL = "http://" + free(t)
	config.Classes = nil
	for _, class := range population.Classes() {
		if class != population.Valid { // It is what is left.
			config.Classes = append(config.Classes, population.Part[population.Class]{Of: class, Share: 0.05})
		}
	}
	dir := filepath.Join(t.TempDir(), "corpus")
	if _, err := population.Mint(t.Context(), dir, config); err != nil {
		t.Fatal(err)
	}
	s, err := stand.Start(t.Context(), stand.Config{Gateway: gateway, Corpus: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	status, sum, out := run(t, "http://"+s.Address(), dir, nil, "RATE=90", "DURATION=1s", "VUS=100")
	if status != exitGood || sum.Requests < 45 || sum.WrongVerdicts != 0 {
		t.Errorf("exit status %d, %d requests\n%s", status, sum.Requests, out)
	}
	if len(sum.Classes) < len(config.Classes)-2 {
		t.Errorf("%d classes of %d came up\n%s", len(sum.Classes), len(config.Classes)+1, out)
	}
}

// free returns an address on loopback that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
