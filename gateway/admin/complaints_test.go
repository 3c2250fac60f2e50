package admin

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestComplaintsOfTheServerAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, lines := logged()
		c := newComplaints(log)
		for range 10 * auditBurst {
			c.Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:1")
		}
		if got := strings.Count(lines.String(), "level=WARN msg=\"admin listener\" error=\"http: TLS handshake error from 192.0.2.1:1: EOF\"\n"); got != auditBurst {
			t.Errorf("%d lines: %s", got, lines)
		}
		lines.Reset()
		time.Sleep(time.Second)
		for range auditBurst {
			c.Printf("again")
		}
		if got := strings.Count(lines.String(), "again"); got != auditPerSecond {
			t.Errorf("%d lines a second later", got)
		}
	})
}
