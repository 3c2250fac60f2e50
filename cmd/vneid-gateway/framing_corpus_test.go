package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

// TestTheCorpusReachesTheUpstreamByteByByteOrNotAtAll drives the corpus of raw
// requests through the binary, each at once, byte by byte, cut at every line
// end, and behind a good request. A recorder behind it sees exactly the bytes
// that it may see, and nothing of a refused request.
func TestTheCorpusReachesTheUpstreamByteByByteOrNotAtAll(t *testing.T) {
	t.Parallel()
	recorder := recordFraming(t)
	g := framingGateway(t, recorder.URL())
	runs := playEach(framing.Splits()...)
	playAll(t, g, runs)
	g.stop(t)
	requests := rested(t, recorder)

	byRun := make(map[string][]origin.Request)
	for _, request := range requests {
		run := strings.Join(request.Values("X-Request-Id"), ",")
		byRun[run] = append(byRun[run], request)
	}
	refused, passed, begun := 0, 0, 0
	for _, p := range runs {
		got := byRun[p.run]
		delete(byRun, p.run)
		want := p.seen()
		if p.Refused() {
			refused++
		} else {
			passed++
		}
		for i, m := range want {
			if i >= len(got) {
				t.Errorf("%s, %s (%s): the upstream saw %d requests, want %d", p.Rule, p.Name, p.run, len(got), len(want))
				break
			}
			if err := m.same(got[i]); err != nil {
				t.Errorf("%s, %s (%s): request %d: %v", p.Rule, p.Name, p.run, i+1, err)
			}
		}
		for _, more := range got[min(len(want), len(got)):] {
			begun++
			if err := p.mayBegin(more); err != "" {
				t.Errorf("%s, %s (%s): the upstream saw %q %.200q (%v): %s", p.Rule, p.Name, p.run, more.Head, more.Body, more.Err, err)
			}
		}
	}
	for run, got := range byRun {
		t.Errorf("%d requests that nobody sent, of %q: %q", len(got), run, got[0].Head)
	}
	t.Logf("corpus: %d cases in %d runs: %d refused, %d passed; %d requests at the upstream, %d of them begun and cut",
		len(framing.Corpus()), len(runs), refused, passed, len(requests), begun)
}

// mayBegin says what is wrong with a request that the upstream saw beyond the
// whole ones, "" if nothing.
func (p played) mayBegin(request origin.Request) string {
	switch {
	case p.Begun == nil:
		return "nothing of it may be seen"
	case request.Err == nil:
		return "it was taken for whole"
	}
	want := marked{p.run, *p.Begun}
	if string(request.Head) != want.head() {
		return "its head is not the one that may be seen"
	}
	if !bytes.HasPrefix([]byte(want.Body), request.Content) {
		return "its body is not the client's"
	}
	return ""
}

func recordFraming(t *testing.T) *origin.Recorder {
	t.Helper()
	recorder, err := origin.Record(t.Context(), goodAnswer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = recorder.Close() })
	return recorder
}

// rested returns what a recorder got once nobody is connected to it.
func rested(t *testing.T, recorder *origin.Recorder) []origin.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := recorder.Rest(ctx); err != nil {
		t.Fatal(err)
	}
	return recorder.Requests()
}
