package admin

import "slices"

// audit is who wants to change what. A key id is public and no personal data.
type audit struct{ action, issuer, kid, remote, by string }

func (a audit) past() string {
	if a.action == "purge" {
		return "purged"
	}
	return "allowed"
}

// ofKeys reports whether it is a change of keys, which names some.
func (a audit) ofKeys() bool { return a.action == "purge" || a.action == "allow" }

// audit writes a line about a; n counts the keys that a change of keys met.
func (g *gate) audit(a audit, result string, n int, more ...any) {
	about := []any{"action", a.action}
	if a.ofKeys() {
		about = append(about, "issuer", a.issuer, "kid", a.kid)
	}
	about = append(about, "remote", a.remote, "by", a.by, "result", result)
	if a.ofKeys() {
		about = append(about, "keys", n)
	}
	g.log.Info("audit", slices.Concat(about, more)...)
}
