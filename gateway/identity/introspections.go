package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// ErrIntrospection means that it cannot be known whether a token is good: the
// issuer could not be asked, and nothing that it said before may be used. What
// kept it from being asked is wrapped too, for Reason.
var ErrIntrospection = errors.New("identity: introspection unavailable")

// Asker asks an issuer about a token, within a bounded time, and returns its
// answer. *Introspector is one.
type Asker interface {
	Ask(ctx context.Context, tok string, known bool) (document []byte, err error)
}

// IntrospectionsConfig says how long an issuer's answers are believed.
type IntrospectionsConfig struct {
	// Asker asks the issuer, Verifier reads its answers. Both required.
	Asker    Asker
	Verifier *token.Verifier
	// Good keeps answers that a token is good, at the longest until its exp. It
	// may be shared with verdicts about JWTs and with other issuers.
	Good *cache.Verdicts
	// Refused keeps the others, in memory of its own: random tokens cannot
	// drive out good ones. It may be shared with other issuers.
	Refused *cache.Verdicts
	// MaxAge is how long it is believed that a token is good, at least a second;
	// InactiveAge how long that it is not, 0 meaning not at all.
	MaxAge, InactiveAge time.Duration
	// UseCachedUntilExp goes on believing that a token is good, until its exp,
	// while the issuer cannot be asked. An answer without exp is never believed
	// beyond MaxAge.
	UseCachedUntilExp bool
	// OnPanic is given the stack of a panic in a question, which then failed with
	// ErrIntrospection. Optional.
	OnPanic func(stack []byte)
}

// Introspections decides about tokens by what their issuer says, or said not
// long ago. All that need to know about one token at one time share one
// question. It is safe for concurrent use.
//
// No answer says which token it is about. That it is about the one that was
// asked for rests on the issuer, and on the connection being its own.
type Introspections struct {
	cfg     IntrospectionsConfig
	salt    [32]byte
	flights singleflight.Group
	base    context.Context
	cancel  context.CancelFunc

	closing sync.Mutex
	closed  bool
	running sync.WaitGroup // of flights, joined under closing

	fresh, refusals, stale, unavailable atomic.Uint64
	active, inactive, unfit             atomic.Uint64
	failures                            map[string]*atomic.Uint64
}

// NewIntrospections returns a decision that has asked nothing yet.
func NewIntrospections(cfg IntrospectionsConfig) *Introspections {
	n := &Introspections{
		cfg:      cfg,
		salt:     sha256.Sum256([]byte(cfg.Verifier.Issuer())),
		failures: make(map[string]*atomic.Uint64),
	}
	n.base, n.cancel = context.WithCancel(context.Background())
	for _, reason := range Reasons() {
		n.failures[reason] = new(atomic.Uint64)
	}
	return n
}

// Close ends what is under way and waits for it; later questions fail. The
// caches may be closed after it.
func (n *Introspections) Close() {
	n.closing.Lock()
	n.closed = true
	n.closing.Unlock()
	n.cancel()
	n.running.Wait()
}

// Fresh reports whether a verdict, from Good, can be used now without asking. It
// does not allocate.
func (n *Introspections) Fresh(v *cache.Verdict, now time.Time) bool {
	return v.CheckedWithin(n.cfg.MaxAge, now) && v.Usable(now, n.cfg.Verifier) == nil
}

// Verdict returns a verdict about an opaque token that is good now. raw is not
// kept, and neither is digest, which is raw's. It waits for as long as the Asker
// may take, or for ctx; what it waited for goes on, and is there for the next.
//
// Errors: ErrIntrospection; one of token's sentinels itself, where the issuer or
// the configuration refuses the token; token.ErrMalformed and ErrTooLarge, too,
// for what no issuer is asked about.
func (n *Introspections) Verdict(ctx context.Context, raw []byte, digest *[32]byte, now time.Time) (*cache.Verdict, error) {
	return n.decide(ctx, raw, digest, token.Verified{}, now)
}

// Confirm is Verdict for a JWT that Verify has accepted: the verdict has its
// claims and key.
func (n *Introspections) Confirm(ctx context.Context, raw []byte, digest *[32]byte, verified token.Verified, now time.Time) (*cache.Verdict, error) {
	return n.decide(ctx, raw, digest, verified, now)
}

func (n *Introspections) decide(ctx context.Context, raw []byte, digest *[32]byte, verified token.Verified, now time.Time) (*cache.Verdict, error) {
	before, ok := n.cfg.Good.GetDigest(digest)
	switch {
	case !ok || before.Checked == 0 || before.Usable(now, n.cfg.Verifier) != nil:
		before = nil
	case n.Fresh(before, now):
		n.fresh.Add(1)
		return before, nil
	}
	if err := n.refused(digest, now); err != nil {
		n.refusals.Add(1)
		return nil, err
	}
	if err := askable(raw); err != nil {
		return nil, err
	}
	asked := time.Now()
	v, err := n.ask(ctx, string(raw), *digest, verified, before != nil, now)
	now = now.Add(time.Since(asked))
	switch {
	case err == nil:
		// The key may have gone, and time has gone by.
		if err := v.Usable(now, n.cfg.Verifier); err != nil {
			return nil, err
		}
		return v, nil
	case !errors.Is(err, ErrIntrospection):
		return nil, err
	// RFC 7662 section 4: an answer must not be used beyond exp. No leeway: the
	// issuer is not there to be wrong about the time.
	case n.cfg.UseCachedUntilExp && before != nil && now.Before(time.Unix(before.Claims.Expand().ExpiresAt, 0)):
		n.stale.Add(1)
		return before, nil
	}
	n.unavailable.Add(1)
	return nil, err
}

// refused returns why the token was refused not long ago, nil where it was not.
func (n *Introspections) refused(digest *[32]byte, now time.Time) error {
	own := n.own(*digest)
	v, ok := n.cfg.Refused.GetDigest(&own)
	if !ok || v.Verifier != n.cfg.Verifier || !v.CheckedWithin(n.cfg.InactiveAge, now) {
		return nil
	}
	return v.Refused
}

// own is where this issuer's refusal of a token is kept: others may know it.
func (n *Introspections) own(digest [32]byte) [32]byte {
	for i := range digest {
		digest[i] ^= n.salt[i]
	}
	return digest
}

// askable refuses what cannot be a token. No issuer has to find out.
func askable(raw []byte) error {
	if len(raw) > token.MaxTokenBytes {
		return token.ErrTooLarge
	}
	end := len(raw)
	for end > 0 && raw[end-1] == '=' {
		end--
	}
	// RFC 6750 section 2.1: b64token.
	for _, c := range raw[:end] {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return token.ErrMalformed
		}
	}
	if end == 0 {
		return token.ErrMalformed
	}
	return nil
}

// ask joins the question about the token, or puts it.
func (n *Introspections) ask(
	ctx context.Context, tok string, digest [32]byte, verified token.Verified, known bool, now time.Time,
) (*cache.Verdict, error) {
	answers := n.flights.DoChan(string(digest[:]), func() (any, error) {
		var v *cache.Verdict
		err := recovered(n.cfg.OnPanic, func() (err error) {
			v, err = n.fly(tok, digest, verified, known, now)
			return err
		})
		if errors.Is(err, ErrPanic) {
			return nil, n.failed(err)
		}
		return v, err
	})
	select {
	case answer := <-answers:
		v, _ := answer.Val.(*cache.Verdict)
		return v, answer.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrIntrospection, ctx.Err())
	}
}

// fly puts the question, whoever still waits for the answer, and keeps that.
func (n *Introspections) fly(
	tok string, digest [32]byte, verified token.Verified, known bool, now time.Time,
) (*cache.Verdict, error) {
	n.closing.Lock()
	if n.closed {
		n.closing.Unlock()
		return nil, fmt.Errorf("%w: %w", ErrIntrospection, context.Canceled)
	}
	n.running.Add(1)
	n.closing.Unlock()
	defer n.running.Done()

	asked := time.Now()
	document, err := n.cfg.Asker.Ask(n.base, tok, known || verified.Claims != nil)
	if err != nil {
		return nil, n.failed(err)
	}
	later := now.Add(time.Since(asked))
	if verified.Claims != nil {
		verified, err = n.cfg.Verifier.Confirmed(document, verified, later)
	} else {
		verified, err = n.cfg.Verifier.Introspected(document, n.cfg.MaxAge, later)
	}
	switch {
	case err == nil:
		n.active.Add(1)
		// What it says may have been so as early as it was asked.
		return n.cfg.Good.PutChecked(&digest, verified, n.cfg.Verifier, now, later), nil
	case errors.Is(err, token.ErrMalformed):
		return nil, n.failed(ErrMalformed)
	case errors.Is(err, token.ErrTooLarge):
		return nil, n.failed(ErrTooLarge)
	}
	return nil, n.refuse(digest, sentinel(err), now)
}

// failed counts why the issuer gave no answer.
func (n *Introspections) failed(err error) error {
	if n.base.Err() == nil {
		n.failures[Reason(err)].Add(1)
	}
	return fmt.Errorf("%w: %w", ErrIntrospection, err)
}

// refuse keeps that the token is none. What was said before is forgotten first:
// it must not come back when the issuer cannot be asked.
func (n *Introspections) refuse(digest [32]byte, why error, asked time.Time) error {
	if errors.Is(why, token.ErrInactive) {
		n.inactive.Add(1)
	} else {
		n.unfit.Add(1)
	}
	n.cfg.Good.Forget(&digest)
	own := n.own(digest)
	n.cfg.Refused.PutRefused(&own, why, n.cfg.Verifier, asked, n.cfg.InactiveAge)
	return why
}

// sentinel returns the sentinel that a refusal wraps, which can be kept.
func sentinel(err error) error {
	for _, why := range [...]error{
		token.ErrInactive, token.ErrIssuer, token.ErrType, token.ErrAudience, token.ErrExpired, token.ErrNotYetValid,
		token.ErrIssuedInFuture, token.ErrLifetime, token.ErrClaimMissing, token.ErrClaimInvalid,
	} {
		if errors.Is(err, why) {
			return why
		}
	}
	return token.ErrClaimInvalid
}
