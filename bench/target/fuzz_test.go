package target

import (
	"bytes"
	"errors"
	"testing"

	"github.com/prometheus/common/expfmt"
)

func FuzzMetricsAreReadOrRefused(f *testing.F) {
	f.Add([]byte("a_total{x=\"1\"} 2\n"), false)
	f.Add([]byte("# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n"), false)
	f.Add([]byte("process_cpu_seconds_total NaN\n"), false)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, true)
	page := newPage()
	page.overhead.Observe(0.001)
	f.Add(page.encode(expfmt.NewFormat(expfmt.TypeProtoDelim)), true)
	f.Add(page.encode(expfmt.NewFormat(expfmt.TypeTextPlain)), false)
	f.Fuzz(func(t *testing.T, body []byte, proto bool) {
		format := expfmt.NewFormat(expfmt.TypeTextPlain)
		if proto {
			format = expfmt.NewFormat(expfmt.TypeProtoDelim)
		}
		families, err := decode(bytes.Clone(body), format)
		if err != nil {
			if failed := failure(""); !errors.As(err, &failed) {
				t.Fatalf("an error that is no failure: %v", err)
			}
			return
		}
		i := newInstance(scraper{}, DefaultRequests, DefaultOverhead)
		i.take(families, true)
		i.take(families, false)
		for _, family := range families {
			for _, m := range family.GetMetric() {
				h := readHistogram(m.GetHistogram())
				if h == nil {
					continue
				}
				if more, anew := h.since(h); anew || more.count != 0 {
					t.Fatalf("a histogram has more than itself: %+v, %v", more, anew)
				}
				twice := histogram{}
				twice.add(h)
				twice.add(h)
				list, _ := twice.buckets()
				_, _ = quantile(list, twice.count, 0.99)
				_ = twice.overhead()
			}
		}
		if i.resets > 0 {
			t.Fatal("the same metrics went back")
		}
	})
}
