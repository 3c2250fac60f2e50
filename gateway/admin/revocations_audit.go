package admin

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// maxAuditedEntries bounds the lines of one call that are about an entry each.
const maxAuditedEntries = 20

// auditEntries writes a line about each of the first entries of a call, and one
// that sums up the call where there are more.
func (v *revocations) auditEntries(line audit, c *revocationChange, result string, more ...any) {
	for i, e := range c.entries[:min(len(c.entries), maxAuditedEntries)] {
		about := []any{
			"kind", e.Kind.String(), "issuer", c.names[i], "digest", v.cfg.Digest(e),
			"until", e.Until.UTC(), "why", c.reason, "entries", len(c.entries),
		}
		if e.Kind == revocation.KindSubject || e.Kind == revocation.KindClient {
			about = append(about, before(e))
		}
		v.audit(line, result, 0, slices.Concat(about, more)...)
	}
	if left := len(c.entries) - maxAuditedEntries; left > 0 {
		v.audit(line, result, 0, slices.Concat([]any{
			"kinds", kinds(c.entries), "why", c.reason, "entries", len(c.entries), "not_listed", left,
		}, more)...)
	}
}

// before is a time, or all.
func before(e revocation.Entry) slog.Attr {
	if e.Before.IsZero() {
		return slog.String("before", "all")
	}
	return slog.Time("before", e.Before.UTC())
}

// kinds counts entries by kind: "token 3, subject 9997".
func kinds(entries []revocation.Entry) string {
	counts := make(map[revocation.Kind]int)
	for _, e := range entries {
		counts[e.Kind]++
	}
	var parts []string
	for _, k := range revocation.Kinds() {
		if counts[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
		}
	}
	return strings.Join(parts, ", ")
}
