package target

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page is a target's metrics, as its library has them.
type page struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	overhead prometheus.Histogram

	cpu, rss, started atomic.Int64 // in ms, bytes, s
}

func newPage() *page { return newPageOf(true) }

func newPageOf(native bool) *page {
	p := &page{registry: prometheus.NewRegistry()}
	p.rss.Store(50 << 20)
	p.started.Store(1_000_000)
	p.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: DefaultRequests}, []string{"site", "outcome", "reason"})
	opts := prometheus.HistogramOpts{Name: DefaultOverhead, Buckets: []float64{1e-3, 5e-3, 0.1}}
	if native {
		opts.NativeHistogramBucketFactor = 1.1
	}
	p.overhead = prometheus.NewHistogram(opts)
	p.registry.MustRegister(
		p.requests, p.overhead,
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: nameCPU}, func() float64 { return float64(p.cpu.Load()) / 1e3 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: nameRSS}, func() float64 { return float64(p.rss.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: nameStart}, func() float64 { return float64(p.started.Load()) }),
	)
	return p
}

// encode writes the page in a format.
func (p *page) encode(format expfmt.Format) []byte {
	var out bytes.Buffer
	families, err := p.registry.Gather()
	if err != nil {
		panic(err)
	}
	for enc, n := expfmt.NewEncoder(&out, format), 0; n < len(families); n++ {
		if err := enc.Encode(families[n]); err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}

func (p *page) handler() http.Handler {
	return promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{})
}

// serve starts a server that is asked for metrics.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/metrics"
}

// ticking is a clock that is told what time it is.
type ticking struct{ now time.Time }

func (c *ticking) read() time.Time { return c.now }

func (c *ticking) step() { c.now = c.now.Add(time.Second) }
