//go:build race

package upstream_test

// passing is less under the race detector, which looks at every byte.
const passing = 1 << 27
