// Package target says what a target uses while a load is on it: processor time,
// memory, its own count of requests, and the time that it says it added to them.
//
// It asks the target from outside, and any target: its metrics in Prometheus' format
// over HTTP, and, where it runs on the same machine, /proc. A [Sampler] takes a
// sample when it starts, one each [Config.Interval], and one when it stops; a [Use]
// is the difference of the last and the first.
//
// # Counters that go back
//
// A counter that is less than it was has begun anew, and what it shows is what was
// counted since. Each series is followed by itself, because the sum of those of some
// sites goes back when a site is taken away. A process that was started again is
// noticed by its start time, and so is a process id that was given to another.
//
// # Histograms
//
// Asked for protobuf, Prometheus' Go library gives native histograms, whose buckets
// grow by a factor of at most 2^(1/8), 9%, with this repository's gateway. Where there
// are none the classic buckets are used. Either way a percentile is interpolated
// within its bucket and is never in another one: "below 5 ms" is exact where 5 ms is a
// bucket's bound.
//
// # Failures
//
// What cannot be sampled at the start is an error, because the caller asked for it.
// Later on a sample that fails is counted with its reason, and the next one covers its
// time too. When the last sample fails, the use is that until the one before it, and
// [Use.Complete] is false.
//
// A process that has ended fails one sample and is left out of those that follow; what it
// used after the sample before is not known, and with it not what a request cost.
//
// # Cost
//
// A sample of this repository's gateway (26 KB) takes some 1 ms of processor time here
// and 1 to 2 ms at the target, where it counts as the target's own: 0.2% of a processor
// at one sample a second. A process of this machine takes some 0.1 ms, and 40 µs for each
// of its threads. [Use.Cost] has the time that it took. All
// is bounded: a scrape by [Config.MaxBytes] and [Config.Timeout], the series that are
// kept by [MaxSeries], the points of [Use.Series] by [MaxPoints].
package target
