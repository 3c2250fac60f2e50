//go:build !race

package limit

// seeds is how many simulated targets an interval is tried on.
const seeds = 300
