package admin

// audit is who wants to change what. A key id is public and no personal data.
type audit struct{ action, issuer, kid, remote string }

func (a audit) past() string {
	if a.action == "purge" {
		return "purged"
	}
	return "allowed"
}

// audit writes a line about a; n counts the keys that a change of keys met.
func (g *gate) audit(a audit, result string, n int, more ...any) {
	about := []any{"action", a.action, "remote", a.remote, "result", result}
	if a.action != "reload" {
		about = []any{
			"action", a.action, "issuer", a.issuer, "kid", a.kid, "remote", a.remote, "result", result, "keys", n,
		}
	}
	g.log.Info("audit", append(about, more...)...)
}
