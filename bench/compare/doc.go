// Package compare says whether what was measured on two sides, say before and after a change,
// differs, and how sure that is.
//
// # What is compared
//
// Runs. A run of a load is one sample of each [Metric], and runs of one name and one load (loop,
// rate, duration, connections, TLS), in as many records as a side has, are samples of one thing. Requests are not: those of one run wait for each
// other, share its warm-up and its neighbours on the machine, so that resampling a run's histogram
// (a bootstrap) would find differences between two runs of the same program. Of single runs
// nothing can be said, and nothing is. So it is for the intervals of a series, each of which goes
// on from the last.
//
// Of searches for the highest rate (find-max), each is one sample; of proxies side by side (peers),
// each round is.
//
// A percentile is compared where at least ten requests of each run were slower than it. Runs in
// which the generator was the bottleneck, or which were interrupted, are left out, with a warning,
// and so is what a request cost a target of which a process ended meanwhile.
//
// # How
//
// The change is the Hodges-Lehmann estimate: of m and n samples, the median of the m·n quotients
// new/base, and its interval is the exact one that belongs to the Mann-Whitney U test, from the
// quantiles of U; no distribution is assumed. Of values that may be 0 it is the median of the
// differences. p is that of the U test (golang.org/x/perf/benchmath, as benchstat has it).
//
// Where even samples that do not overlap would not have given a p below the level, which takes
// 4 and 4 runs at 5%, the verdict is [TooFew]. A p above the level is not "no change" either: it is
// [Unclear], unless the whole interval is so near 0 that the change is known to be less than
// what is allowed, [Alike].
//
// Every metric is tested by itself: of 20 that did not change, one is expected to look as if it did at a
// level of 5%. That is why a regression has also to be larger than what is allowed.
package compare
