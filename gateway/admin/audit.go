package admin

import "log/slog"

// audit is who wants to change what. A key id is public and no personal data.
type audit struct{ action, issuer, kid, remote string }

func (a audit) past() string {
	if a.action == "purge" {
		return "purged"
	}
	return "allowed"
}

func (c *keyChanges) audit(a audit, result string, n int, more ...any) {
	c.log.Info("audit", append([]any{
		"action", a.action, "issuer", a.issuer, "kid", a.kid, "remote", a.remote, "result", result, "keys", n,
	}, more...)...)
}

// attempt audits a change that its sender may not make. Anybody who reaches
// the listener can cause these, so they are bounded in number.
func (c *keyChanges) attempt(a audit, reason string) {
	c.auditing.Lock()
	defer c.auditing.Unlock()
	if !c.attempts.Allow() {
		c.omitted++
		return
	}
	c.audit(a, "refused", 0, slog.String("reason", reason), slog.Uint64("omitted", c.omitted))
	c.omitted = 0
}
