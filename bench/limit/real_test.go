package limit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func TestLimitOfARealServerIsFound(t *testing.T) {
	t.Parallel()
	// It answers 40 requests of a trial, however fast this machine is. Evenly spaced,
	// 80 ms of a rate r have 0.08 r of them, rounded: the limit is 40.5/0.08 = 506.25.
	const trial, limit = 80 * time.Millisecond, 506.25
	var left atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if left.Add(-1) < 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	request, err := attack.Build("", u, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	objective, err := ParseObjective("errors<=0,answered>=0")
	if err != nil {
		t.Fatal(err)
	}
	r := find(t, Config{FromPerSecond: 300, Precision: 0.3}, func(ctx context.Context, perSecond float64) (Trial, error) {
		left.Store(40)
		profile, err := pace.Constant(perSecond, trial)
		if err != nil {
			return Trial{}, err
		}
		schedule := profile.Even()
		result, err := attack.Run(ctx, attack.Config{
			Source: attack.Cycle{request}, Address: u.Host, Schedule: &schedule, Connections: 16, Timeout: attack.MaxTimeout, MaxLateness: time.Hour,
		})
		if err != nil {
			return Trial{}, err
		}
		result.Claimed = true // However busy this machine is: what counts is what the server said.
		return Measured(objective, result, nil), nil
	})
	if r.Ended != EndedFound || !contains(r, limit) || *r.HighPerSecond > 1.31**r.LowPerSecond {
		t.Errorf("%s: %v to %v of %v after %d trials", r.Ended, r.LowPerSecond, r.HighPerSecond, limit, len(r.Trials))
	}
}
