package record_test

import (
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// TestMergedCostOfARequestIsByACountOfAllMachines has two machines that watched one target: its own
// count is that of both, and the answers that a generator had are its own alone.
func TestMergedCostOfARequestIsByACountOfAllMachines(t *testing.T) {
	t.Parallel()
	const told, all = 42.0, 1e6 / (2 * 198)
	for name, c := range map[string]struct {
		use  target.Use
		want float64 // 0 is none
	}{
		"counted by the target":     {target.Use{Complete: true, Requests: new(int64(400)), RequestsOf: target.OfTarget}, told},
		"counted by nobody else":    {target.Use{Complete: true, RequestsOf: target.OfGenerator}, all},
		"counted by a part of it":   {target.Use{Complete: true, Requests: new(int64(200)), RequestsOf: target.OfGenerator}, all},
		"a process had ended":       {target.Use{Complete: true, Gone: 1}, 0},
		"not watched until the end": {target.Use{}, 0},
	} {
		c.use.CPUSeconds = new(1.0)
		if c.want > 0 {
			c.use.CPUMicrosecondsPerRequest = new(told)
		}
		a, b := file(result(t, 0)), file(result(t, 0))
		a.Runs[0].Target = &c.use
		sum, err := record.Merge([]*record.File{a, b}, []string{"a", "b"}, false)
		if err != nil {
			t.Fatal(err)
		}
		got := sum.Runs[0].Target.CPUMicrosecondsPerRequest
		if (got != nil) != (c.want > 0) || got != nil && *got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
