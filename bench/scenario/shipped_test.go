package scenario

import (
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/scenarios"
)

// TestEveryShippedScenarioCanBeRun guards that what is shipped can be read, has the name of its file, scales, and asks for
// a population that can be minted.
func TestEveryShippedScenarioCanBeRun(t *testing.T) {
	t.Parallel()
	names := scenarios.Names()
	if len(names) < 11 {
		t.Fatalf("%d scenarios are shipped, the issue asks for 11", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, _ := scenarios.Read(name)
			s, err := Parse(name+scenarios.Extension, raw)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != name {
				t.Errorf("it calls itself %q", s.Name)
			}
			for _, scale := range []float64{1, 0.05} {
				scaled, err := s.Scale(scale, 0)
				if err != nil {
					t.Fatal(err)
				}
				config, err := scaled.config()
				if err != nil {
					t.Fatal(err)
				}
				if s.Population.ColdShare > 0 && config.Cold == 0 {
					t.Error("it has no cold tokens")
				}
			}
		})
	}
}
