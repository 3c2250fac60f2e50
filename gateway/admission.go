package gateway

import (
	"bytes"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

// enter lets the request in as far as rates and load allow. It is asked before
// anything is spent on the credential.
func (x *exchange) enter() bool {
	if x.site.rates != nil && !x.rehearsed() {
		if !x.withinRate(x.site.rates.Arrive(x.source(), x.now)) {
			return false
		}
	}
	if x.g.shedder.Enter(x.site.share) == overload.Refused {
		return x.shed()
	}
	x.entered = true
	return true
}

// rehearsed reports whether the request was let in once already, before its
// client was told to send the body (expect.go): it is one request for the rates.
func (x *exchange) rehearsed() bool { return !x.rehearsal && x.ctx.Request.MayContinue() }

// source is the address that a request came from: the peer's, or what a peer
// that is a trusted proxy says of its own peer, the last in X-Forwarded-For.
func (x *exchange) source() netip.Addr {
	peer := peerAddress(x.ctx.RemoteAddr())
	if len(x.head.forwardedFor) == 0 || !trusted(x.ctx.Conn()) {
		return peer
	}
	last := string(bytes.TrimSpace(x.head.forwardedFor[bytes.LastIndexByte(x.head.forwardedFor, ',')+1:]))
	a, err := netip.ParseAddr(strings.Trim(last, "[]"))
	if err != nil {
		// Some proxies state the port, too.
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(last); err != nil {
			return peer
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone("")
}

// shed refuses for want of processor time. Those who are refused together do not
// all come back together.
func (x *exchange) shed() bool {
	x.retryAfter = shedRetry + rand.N(shedRetrySpread)
	return x.refuse(reject.Overloaded)
}

// When to come back after that, in seconds.
const (
	shedRetry       = 5
	shedRetrySpread = 11
)

// leave gives up what the handler holds. What streams from now on needs hardly
// any processor time.
func (x *exchange) leave() {
	x.leaveTurn()
	if x.entered {
		x.entered = false
		x.g.shedder.Leave(x.site.share)
	}
}

// withinClientRate bounds a client that has proved who it is: the party that the
// token was issued to, else its subject.
func (x *exchange) withinClientRate() bool {
	if !x.site.rates.Clients() || x.rehearsed() {
		return true
	}
	// What they are named by differs, so that no subject can be called like a
	// client of the same issuer.
	kind, client := byte('c'), x.claims.ClientID
	if client == "" {
		kind, client = 's', x.claims.Subject
	}
	x.own = append(append(x.own[:0], kind), x.claims.Issuer...)
	x.own = append(append(x.own, 0), client...)
	sum := sha256.Sum256(x.own)
	key := overload.Key(sum[:])
	return x.withinRate(x.site.rates.Client(&key, x.now))
}

func (x *exchange) withinRate(d overload.RateDecision) bool {
	if d.Over == overload.LimitNone {
		return true
	}
	x.retryAfter = int(math.Ceil(d.RetryAfter.Seconds()))
	return x.refuse(reject.RateLimited)
}

// crowdedOut reports whether there is no room for a new token, and the credential
// is one: takeTurn would say so, too, but a refusal should cost as little as can be.
func (x *exchange) crowdedOut(credential []byte, digest *[32]byte) bool {
	return x.g.shedder.Crowded() && !x.opaque(credential) && !x.st.verdicts.Has(digest) &&
		x.g.shedder.Verify() == overload.Refused
}

// takeTurn waits for a turn of the processors to verify a new token; false
// means that there is none for it.
func (x *exchange) takeTurn() bool {
	if x.g.shedder.Verify() == overload.Refused {
		return false
	}
	x.g.shedder.StepAside(x.site.share)
	outcome := x.g.verifications.Acquire(x.now)
	x.g.shedder.StepBack(x.site.share)
	if outcome == overload.Refused {
		return false
	}
	x.turn = time.Now()
	x.now = x.turn
	return true
}

// leaveTurn gives the turn up, where the request has one.
func (x *exchange) leaveTurn() {
	if !x.turn.IsZero() {
		now := time.Now()
		x.g.verifications.Release(now, now.Sub(x.turn))
		x.turn = time.Time{}
	}
}
