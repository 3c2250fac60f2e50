package upstream

import (
	"testing"
	"time"
)

// spend takes as many retries out of b as there are.
func spend(b *budget, now time.Duration, requests uint64) int {
	n := 0
	for b.take(now, requests) {
		n++
	}
	return n
}

func TestBudgetIsAShareOfTheRequestsAndALeastRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		cfg      RetryConfig
		now      time.Duration
		requests uint64
		want     int
	}{
		{"nothing", RetryConfig{}, time.Hour, 1000, 0},
		{"share", RetryConfig{Percent: 20}, time.Second, 1000, 200},
		{"share of few", RetryConfig{Percent: 20}, time.Second, 4, 0},
		{"least rate at the start", RetryConfig{PerSecond: 10}, 0, 0, 10},
		{"least rate", RetryConfig{PerSecond: 10}, 5 * time.Second, 0, 50 + 6},
		{"both", RetryConfig{Percent: 10, PerSecond: 10}, time.Second, 1000, 100 + 10 + 9},
		// Of a quiet day ten seconds count.
		{"a day", RetryConfig{Percent: 20}, 24 * time.Hour, 86_400, 2},
		{"a day's least rate", RetryConfig{PerSecond: 10}, 24 * time.Hour, 0, 100},
	} {
		if got := spend(newBudget(c.cfg), c.now, c.requests); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestBudgetThatIsSpentComesBackWithRequests(t *testing.T) {
	t.Parallel()
	b := newBudget(RetryConfig{Percent: 20})
	now, requests := time.Second, uint64(100)
	for range 20 {
		if got := spend(b, now, requests); got != 20 {
			t.Fatalf("%d", got)
		}
		now += time.Second
		requests += 100
	}
	// A count that seems to go back, and a clock that stands still, earn nothing.
	if got := spend(b, now-time.Second, requests-200); got != 0 {
		t.Errorf("%d", got)
	}
}

func TestOnlyIdempotentRequestsWithoutBodyMayBeSentAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		length int64
		want   bool
	}{
		{"GET", NoBody, true},
		{"HEAD", NoBody, true},
		{"OPTIONS", NoBody, true},
		{"TRACE", NoBody, true},
		{"PUT", 0, true},
		{"DELETE", NoBody, true},
		{"PUT", 1, false},
		{"GET", -1, false},
		{"POST", NoBody, false},
		{"POST", 0, false},
		{"PATCH", 0, false},
		{"CONNECT", NoBody, false},
		{"get", NoBody, false},
		{"", NoBody, false},
	} {
		r := Request{Method: []byte(c.method), ContentLength: c.length}
		if got := r.idempotent(); got != c.want {
			t.Errorf("%s with %d: %v", c.method, c.length, got)
		}
	}
}
