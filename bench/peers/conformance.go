package peers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// check is a token, and what the job says of it.
type check struct {
	// name is what the table says.
	name string
	// want is what the job demands; of some it demands nothing.
	want want
	make func(t corpus.Token, key *corpus.Key) (string, error)
}

type want int

const (
	anything want = iota
	accepted
	refused
)

func fault(f corpus.Fault) func(corpus.Token, *corpus.Key) (string, error) {
	return func(t corpus.Token, key *corpus.Key) (string, error) { return t.SignFaulty(key, f) }
}

// checks are all but that of a token that expires after it was accepted.
func checks() []check {
	return []check{
		{"valid", accepted, func(t corpus.Token, key *corpus.Key) (string, error) { return t.Sign(key) }},
		{"no token", refused, func(corpus.Token, *corpus.Key) (string, error) { return "", nil }},
		{"expired", refused, fault(corpus.Expired)},
		{"for another audience", refused, fault(corpus.WrongAudience)},
		{"of another issuer", refused, fault(corpus.WrongIssuer)},
		{"signed by another key", refused, fault(corpus.Forged)},
		{"claims altered", refused, altered},
		{"signature cut short", refused, fault(corpus.Truncated)},
		{"alg none", refused, fault(corpus.AlgNone)},
		{"HS256 under the public key", refused, confused},
		{"no expiry", anything, func(t corpus.Token, key *corpus.Key) (string, error) {
			t.Expires = time.Time{}
			return t.Sign(key)
		}},
		{"valid later (nbf)", anything, fault(corpus.NotYetValid)},
		{"critical header not known", anything, func(t corpus.Token, key *corpus.Key) (string, error) {
			t.Header = map[string]any{"crit": []string{"example"}, "example": true}
			return t.Sign(key)
		}},
		{"under another kid", anything, fault(corpus.UnknownKid)},
		{"valid, two audiences", anything, func(t corpus.Token, key *corpus.Key) (string, error) {
			t.Audience = append(t.Audience, "another")
			return t.Sign(key)
		}},
	}
}

// expiring is the name of the check whose token is accepted, and then expires.
const expiring = "expired since last used"

const (
	// shortLife is how long that token is valid at least, and longestLife how long at most on a machine on which an answer
	// takes that long: its expiry is in whole seconds.
	shortLife   = 500 * time.Millisecond
	longestLife = 8 * time.Second
	// expirySlack is how much longer it may be accepted, and askEvery how often it is sent meanwhile.
	expirySlack = 1100 * time.Millisecond
	askEvery    = 50 * time.Millisecond
)

// Verdict is what a proxy does with one kind of token.
type Verdict struct {
	Proxy     string `json:"proxy"`
	Algorithm string `json:"algorithm"`
	// Token says which.
	Token string `json:"token"`
	// Want is what the job demands: "accepted", "refused", or "" where it demands nothing.
	Want string `json:"want"`
	// Status is that of the answer.
	Status int `json:"status"`
	// Reached says that the request reached the upstream.
	Reached bool `json:"reached"`
	// Passed says that it is as the job demands.
	Passed bool `json:"passed"`
}

// judge says whether an answer is what the job demands. Who refuses says 401 or 403, and asks nobody.
func (w want) judge(status int, reached bool) bool {
	switch w {
	case accepted:
		return status == http.StatusOK && reached
	case refused:
		return (status == http.StatusUnauthorized || status == http.StatusForbidden) && !reached
	}
	return true
}

func (w want) String() string { return [...]string{"", "accepted", "refused"}[w] }

// examine sends every kind of token to a proxy that serves.
func (r *run) examine(ctx context.Context, p *proxy, tokens *population) ([]Verdict, error) {
	verdict := func(name string, w want, status int, reached bool) Verdict {
		return Verdict{
			Proxy: p.name, Algorithm: tokens.algorithm, Token: name, Want: w.String(),
			Status: status, Reached: reached, Passed: w.judge(status, reached),
		}
	}
	soon, expires, status, reached, err := shortLived(
		func(expires time.Time) (string, error) {
			short := token(time.Now())
			short.Expires = expires
			return short.Sign(tokens.key)
		},
		func(token string) (int, bool, error) { return r.ask(ctx, token) })
	if err != nil {
		return nil, err
	}
	first := verdict(expiring, accepted, status, reached)
	now := time.Now()
	var all []Verdict
	for _, c := range checks() {
		made, err := c.make(token(now), tokens.key)
		if err != nil {
			return nil, fmt.Errorf("token %q: %w", c.name, err)
		}
		if status, reached, err = r.ask(ctx, made); err != nil {
			return nil, err
		}
		all = append(all, verdict(c.name, c.want, status, reached))
	}
	// RFC 7519 section 4.1.4: not accepted on or after the expiry. Some know the time by the second only, and as it was
	// when their loop last turned: they get a second more.
	end := expires.Add(expirySlack)
	for late := false; ; late = !time.Now().Before(end) {
		if status, reached, err = r.ask(ctx, soon); err != nil {
			return nil, err
		}
		if late || refused.judge(status, reached) {
			break
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	last := verdict(expiring, refused, status, reached)
	last.Passed = last.Passed && first.Passed
	return append(all, last), nil
}

// shortLived signs a token that is soon to expire, sends it, and tells what was answered. Who was asked so slowly that it
// had expired by then may refuse it in good faith, and is asked anew with one that lives twice as long.
func shortLived(sign func(expires time.Time) (string, error), ask func(token string) (int, bool, error)) (token string, expires time.Time, status int, reached bool, err error) {
	for life := shortLife; ; life *= 2 {
		expires = time.Now().Add(life).Truncate(time.Second).Add(time.Second)
		if token, err = sign(expires); err != nil {
			return token, expires, 0, false, err
		}
		status, reached, err = ask(token)
		if err != nil || accepted.judge(status, reached) || time.Now().Before(expires) || life >= longestLife {
			return token, expires, status, reached, err
		}
	}
}

// ask sends one request on a connection of its own.
func (r *run) ask(ctx context.Context, token string) (status int, reached bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address+path, http.NoBody)
	if err != nil {
		return 0, false, err
	}
	req.Host = host
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	before := r.upstream.count.Load()
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, false, fmt.Errorf("status %s: %w", strconv.Itoa(resp.StatusCode), err)
	}
	return resp.StatusCode, r.upstream.count.Load() != before, nil
}
