package target

import (
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// histogram is a distribution of seconds: the classic buckets, and the native ones
// where the target has them. Counts are differences, and therefore floats.
type histogram struct {
	count, sum float64
	classic    map[float64]float64 // not cumulative, by upper bound; without +Inf
	native     *native
}

// native are the buckets of a native histogram. Bucket i has what is in
// (2^((i-1)/2^schema), 2^(i/2^schema)].
type native struct {
	schema  int32
	zero    float64
	buckets map[int32]float64
}

// The schemas of native histograms with exponential buckets. Others, as that of
// custom bounds, are not read: the classic buckets remain.
const minSchema, maxSchema = -4, 8

// maxBuckets bounds a histogram: what has more is not read.
const maxBuckets = 4096

// readHistogram returns nil for what is no histogram, or one that is out of bounds.
func readHistogram(h *dto.Histogram) *histogram {
	if h == nil || len(h.GetBucket()) > maxBuckets || len(h.GetPositiveSpan()) > maxBuckets {
		return nil
	}
	out := &histogram{count: float64(h.GetSampleCount()), sum: h.GetSampleSum(), classic: map[float64]float64{}}
	last := 0.0
	for _, b := range h.GetBucket() {
		n := float64(b.GetCumulativeCount())
		if n < last {
			return nil
		}
		if !math.IsInf(b.GetUpperBound(), 1) && !math.IsNaN(b.GetUpperBound()) {
			out.classic[b.GetUpperBound()] = n - last
		}
		last = n
	}
	out.native = readNative(h)
	return out
}

func readNative(h *dto.Histogram) *native {
	if h.Schema == nil || h.GetSchema() < minSchema || h.GetSchema() > maxSchema {
		return nil
	}
	// One that is empty has no span; its threshold says that it is native.
	if len(h.GetPositiveSpan()) == 0 && h.GetZeroThreshold() == 0 && h.GetZeroCount() == 0 {
		return nil
	}
	n := &native{schema: h.GetSchema(), zero: float64(h.GetZeroCount()), buckets: map[int32]float64{}}
	deltas := h.GetPositiveDelta()
	index, count := int64(0), int64(0)
	for i, span := range h.GetPositiveSpan() {
		index += int64(span.GetOffset())
		if i > 0 && span.GetOffset() < 0 || int64(span.GetLength()) > int64(len(deltas)) {
			return nil
		}
		for range span.GetLength() {
			count += deltas[0]
			if count < 0 || index < math.MinInt32 || index > math.MaxInt32 || len(n.buckets) >= maxBuckets {
				return nil
			}
			n.buckets[int32(index)] = float64(count)
			deltas = deltas[1:]
			index++
		}
	}
	return n
}

// coarser merges buckets until the schema is the given one, which is not larger.
func (n *native) coarser(schema int32) *native {
	if schema >= n.schema {
		return n
	}
	shift := n.schema - schema
	out := &native{schema: schema, zero: n.zero, buckets: map[int32]float64{}}
	for i, c := range n.buckets {
		out.buckets[((i-1)>>shift)+1] += c
	}
	return out
}

// since returns what h has more than before, and whether h began anew after it: then
// it is all of h.
func (h *histogram) since(before *histogram) (more *histogram, anew bool) {
	if before == nil {
		return h, false
	}
	if h.count < before.count || len(h.classic) != len(before.classic) {
		return h, true
	}
	more = &histogram{count: h.count - before.count, sum: h.sum - before.sum, classic: map[float64]float64{}}
	for bound, n := range h.classic {
		was, ok := before.classic[bound]
		if !ok || n < was {
			return h, true
		}
		more.classic[bound] = n - was
	}
	if h.native != nil && before.native != nil {
		// A schema only grows when a histogram begins anew.
		if h.native.schema > before.native.schema {
			return h, true
		}
		was := before.native.coarser(h.native.schema)
		more.native = &native{schema: h.native.schema, zero: h.native.zero - was.zero, buckets: map[int32]float64{}}
		for i, n := range h.native.buckets {
			if d := n - was.buckets[i]; d >= 0 {
				more.native.buckets[i] = d
			} else {
				return h, true
			}
		}
	}
	return more, false
}

// add adds another distribution to h. The native buckets remain only where both have
// them.
func (h *histogram) add(other *histogram) {
	first := h.count == 0 && h.native == nil && len(h.classic) == 0
	h.count += other.count
	h.sum += other.sum
	if h.classic == nil {
		h.classic = map[float64]float64{}
	}
	for bound, n := range other.classic {
		h.classic[bound] += n
	}
	switch {
	case other.count == 0 && !first:
	case first && other.native != nil:
		h.native = other.native
	case h.native == nil || other.native == nil:
		h.native = nil
	default:
		schema := min(h.native.schema, other.native.schema)
		merged := &native{schema: schema, zero: h.native.zero + other.native.zero, buckets: map[int32]float64{}}
		for _, n := range []*native{h.native.coarser(schema), other.native.coarser(schema)} {
			for i, c := range n.buckets {
				merged.buckets[i] += c
			}
		}
		h.native = merged
	}
}

// bucket is a stretch of values and how many are in it.
type bucket struct{ from, to, n float64 }

// buckets lists the finest buckets that h has, in order, and says which they are.
func (h *histogram) buckets() (list []bucket, kind string) {
	if h.native != nil {
		if h.native.zero > 0 {
			list = append(list, bucket{n: h.native.zero})
		}
		width := math.Exp2(float64(-h.native.schema))
		for i, n := range h.native.buckets {
			list = append(list, bucket{from: math.Exp2(float64(i-1) * width), to: math.Exp2(float64(i) * width), n: n})
		}
		kind = "native"
	} else {
		for bound, n := range h.classic {
			list = append(list, bucket{to: bound, n: n})
		}
		kind = "classic"
	}
	slices.SortFunc(list, func(a, b bucket) int {
		switch {
		case a.to < b.to:
			return -1
		case a.to > b.to:
			return 1
		}
		return 0
	})
	if kind == "classic" {
		for i := 1; i < len(list); i++ {
			list[i].from = list[i-1].to
		}
	}
	return list, kind
}

// quantile is the value below which a share q of all are, in seconds: interpolated in
// a straight line within its bucket. It is false where it lies above all buckets, or
// there is nothing.
func quantile(list []bucket, count, q float64) (float64, bool) {
	if count <= 0 {
		return 0, false
	}
	rank := q * count
	for _, b := range list {
		if rank -= b.n; rank <= 0 && b.n > 0 {
			return b.to + (b.to-b.from)*rank/b.n, true
		}
	}
	return 0, false
}
