package gateway

import (
	"fmt"
	"testing"
	"time"
)

const ratedSite = `
    issuers: [vneid]
    rate_limits: { source: { per_second: 1, burst: 2 } }
    rules: [{ paths: [/open/**], access: public }]`

// spend sends requests for one address behind a proxy, and returns how many
// were let through.
func (r *rig) spend(forwardedFor string, n int) (served int) {
	r.tb.Helper()
	for range n {
		a := r.get("/open/x", "X-Forwarded-For: "+forwardedFor)
		switch a.status {
		case 200:
			served++
		case 429:
			if a.code != "rate_limited" || a.header.Get("Retry-After") == "" {
				r.tb.Errorf("%s, Retry-After %q", a.code, a.header.Get("Retry-After"))
			}
		default:
			r.tb.Errorf("%d %s", a.status, a.code)
		}
	}
	return served
}

// within is how many a burst, and one a second from then on, let through.
func within(burst int, since time.Time) int {
	return burst + 1 + int(time.Since(since)/time.Second)
}

func TestASourceBehindATrustedProxyIsBoundedForItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: ratedSite, trusted: "127.0.0.0/8"})
	// The last address is the proxy's word; those before it are the client's.
	for i, forwarded := range []string{"10.0.0.1", "192.0.2.1, 10.0.0.2", "10.0.0.3", "2001:db8:0:1::1", "10.0.0.4:4711", "[2001:db8:0:2::1]:443", "[2001:db8:0:3::1]"} {
		began := time.Now()
		if served := r.spend(forwarded, 4); served < 2 || served > within(2, began) {
			t.Errorf("%d: %d of 4 let through", i, served)
		}
	}
}

func TestAStrangersForwardedForIsNoSource(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{site: ratedSite})
	served, began := 0, time.Now()
	for i := range 8 {
		served += r.spend(fmt.Sprintf("10.0.0.%d", i), 1)
	}
	if served > within(2, began) {
		t.Errorf("%d of 8 let through: the client chose its source", served)
	}
}
