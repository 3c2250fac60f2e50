package main

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
)

// TestGatewayAndUpstreamNeverDisagreeWhereARequestEnds drives the corpus
// through the binary in front of servers that nobody here wrote. What their own
// logs say that they read is what was sent, request by request, and nothing
// else: no body became a request, no request a body.
func TestGatewayAndUpstreamNeverDisagreeWhereARequestEnds(t *testing.T) {
	t.Parallel()
	for _, upstream := range []struct {
		name  string
		start func(*testing.T) server
	}{
		{"nginx", startNginx},
		{"apache", startApache},
		{"node", startNode},
	} {
		t.Run(upstream.name, func(t *testing.T) {
			t.Parallel()
			s := upstream.start(t)
			g := framingGateway(t, s.url)
			runs := playEach(framing.Whole)
			playAll(t, g, runs)
			g.stop(t)
			logged, whole := s.stop(t)
			agree(t, upstream.name, runs, logged, whole)
		})
	}
}

// agree compares a server's accounts with what was sent to it.
func agree(t *testing.T, name string, runs []played, logged, whole []account) {
	t.Helper()
	logs, read := byRun(logged), byRun(whole)
	sent := 0
	for _, p := range runs {
		var want, wantLogged []string
		for _, m := range p.seen() {
			want = append(want, fmt.Sprintf("%s %s %x", m.Method, m.Target, m.Body))
			wantLogged = append(wantLogged, m.Method+" "+m.Target)
		}
		sent += len(want)
		var got, gotLogged []string
		for _, a := range read[p.run] {
			got = append(got, fmt.Sprintf("%s %s %x", a.Method, a.Target, a.Body))
		}
		for _, a := range logs[p.run] {
			line := a.Method + " " + a.Target
			if p.Begun != nil && line == p.Begun.Method+" "+p.Begun.Target && a.status >= http.StatusBadRequest {
				continue // It was cut, and the server noticed.
			}
			gotLogged = append(gotLogged, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s (%s): %s read %.300q, want %.300q", p.Rule, p.Name, p.run, name, got, want)
		}
		// A server with several processes or threads logs in no order.
		slices.Sort(gotLogged)
		slices.Sort(wantLogged)
		if !slices.Equal(gotLogged, wantLogged) {
			t.Errorf("%s, %s (%s): the log of %s has %.300q, want %.300q", p.Rule, p.Name, p.run, name, gotLogged, wantLogged)
		}
		delete(logs, p.run)
		delete(read, p.run)
	}
	for run, accounts := range logs {
		t.Errorf("%d requests that nobody sent, of %q, the first %q %q", len(accounts), run, accounts[0].Method, accounts[0].Target)
	}
	for run, accounts := range read {
		t.Errorf("%d requests that nobody sent, of %q, the first %q %q", len(accounts), run, accounts[0].Method, accounts[0].Target)
	}
	t.Logf("%s: %d runs, %d requests sent, %d in its log, %d read to their end", name, len(runs), sent, len(logged), len(whole))
}

func byRun(accounts []account) map[string][]account {
	runs := make(map[string][]account)
	for _, a := range accounts {
		runs[a.Run] = append(runs[a.Run], a)
	}
	return runs
}
