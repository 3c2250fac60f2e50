package k6_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCorpusThatIsAnsweredRightPasses(t *testing.T) {
	t.Parallel()
	dir := made(t, tomorrow())
	g := startGateway(t, rightly)
	status, s, out := run(t, g.URL, dir, nil, "RATE=50", "DURATION=1s")
	if status != exitGood {
		t.Fatalf("exit status %d\n%s", status, out)
	}
	sent := g.sorted()
	// How many come in a second is k6's matter, and that of a machine that is busy.
	if len(sent) < 25 {
		t.Fatalf("%d requests, want about 50", len(sent))
	}
	if want := first(t, dir, 0, int64(len(sent)), 1); !slices.Equal(sent, want) {
		t.Errorf("not the first %d requests of the corpus:\n%v\n%v", len(sent), sent, want)
	}
	if len(g.odd) > 0 {
		t.Errorf("requests not as in the corpus: %v", g.odd[:1])
	}
	byClass := s.Classes["valid"].Requests + s.Classes["expired"].Requests + s.Classes["organisation"].Requests
	if s.Format != "vneid-bench-k6/1" || s.Requests != int64(len(sent)) || byClass != s.Requests || s.Latency.Count != s.Requests ||
		s.WrongVerdicts+s.Overloaded+s.UpstreamFailures+s.Unanswered+s.RequestsDropped != 0 || s.Classes["expired"].Requests == 0 {
		t.Errorf("%+v", s)
	}
	if want := int64(len(coldOf(sent))); s.RequestsCold != want || want < 4 {
		t.Errorf("%d cold requests of %d", s.RequestsCold, len(sent))
	}
	for name, met := range s.Thresholds {
		if !met {
			t.Errorf("%s was not met", name)
		}
	}
}

// Two machines, told apart by k6's own segments or by PART, together send what one
// would have sent.
func TestPartsOfALoadSendEveryRequestOnce(t *testing.T) {
	t.Parallel()
	binary(t)
	const sequence = "0,1/2,1"
	for name, parts := range map[string][2]struct{ args, env []string }{
		"segments": {
			{[]string{"--execution-segment", "0:1/2", "--execution-segment-sequence", sequence}, []string{"RATE=50"}},
			{[]string{"--execution-segment", "1/2:1", "--execution-segment-sequence", sequence}, []string{"RATE=50"}},
		},
		"parts": {
			{nil, []string{"RATE=25", "PART=0/2"}},
			{nil, []string{"RATE=25", "PART=1/2"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := made(t, tomorrow())
			g := startGateway(t, rightly)
			var both sync.WaitGroup
			var sum [2]int64
			for i, part := range parts {
				both.Go(func() {
					status, s, out := run(t, g.URL, dir, part.args, append(part.env, "DURATION=1s")...)
					if status != exitGood {
						t.Errorf("part %d: exit status %d\n%s", i, status, out)
					}
					sum[i] = s.Requests
				})
			}
			both.Wait()
			sent := g.sorted()
			if int64(len(sent)) != sum[0]+sum[1] || sum[0] < 12 || sum[1] < 12 {
				t.Fatalf("%d requests, summaries say %v", len(sent), sum)
			}
			want := slices.Concat(first(t, dir, 0, sum[0], 2), first(t, dir, 1, sum[1], 2))
			slices.Sort(want)
			if !slices.Equal(sent, want) {
				t.Errorf("not every second request from the first and second on:\n%v\n%v", sent, want)
			}
			if all := coldOf(sent); len(all) < 4 || len(slices.Compact(slices.Clone(all))) != len(all) {
				t.Errorf("cold tokens, of which each must be there once: %v", all)
			}
		})
	}
}

func TestRampIsRunAsAsked(t *testing.T) {
	t.Parallel()
	g := startGateway(t, rightly)
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "STAGES=20x500ms,20-60x500ms,40x500ms", "COLD_SHARE=0")
	// 10 + 20 + 20: k6 rounds where stages meet.
	if status != exitGood || s.Requests < 35 || s.Requests > 60 {
		t.Errorf("exit status %d, %d requests, want about 50\n%s", status, s.Requests, out)
	}
}

func TestCorpusThatDoesNotReachIsRefusedBeforeTheLoad(t *testing.T) {
	t.Parallel()
	g := startGateway(t, rightly)
	for name, c := range map[string]struct {
		dir  string
		env  []string
		says string
	}{
		"too few cold tokens": {made(t, tomorrow()), []string{"RATE=1000", "DURATION=2s"}, "mint more"},
		"too old":             {made(t, time.Now().Add(time.Second)), []string{"RATE=10", "DURATION=2s"}, "mint another"},
		"two loads":           {made(t, tomorrow()), []string{"RATE=10", "STAGES=10x1s"}, "one of RATE and STAGES"},
		"no corpus":           {t.TempDir(), []string{"RATE=10"}, "corpus.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, out := run(t, g.URL, c.dir, nil, c.env...)
			if status != exitScript || !strings.Contains(out, c.says) {
				t.Errorf("exit status %d\n%s", status, out)
			}
		})
	}
	if sent := g.sorted(); len(sent) > 0 {
		t.Errorf("%d requests were sent", len(sent))
	}
}
