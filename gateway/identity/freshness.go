package identity

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Document is an answer of the backend.
type Document struct {
	Body []byte
	// MaxAge is how long the answer says it may be used, where Aged: 0 for an
	// answer that is not to be kept.
	MaxAge time.Duration
	Aged   bool
}

// freshness reads how long an answer may be used: max-age (RFC 9111 section
// 5.2.2.1) before Expires (section 5.3). A caching field that cannot be read
// counts as stale (section 4.2.1). ok is false where there is none.
func freshness(h http.Header, now time.Time) (age time.Duration, ok bool) {
	for _, field := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(field, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return 0, true
			case "max-age":
				seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
				if err != nil {
					return 0, true
				}
				age, ok = time.Duration(seconds)*time.Second, true
			}
		}
	}
	if ok {
		return age, true
	}
	if expires := h.Get("Expires"); expires != "" {
		at, err := http.ParseTime(expires)
		if err != nil {
			return 0, true
		}
		return max(0, at.Sub(now)), true
	}
	return 0, false
}
