//go:build !race

package upstream_test

// passing is what passes in a test of bounded memory.
const passing = 1 << 30
