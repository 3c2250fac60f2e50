//go:build !race

package metrics_test

import (
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
)

func TestObservingARequestAllocatesNothing(t *testing.T) {
	m := metrics.New(reasons, "v1", sample)
	site := m.Site("hanoi")
	observe := func() {
		site.Request(metrics.Allowed, 0, 3*time.Millisecond, 20*time.Microsecond)
		m.Stage(metrics.StageLookup, time.Microsecond)
	}
	observe()
	if n := testing.AllocsPerRun(1000, observe); n != 0 {
		t.Errorf("%v allocations for a request, want none", n)
	}
}

func BenchmarkObserveRequest(b *testing.B) {
	m := metrics.New(reasons, "v1", sample)
	site := m.Site("hanoi")
	b.ReportAllocs()
	for b.Loop() {
		site.Request(metrics.Allowed, 0, 3*time.Millisecond, 20*time.Microsecond)
	}
}
