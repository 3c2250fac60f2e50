package k6_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

const (
	secret = "SECRET" // in every token
	warm   = 20
	cold   = 300
	share  = 0.25
)

// made writes a corpus whose tokens say what they are for, and returns its directory.
func made(t *testing.T, expires time.Time) string {
	t.Helper()
	dir := t.TempDir()
	var file []byte
	add := func(l population.Line) {
		var err error
		if file, err = population.AppendLine(file, &l); err != nil {
			t.Fatal(err)
		}
	}
	for i := range warm + cold {
		l := population.Line{
			Class: population.Valid, Pool: population.Warm, Method: http.MethodGet, Host: "hanoi.example.vn", Path: "/api/x%2Fy",
			Authorization: fmt.Sprintf("Bearer %s-valid-%d", secret, i), Expect: population.Expectation{Status: []int{200}},
		}
		switch i % 5 {
		case 1:
			l.Class, l.Method = population.Expired, http.MethodPost
			l.Authorization = fmt.Sprintf("Bearer %s-expired-%d", secret, i)
			l.Expect = population.Expectation{Status: []int{401}, Code: "token_expired"}
		case 2:
			l.Class = population.Organisation
			l.Authorization = fmt.Sprintf("Bearer %s-organisation-%d", secret, i)
		}
		if i >= warm {
			l.Pool = population.Cold
		}
		add(l)
	}
	m := population.Manifest{
		Format: population.Format, Seed: 5, CreatedAt: time.Now(), ExpiresAt: expires,
		Reuse: population.Reuse{ZipfExponent: 1, ColdShare: share}, Pools: population.Pools{Warm: warm, Cold: cold},
		Classes:       []population.ClassCount{{Class: population.Valid}, {Class: population.Expired}, {Class: population.Organisation}},
		RequestsBytes: int64(len(file)),
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{population.ManifestFile: manifest, population.RequestsFile: file} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// gateway answers by the token, and keeps which tokens came, and what is not as in made.
type gateway struct {
	*httptest.Server

	mu     sync.Mutex
	tokens []string
	odd    []string
}

func startGateway(t *testing.T, answer func(token string) (status int, code string)) *gateway {
	t.Helper()
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		want := http.MethodGet
		if strings.Contains(token, "expired") {
			want = http.MethodPost
		}
		g.mu.Lock()
		g.tokens = append(g.tokens, token)
		if r.Host != "hanoi.example.vn" || r.RequestURI != "/api/x%2Fy" || r.Method != want || r.ContentLength > 0 {
			g.odd = append(g.odd, fmt.Sprintf("%s %s %s of %d bytes", r.Method, r.Host, r.RequestURI, r.ContentLength))
		}
		g.mu.Unlock()
		status, code := answer(token)
		w.WriteHeader(status)
		if code != "" {
			_, _ = fmt.Fprintf(w, `{"type":"about:blank","code":%q}`, code)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// rightly is what each token must get.
func rightly(token string) (int, string) {
	if strings.Contains(token, "expired") {
		return http.StatusUnauthorized, "token_expired"
	}
	return http.StatusOK, ""
}

// first returns the tokens of the first n requests of made's corpus, sorted.
func first(t *testing.T, dir string, from, n, step int64) []string {
	t.Helper()
	c, err := population.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var lines []population.Line
	for l, err := range c.Lines() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	picker, err := population.NewPicker(c.Manifest.Seed, c.Manifest.Reuse, c.Manifest.Pools)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for i := range n {
		at, isCold := picker.Pick(from + i*step)
		if isCold {
			at += warm
		}
		tokens = append(tokens, strings.TrimPrefix(lines[at].Authorization, "Bearer "))
	}
	slices.Sort(tokens)
	return tokens
}

func (g *gateway) sorted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(slices.Values(g.tokens))
}

// coldOf returns those of tokens, sorted, that are of the cold pool.
func coldOf(tokens []string) (all []string) {
	for _, token := range tokens {
		if i, err := strconv.Atoi(token[strings.LastIndex(token, "-")+1:]); err == nil && i >= warm {
			all = append(all, token)
		}
	}
	return all
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

func TestCorpusThatIsAnsweredRightPasses(t *testing.T) {
	t.Parallel()
	dir := made(t, tomorrow())
	g := startGateway(t, rightly)
	status, s, out := run(t, g.URL, dir, nil, "RATE=60", "DURATION=2s")
	if status != exitGood {
		t.Fatalf("exit status %d\n%s", status, out)
	}
	sent := g.sorted()
	// How many come in a second is k6's matter, and that of a machine that is busy.
	if len(sent) < 60 {
		t.Fatalf("%d requests, want about 120", len(sent))
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
	if want := int64(len(coldOf(sent))); s.RequestsCold != want || want < 10 {
		t.Errorf("%d cold requests of %d", s.RequestsCold, len(sent))
	}
	for name, met := range s.Thresholds {
		if !met {
			t.Errorf("%s was not met", name)
		}
	}
}

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
		"an expired token reaches an upstream that is away": func(token string) (int, string) {
			if strings.Contains(token, "expired") {
				return http.StatusServiceUnavailable, "upstream_unavailable"
			}
			return http.StatusOK, ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, answer)
			status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "RATE=50", "DURATION=1s")
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
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "RATE=50", "DURATION=1s")
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
	if status, s, out := run(t, g.URL, dir, nil, "RATE=50", "DURATION=1s", "CHECK=outcome"); status != exitGood {
		t.Errorf("outcome: exit status %d, %+v\n%s", status, s, out)
	}
	if status, s, _ := run(t, g.URL, dir, nil, "RATE=50", "DURATION=1s", "CHECK=status"); status != exitThreshold {
		t.Errorf("status: exit status %d, %+v", status, s)
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
			{[]string{"--execution-segment", "0:1/2", "--execution-segment-sequence", sequence}, []string{"RATE=60"}},
			{[]string{"--execution-segment", "1/2:1", "--execution-segment-sequence", sequence}, []string{"RATE=60"}},
		},
		"parts": {
			{nil, []string{"RATE=30", "PART=0/2"}},
			{nil, []string{"RATE=30", "PART=1/2"}},
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
					status, s, out := run(t, g.URL, dir, part.args, append(part.env, "DURATION=2s")...)
					if status != exitGood {
						t.Errorf("part %d: exit status %d\n%s", i, status, out)
					}
					sum[i] = s.Requests
				})
			}
			both.Wait()
			sent := g.sorted()
			if int64(len(sent)) != sum[0]+sum[1] || sum[0] < 30 || sum[1] < 30 {
				t.Fatalf("%d requests, summaries say %v", len(sent), sum)
			}
			want := slices.Concat(first(t, dir, 0, sum[0], 2), first(t, dir, 1, sum[1], 2))
			slices.Sort(want)
			if !slices.Equal(sent, want) {
				t.Errorf("not every second request from the first and second on:\n%v\n%v", sent, want)
			}
			if all := coldOf(sent); len(all) < 10 || len(slices.Compact(slices.Clone(all))) != len(all) {
				t.Errorf("cold tokens, of which each must be there once: %v", all)
			}
		})
	}
}

func TestRampIsRunAsAsked(t *testing.T) {
	t.Parallel()
	g := startGateway(t, rightly)
	status, s, out := run(t, g.URL, made(t, tomorrow()), nil, "STAGES=20x1s,20-60x500ms,40x500ms", "COLD_SHARE=0")
	// 20 + 20 + 20: k6 rounds where stages meet.
	if status != exitGood || s.Requests < 45 || s.Requests > 80 {
		t.Errorf("exit status %d, %d requests, want about 60\n%s", status, s.Requests, out)
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
