package target

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// read gathers a histogram as a scrape would have it.
func read(t *testing.T, h prometheus.Metric) *histogram {
	t.Helper()
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		t.Fatal(err)
	}
	out := readHistogram(m.GetHistogram())
	if out == nil {
		t.Fatal("it is not read")
	}
	return out
}

func TestPercentilesOfNativeBucketsAreWithinABucket(t *testing.T) {
	t.Parallel()
	for _, most := range []uint32{0, 10} { // with 10 buckets the schema gets coarser on the way
		h := prometheus.NewHistogram(prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: most})
		rng := rand.New(rand.NewPCG(1, 2))
		h.Observe(1e-3)
		before := read(t, h)
		var values []float64
		for range 5000 {
			v := math.Exp(rng.NormFloat64()) * 1e-3
			values = append(values, v)
			h.Observe(v)
		}
		slices.Sort(values)
		more, anew := read(t, h).since(before)
		if anew || more.count != 5000 {
			t.Fatalf("%v times, anew %v", more.count, anew)
		}
		list, kind := more.buckets()
		widest := math.Exp2(math.Exp2(float64(-more.native.schema)))
		if kind != "native" || (most == 0) != (widest < 1.1) {
			t.Fatalf("%s buckets, each %v times the one before", kind, widest)
		}
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99} {
			got, ok := quantile(list, more.count, q)
			want := values[int(q*5000)-1]
			if !ok || got/want > widest || want/got > widest {
				t.Errorf("of %d buckets: p%v is %v, want %v", most, q*100, got, want)
			}
		}
	}
}

func TestHistogramThatWasEmptyIsNativeToo(t *testing.T) {
	t.Parallel()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Buckets: []float64{1}, NativeHistogramBucketFactor: 1.1})
	before := read(t, h)
	h.Observe(0.01)
	more, _ := read(t, h).since(before)
	sum := histogram{}
	sum.add(read(t, prometheus.NewHistogram(prometheus.HistogramOpts{Buckets: []float64{1}, NativeHistogramBucketFactor: 1.1}))) // of a site without requests
	sum.add(more)
	if o := sum.overhead(); o.Buckets != "native" || !near(o.P50Microseconds, 10_000, 0.1) {
		t.Errorf("%+v", o)
	}
}

func TestHistogramThatBeganAnewIsCountedWhole(t *testing.T) {
	t.Parallel()
	opts := prometheus.HistogramOpts{Buckets: []float64{1, 2}}
	old := prometheus.NewHistogram(opts)
	old.Observe(0.5)
	fresh := prometheus.NewHistogram(opts)
	fresh.Observe(1.5)
	fresh.Observe(1.5)
	// More in all, and yet less in a bucket.
	if more, anew := read(t, fresh).since(read(t, old)); !anew || more.count != 2 {
		t.Errorf("%+v, anew %v", more, anew)
	}
	other := prometheus.NewHistogram(prometheus.HistogramOpts{Buckets: []float64{1, 3}})
	other.Observe(0.5)
	if _, anew := read(t, other).since(read(t, old)); !anew {
		t.Error("other buckets are another histogram")
	}
}

func TestHistogramOutOfBoundsIsNotRead(t *testing.T) {
	t.Parallel()
	ptr := func(n uint64) *uint64 { return &n }
	bound := func(v float64) *float64 { return &v }
	falls := &dto.Histogram{SampleCount: ptr(3), Bucket: []*dto.Bucket{
		{UpperBound: bound(1), CumulativeCount: ptr(3)}, {UpperBound: bound(2), CumulativeCount: ptr(2)},
	}}
	if readHistogram(falls) != nil || readHistogram(nil) != nil {
		t.Error("cumulative counts that fall were read")
	}
	schema, offset, length := int32(3), int32(0), uint32(math.MaxUint32)
	long := &dto.Histogram{SampleCount: ptr(3), Schema: &schema, PositiveSpan: []*dto.BucketSpan{{Offset: &offset, Length: &length}}, PositiveDelta: []int64{3}}
	if h := readHistogram(long); h == nil || h.native != nil {
		t.Error("a span that is longer than its counts was read")
	}
}
