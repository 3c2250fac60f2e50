package gateway

import (
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// gathered returns every metric of the gateway's own by its short name.
func (r *rig) gathered() map[string]*dto.MetricFamily {
	r.tb.Helper()
	families, err := r.metrics.Gatherer().Gather()
	if err != nil {
		r.tb.Fatal(err)
	}
	found := make(map[string]*dto.MetricFamily)
	for _, f := range families {
		if name, ours := strings.CutPrefix(f.GetName(), "vneid_gateway_"); ours {
			found[name] = f
		}
	}
	return found
}

// metric returns the sum of a counter's or gauge's values, or of a histogram's
// counts, over the children that have the given labels ("name=value").
func (r *rig) metric(name string, labels ...string) float64 {
	r.tb.Helper()
	sum := 0.0
	for _, m := range r.gathered()[name].GetMetric() {
		if hasLabels(m, labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

func hasLabels(m *dto.Metric, labels []string) bool {
	for _, want := range labels {
		found := false
		for _, l := range m.GetLabel() {
			found = found || l.GetName()+"="+l.GetValue() == want
		}
		if !found {
			return false
		}
	}
	return true
}

func (r *rig) wantMetric(want float64, name string, labels ...string) {
	r.tb.Helper()
	if got := r.metric(name, labels...); got != want {
		r.tb.Errorf("%s%v = %v, want %v", name, labels, got, want)
	}
}
