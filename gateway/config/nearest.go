package config

import (
	"strconv"
	"strings"
)

// quote bounds and quotes a value of the file for a message.
func quote(s string) string { return strconv.Quote(clip(s)) }

// didYouMean returns "; did you mean …?" for the candidate nearest to s, or ""
// where none is near.
func didYouMean(s string, candidates []string) string {
	// What every variable begins with makes none nearer.
	best, least := "", 1+max(1, len(strings.TrimPrefix(s, envPrefix))/3)
	for _, c := range candidates {
		if d := distance(s, c); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the least number of single-byte insertions, deletions,
// substitutions and swaps of neighbours that turn a into b. Words longer than
// 128 bytes are as far from everything as they are long.
func distance(a, b string) int {
	if max(len(a), len(b)) > 128 {
		return max(len(a), len(b))
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
