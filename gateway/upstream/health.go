package upstream

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HealthConfig describes the active health checks of a group.
type HealthConfig struct {
	// Path is what is asked for, by GET, with its query if any. Required.
	Path string
	// Host is the Host field's value. Default the upstream's own.
	Host string
	// Interval is how often each address is asked, a tenth more or less.
	// Required.
	Interval time.Duration
	// Timeout bounds a check, from dialling to the response's head. Required.
	Timeout time.Duration
	// Unhealthy is how many checks in a row must fail before an address gets no
	// requests, Healthy how many must succeed before it gets some again.
	// Defaults 3 and 2. Before its first check an address is taken to be well.
	Unhealthy, Healthy int
	// MinStatus and MaxStatus are the range of status codes that are healthy.
	// Defaults 200 and 299.
	MinStatus, MaxStatus int
}

// maxHealthHead bounds the head of the answer to a health check; of its body
// nothing is waited for.
const maxHealthHead = 16 << 10

func (h HealthConfig) complete() *HealthConfig {
	if h.Unhealthy == 0 {
		h.Unhealthy = 3
	}
	if h.Healthy == 0 {
		h.Healthy = 2
	}
	if h.MinStatus == 0 {
		h.MinStatus = http.StatusOK
	}
	if h.MaxStatus == 0 {
		h.MaxStatus = 299
	}
	return &h
}

// watch asks p for its health until ctx ends.
func (p *Pool) watch(ctx context.Context, h *HealthConfig) {
	checker := newChecker(p, h)
	inRow := 0
	// The replicas of a gateway that start together shall not ask together.
	timer := time.NewTimer(rand.N(h.Interval / 10))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		well := checker.check(ctx)
		if ctx.Err() != nil {
			return
		}
		p.member.checks.Add(1)
		if !well {
			p.member.failedChecks.Add(1)
		}
		// inRow counts checks that contradict what is thought.
		if well == (p.doubt.Load()&down == 0) {
			inRow = 0
		} else {
			inRow++
		}
		if well && inRow >= h.Healthy || !well && inRow >= h.Unhealthy {
			inRow = 0
			p.setDown(!well)
		}
		next := h.Interval - h.Interval/10 + rand.N(h.Interval/5)
		p.checkedAt.Store(int64(p.group.clock() + next))
		timer.Reset(next)
	}
}

// setDown takes the address out, or lets it come back.
func (p *Pool) setDown(isDown bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch.Add(1)
	if isDown {
		p.doubt.Or(down)
		return
	}
	p.returns.Store(max(p.returns.Load(), int64(p.group.clock())))
	p.doubt.Or(returning)
	p.doubt.And(^down)
}

// checker asks one address for its health, on a new connection each time.
type checker struct {
	client  *http.Client
	request *http.Request
	health  *HealthConfig
}

func newChecker(p *Pool, h *HealthConfig) *checker {
	endpoint := &p.member.endpoint
	host := h.Host
	if host == "" {
		host = endpoint.Host
	}
	path, query, _ := strings.Cut(h.Path, "?")
	return &checker{
		health: h,
		request: &http.Request{
			Method: http.MethodGet,
			URL:    &url.URL{Scheme: "http", Host: host, Path: path, RawQuery: query},
			Host:   host,
			Header: http.Header{"User-Agent": {"vneid-gateway"}},
			Close:  true,
		},
		client: &http.Client{
			// RFC 9110 section 15.4: a redirection is an answer like any other here.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DisableKeepAlives:      true,
				DisableCompression:     true,
				MaxResponseHeaderBytes: maxHealthHead,
				// TLS is the endpoint's own, below.
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					l, err := endpoint.dial(ctx, p.open, p.address, nil, nil)
					if err != nil {
						return nil, err
					}
					return l.Conn, nil
				},
			},
		},
	}
}

// check reports whether the address is well.
func (c *checker) check(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, c.health.Timeout)
	defer cancel()
	resp, err := c.client.Do(c.request.Clone(ctx))
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode >= c.health.MinStatus && resp.StatusCode <= c.health.MaxStatus
}
