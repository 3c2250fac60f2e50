package identity

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Document is an answer of the backend.
type Document struct {
	Body []byte
	// MaxAge is how long the answer says it may be used from now on, where
	// Aged: 0 for an answer that is not to be kept, or was kept too long on its
	// way.
	MaxAge time.Duration
	Aged   bool
}

// freshness reads how long an answer may still be used (RFC 9111 section 4.2).
// ok is false where it does not say.
func freshness(h http.Header, now time.Time) (left time.Duration, ok bool) {
	lifetime, ok := lifetime(h, now)
	if !ok {
		return 0, false
	}
	// RFC 9111 section 5.1: an Age that cannot be read is ignored.
	if age, ok := deltaSeconds(h.Get("Age")); ok {
		lifetime -= age
	}
	return max(0, lifetime), true
}

// lifetime reads how long an answer may be used from when it was made: max-age
// (RFC 9111 section 5.2.2.1) before Expires (section 5.3). What cannot be read
// counts as stale (section 4.2.1).
func lifetime(h http.Header, now time.Time) (age time.Duration, ok bool) {
	for _, field := range h.Values("Cache-Control") {
		for field != "" {
			var directive string
			directive, field = nextDirective(field)
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return 0, true
			case "max-age":
				if !ok { // RFC 9111 section 4.2.1: of two, the first.
					age, _ = deltaSeconds(strings.Trim(value, `"`))
				}
				ok = true
			}
		}
	}
	if ok {
		return age, true
	}
	if len(h.Values("Expires")) == 0 {
		return 0, false
	}
	expires, err := http.ParseTime(h.Get("Expires"))
	if err != nil {
		return 0, true
	}
	// By the backend's own clock, where it tells the time.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(0, expires.Sub(now)), true
}

// nextDirective cuts a list at its first comma that is not quoted (RFC 9110
// section 5.6.4).
func nextDirective(list string) (directive, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

// deltaSeconds reads a number of seconds; one that is too large is the greatest
// (RFC 9111 section 1.2.2).
func deltaSeconds(s string) (time.Duration, bool) {
	seconds, err := strconv.ParseUint(s, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		seconds, err = math.MaxInt32, nil
	}
	return time.Duration(seconds) * time.Second, err == nil
}
