package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes. In YAML it is an integer, or an integer with a
// unit: KiB, MiB or GiB.
type Bytes int64

const (
	kib Bytes = 1 << 10
	mib Bytes = 1 << 20
	gib Bytes = 1 << 30
)

// ParseBytes reads a size: decimal digits without a leading zero, optionally followed
// by KiB, MiB or GiB, with or without one space before the unit. It fails with
// [ErrBytesSyntax], also for a size beyond 2^63-1.
func ParseBytes(s string) (Bytes, error) {
	digits, unit := s, Bytes(1)
	for _, u := range []struct {
		name string
		size Bytes
	}{{"KiB", kib}, {"MiB", mib}, {"GiB", gib}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			digits, unit = strings.TrimSuffix(rest, " "), u.size
			break
		}
	}
	if !isDigits(digits) || len(digits) > 1 && digits[0] == '0' {
		return 0, fmt.Errorf("%w: %q", ErrBytesSyntax, clip(s))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("%w: %q is too large", ErrBytesSyntax, clip(s))
	}
	return Bytes(n) * unit, nil
}

// String writes b in the largest unit that divides it, as ParseBytes reads it.
func (b Bytes) String() string {
	switch {
	case b != 0 && b%gib == 0:
		return strconv.FormatInt(int64(b/gib), 10) + "GiB"
	case b != 0 && b%mib == 0:
		return strconv.FormatInt(int64(b/mib), 10) + "MiB"
	case b != 0 && b%kib == 0:
		return strconv.FormatInt(int64(b/kib), 10) + "KiB"
	}
	return strconv.FormatInt(int64(b), 10)
}

func isDigits(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
