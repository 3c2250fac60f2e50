package k6_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// brief is a load of some thirty requests: k6 makes none of a constant rate that is shorter than a second.
const brief = "STAGES=60x300ms,60x200ms"

func TestWrongVerdictFailsTheRunWithTheExitStatusOfAThreshold(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(string) (int, string){
		"an expired token passes": func(string) (int, string) { return http.StatusOK, "" },
		"the wrong reason": func(token string) (int, string) {
			if strings.Contains(token, "expired") {
				return http.StatusUnauthorized, "signature_invalid"
			}
			return http.StatusOK, ""
		},
		"a good token is refused": func(string) (int, string) { return http.StatusUnauthorized, "token_expired" },
		"an expired token reaches an upstream that is full": func(token string) (int, string) {
			if strings.Contains(token, "expired") {
				return http.StatusServiceUnavailable, "upstream_saturated"
			}
			return http.StatusOK, ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, answer)
			status, s, out := run(t, g.URL, made(t, tomorrow()), nil, brief)
			if status != exitThreshold || s.WrongVerdicts == 0 || s.Thresholds["requests_wrong_verdict count==0"] {
				t.Errorf("exit status %d, %+v\n%s", status, s, out)
			}
		})
	}
}

// A load of an hour that proves nothing any more is not gone on with.
func TestWrongVerdictEndsTheRun(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(string) (int, string) { return http.StatusOK, "" })
	// A threshold is looked at every 2 s.
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "RATE=50", "DURATION=1m", "COLD_SHARE=0")
	if status != exitThreshold || s.Requests >= 50*60 {
		t.Errorf("exit status %d after %d requests\n%s", status, s.Requests, out)
	}
}

// What is no verdict is no wrong one, and no success either.
func TestOverloadIsNoWrongVerdictButFails(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(string) (int, string) { return http.StatusServiceUnavailable, "overloaded" })
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, brief)
	if status != exitThreshold || s.WrongVerdicts != 0 || s.Overloaded != s.Requests || s.Requests == 0 || s.Thresholds["requests_failed rate<=0"] {
		t.Errorf("exit status %d, %+v\n%s", status, s, out)
	}
}

func TestChecksOfOtherGatewaysAskForLess(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(token string) (int, string) {
		if strings.Contains(token, "expired") {
			return http.StatusForbidden, "" // another status than ours, and no code
		}
		return http.StatusOK, ""
	})
	dir := made(t, tomorrow())
	if status, s, out := run(t, g.URL, dir, nil, brief, "CHECK=outcome"); status != exitGood {
		t.Errorf("outcome: exit status %d, %+v\n%s", status, s, out)
	}
	if status, s, _ := run(t, g.URL, dir, nil, brief, "CHECK=status"); status != exitThreshold {
		t.Errorf("status: exit status %d, %+v", status, s)
	}
}

// A load that was not sent is not claimed.
func TestRequestsThatWereNotSentInTimeFailTheRun(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	g := startGateway(t, func(token string) (int, string) {
		<-held
		return rightly(token)
	})
	t.Cleanup(func() { close(held) })
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "RATE=50", "DURATION=1s", "VUS=2", "MAX_VUS=2", "TIMEOUT=1s", "COLD_SHARE=0")
	if status != exitThreshold || s.RequestsDropped == 0 || s.Unanswered == 0 || s.Thresholds["dropped_iterations count==0"] {
		t.Errorf("exit status %d, %+v\n%s", status, s, out)
	}
}

// Where a percentile left out what was given up, a gateway that hangs would look quicker than one that is slow.
func TestAnswersThatNeverCameMakeNoPercentileBetter(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch token := r.Header.Get("Authorization"); {
		case strings.Contains(token, "organisation"):
			// The head of an answer, and not all of its body.
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("begun"))
			_ = http.NewResponseController(w).Flush()
		case !strings.Contains(token, "valid"):
			return
		}
		<-held
	}))
	t.Cleanup(func() {
		close(held)
		hangs.Close()
	})
	// Half a second: answers that hang are given up then, by whatever machine.
	const givenUp = 500
	_, s, out := run(t, hangs.URL, made(t, tomorrow()), nil, "RATE=40", "DURATION=1s", "TIMEOUT=500ms", "COLD_SHARE=0", "ABORT=no")
	for _, class := range []string{"valid", "organisation"} {
		if of := s.Classes[class]; of.Requests == 0 || of.Latency.Count != of.Requests || of.Latency.Min < givenUp {
			t.Errorf("%s: %d requests, %d with a latency, the least of them %v ms\n%s", class, of.Requests, of.Latency.Count, of.Latency.Min, out)
		}
	}
	hanging := s.Classes["valid"].Requests + s.Classes["organisation"].Requests
	if s.Unanswered < hanging || s.Latency.Count < hanging || s.Latency.P99 < givenUp {
		t.Errorf("%d unanswered, p99 %v ms\n%s", s.Unanswered, s.Latency.P99, out)
	}
}
