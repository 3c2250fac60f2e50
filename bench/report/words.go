package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"
)

// duration writes a time of microseconds in the unit that suits it, to three digits.
func duration(microseconds float64) string {
	switch {
	case microseconds == 0:
		return "0"
	case microseconds < 999.5:
		return digits(microseconds) + " µs"
	case microseconds < 999.5e3:
		return digits(microseconds/1e3) + " ms"
	}
	return digits(microseconds/1e6) + " s"
}

// digits writes a number to three significant digits, or all of its whole part.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return whole(v)
}

// whole writes a number without its fraction, thousands apart.
func whole(v float64) string {
	if math.IsNaN(v) || math.Abs(v) > 1<<53 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return humanize.Comma(int64(math.Round(v)))
}

func count(n int64) string { return humanize.Comma(n) }

// rate writes a number a second.
func rate(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return whole(v)
}

// share writes a part of a whole in percent.
func share(v float64) string {
	switch {
	case v == 0:
		return "0%"
	case math.Abs(v) < 0.0001:
		return strconv.FormatFloat(v*100, 'g', 2, 64) + "%"
	}
	return strings.TrimSuffix(strconv.FormatFloat(v*100, 'f', 2, 64), ".00") + "%"
}

func shareOf(part, all int64) string {
	if all == 0 {
		return "0%"
	}
	return share(float64(part) / float64(all))
}

// bytes writes a size of memory.
func bytes(v float64) string {
	if v < 0 || math.IsNaN(v) || v > 1<<62 {
		return "?"
	}
	return humanize.IBytes(uint64(v))
}

func seconds(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " s" }

// plural writes a count of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(int64(n)) + " " + many
}

// printable takes away what would steer a terminal. A record comes from elsewhere.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
