package population_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// written is a corpus of given lines, warm ones first.
func written(t *testing.T, reuse population.Reuse, pools population.Pools, lines ...string) *population.Corpus {
	t.Helper()
	dir := t.TempDir()
	manifest := `{"format":"vneid-bench-corpus/1","seed":1,"created_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T04:04:05Z",` +
		`"issuers":[],"sites":[],"reuse":` + asJSON(t, reuse) + `,"pools":` + asJSON(t, pools) + `,"classes":[],"algorithms":[],"sizes":[],"requests_bytes":1}`
	for name, content := range map[string]string{population.ManifestFile: manifest, population.RequestsFile: strings.Join(lines, "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := population.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func line(class, pool, path, expect string) string {
	return `{"class":"` + class + `","pool":"` + pool + `","method":"GET","host":"a.example.vn","path":"` + path + `","authorization":"Bearer x","expect":` + expect + `}`
}

const (
	passes  = `{"status":[200,204],"code":""}`
	refused = `{"status":[401],"code":"token_expired"}`
)

// two is a corpus of a warm request that passes and a cold one that does not.
func two(t *testing.T) *population.Corpus {
	t.Helper()
	return written(t, population.Reuse{ColdShare: 0.001}, population.Pools{Warm: 1, Cold: 1}, line("valid", "warm", "/w", passes), line("expired", "cold", "/c", refused))
}

func source(t *testing.T, c *population.Corpus, config population.SourceConfig) *population.Source {
	t.Helper()
	s, err := c.Source(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// first finds the first request of a load of 1,000 that is for a path.
func first(t *testing.T, s *population.Source, path string) *attack.Request {
	t.Helper()
	for n := range int64(1000) {
		if r := s.Request(n); r != nil && bytes.HasPrefix(r.Message, []byte("GET "+path+" ")) {
			return r
		}
	}
	t.Fatalf("no request for %s", path)
	return nil
}

func TestRequestsAreSentAsTheirLinesSay(t *testing.T) {
	t.Parallel()
	c := written(t, population.Reuse{}, population.Pools{Warm: 3},
		line("valid", "warm", "/a", passes),
		`{"class":"anonymous","pool":"warm","method":"POST","host":"b.example.vn","path":"/b","expect":{"status":[401],"code":"credential_missing"}}`,
		`{"class":"valid","pool":"warm","method":"HEAD","host":"b.example.vn","path":"/c","expect":{"status":[401],"code":"x"}}`)
	for host, want := range map[string][]string{
		"":           {"GET /a HTTP/1.1\r\nHost: a.example.vn\r\nAuthorization: Bearer x\r\n\r\n", "POST /b HTTP/1.1\r\nHost: b.example.vn\r\nContent-Length: 0\r\n\r\n", "HEAD /c HTTP/1.1\r\nHost: b.example.vn\r\n\r\n"},
		"given:8080": {"GET /a HTTP/1.1\r\nHost: given:8080\r\nAuthorization: Bearer x\r\n\r\n", "POST /b HTTP/1.1\r\nHost: given:8080\r\nContent-Length: 0\r\n\r\n", "HEAD /c HTTP/1.1\r\nHost: given:8080\r\n\r\n"},
	} {
		s := source(t, c, population.SourceConfig{Host: host})
		got := map[string]*attack.Request{}
		for n := range int64(100) {
			r := s.Request(n)
			got[string(r.Message)] = r
		}
		for _, message := range want {
			r := got[message]
			if r == nil {
				t.Errorf("host %q: no request %q", host, message)
			} else if head := strings.HasPrefix(message, "HEAD"); r.NoBody != head || head && r.Expect.Accept != nil {
				t.Errorf("%q: no body %v", message, r.NoBody)
			}
		}
		if len(got) != len(want) {
			t.Errorf("host %q: %d requests", host, len(got))
		}
	}
}

func TestCheckSaysHowCloselyAnAnswerIsLookedAt(t *testing.T) {
	t.Parallel()
	expired := []byte(`{"type":"x","code":"token_expired","request_id":"1"}`)
	for _, c := range []struct {
		check           population.Check
		expected        string
		status          int
		body            []byte
		right, statusOK bool
	}{
		{population.CheckCode, "401 token_expired", 401, expired, true, true},
		{"", "401 token_expired", 401, []byte(`{"code": "token_revoked"}`), false, true},
		{population.CheckCode, "401 token_expired", 401, []byte("expired"), false, true},
		{population.CheckCode, "401 token_expired", 403, expired, true, false},
		{population.CheckStatus, "401", 401, []byte("expired"), true, true},
		{population.CheckStatus, "401", 403, expired, true, false},
		{population.CheckOutcome, "400/401/403", 403, nil, true, true},
		{population.CheckOutcome, "400/401/403", 200, nil, true, false},
	} {
		s := source(t, two(t), population.SourceConfig{Check: c.check})
		r := first(t, s, "/c")
		if class := s.Classes()[r.Class-1]; class.Name != "expired" || class.Expected != c.expected {
			t.Errorf("%s: %+v", c.check, class)
		}
		statusOK := false
		for _, status := range r.Expect.Statuses {
			statusOK = statusOK || status == c.status
		}
		right := r.Expect.Accept == nil || r.Expect.Accept(&attack.Response{Status: c.status, Body: c.body})
		if statusOK != c.statusOK || right != c.right {
			t.Errorf("%s: %d %s: status %v, body %v", c.check, c.status, c.body, statusOK, right)
		}
	}
	passing := first(t, source(t, two(t), population.SourceConfig{Check: population.CheckOutcome}), "/w")
	if len(passing.Expect.Statuses) != 2 || passing.Expect.Accept != nil {
		t.Errorf("%+v", passing.Expect)
	}
}

func TestRefusalForWantOfCapacityIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := source(t, two(t), population.SourceConfig{})
	for _, c := range []struct {
		path   string
		status int
		body   string
		want   attack.Failure
		reason string
	}{
		{"/w", 401, `{"code":"signature_invalid"}`, attack.FailureVerdict, "signature_invalid"},
		{"/w", 404, "", attack.FailureVerdict, ""},
		{"/w", 503, `{"code":"overloaded"}`, attack.FailureOverload, "overloaded"},
		{"/w", 429, `{"code":"rate_limited"}`, attack.FailureOverload, "rate_limited"},
		{"/w", 502, `{"code":"Bad Gateway"}`, attack.FailureStatus, ""},
		{"/w", 503, `{"code":"upstream_unavailable"}`, attack.FailureOverload, "upstream_unavailable"},
		{"/c", 503, `{"code":"overloaded"}`, attack.FailureOverload, "overloaded"},
		{"/w", 408, `{"code":"request_timeout"}`, attack.FailureOverload, "request_timeout"},
		{"/c", 408, `{"code":"request_timeout"}`, attack.FailureOverload, "request_timeout"},
		{"/c", 429, `{"code":"rate_limited"}`, attack.FailureOverload, "rate_limited"},
		{"/c", 503, `{"code":"introspection_unavailable"}`, attack.FailureOverload, "introspection_unavailable"},
		// No reason that is given before the verdict: it may have been let through.
		{"/c", 503, `{"code":"upstream_saturated"}`, attack.FailureVerdict, "upstream_saturated"},
		{"/c", 503, `{"code":"maintenance"}`, attack.FailureVerdict, "maintenance"},
		{"/c", 503, "busy", attack.FailureVerdict, ""},
		{"/c", 429, "", attack.FailureVerdict, ""},
		{"/c", 500, `{"code":"internal_error"}`, attack.FailureVerdict, "internal_error"},
		{"/c", 200, "", attack.FailureVerdict, ""},
		// It came as far as an upstream: it was let through.
		{"/c", 502, `{"code":"upstream_failed"}`, attack.FailureVerdict, "upstream_failed"},
		{"/c", 503, `{"code":"upstream_unavailable"}`, attack.FailureVerdict, "upstream_unavailable"},
		{"/c", 401, `{"code":"` + strings.Repeat("x", 49) + `"}`, attack.FailureVerdict, ""},
		{"/c", 401, `{"code":"`, attack.FailureVerdict, ""},
		{"/c", 401, `{"code":401}`, attack.FailureVerdict, ""},
	} {
		got, reason := s.Judge(first(t, s, c.path), &attack.Response{Status: c.status, Body: []byte(c.body)})
		if got != c.want || string(reason) != c.reason {
			t.Errorf("%s: %d %s: %v %q, want %v %q", c.path, c.status, c.body, got, reason, c.want, c.reason)
		}
	}
}

func TestTargetWithOtherCodesPutsOffByItsStatus(t *testing.T) {
	t.Parallel()
	for _, check := range []population.Check{population.CheckStatus, population.CheckOutcome} {
		s := source(t, two(t), population.SourceConfig{Check: check})
		for body, want := range map[string]attack.Failure{
			"busy": attack.FailureOverload, `{"code":"their_own"}`: attack.FailureOverload, `{"code":"upstream_saturated"}`: attack.FailureVerdict,
		} {
			if got, _ := s.Judge(first(t, s, "/c"), &attack.Response{Status: 503, Body: []byte(body)}); got != want {
				t.Errorf("%s: 503 %s: %v, want %v", check, body, got, want)
			}
		}
	}
}

func TestWarmRequestsAloneAreThoseOfTheSource(t *testing.T) {
	t.Parallel()
	s := source(t, two(t), population.SourceConfig{})
	warm := s.Warm()
	for n := range int64(2000) {
		if r := warm.Request(n); r == nil || !bytes.HasPrefix(r.Message, []byte("GET /w ")) {
			t.Fatalf("request %d is not warm", n)
		}
	}
	first(t, s, "/c") // It sends cold ones as before.
}

func TestLoadThatNeedsMoreColdTokensThanThereAreIsRefusedWithHowMany(t *testing.T) {
	t.Parallel()
	all := 1.0
	s := source(t, two(t), population.SourceConfig{ColdShare: &all})
	if err := s.Enough(5000); !errors.Is(err, population.ErrCold) || !strings.Contains(err.Error(), "the load needs 5000, and the corpus has 1:") {
		t.Errorf("%v", err)
	}
	s = source(t, two(t), population.SourceConfig{})
	if err := s.Enough(1000); err != nil {
		t.Errorf("one in a thousand: %v", err)
	}
	if err := s.Enough(2000); !errors.Is(err, population.ErrCold) {
		t.Errorf("two in two thousand: %v", err)
	}
	missing := 0
	for n := range int64(3000) {
		if s.Request(n) == nil {
			missing++
		}
	}
	if missing != 2 {
		t.Errorf("%d requests are missing, want 2", missing)
	}
}

func TestPartsOfALoadAndItsContinuationMakeTheWhole(t *testing.T) {
	t.Parallel()
	share := 0.5
	var lines []string
	for i := range 10 {
		lines = append(lines, line("valid", "warm", "/"+strings.Repeat("w", i+1), passes))
	}
	for i := range 1000 {
		lines = append(lines, line("valid", "cold", "/c/"+strings.Repeat("x", i+1), passes))
	}
	c := written(t, population.Reuse{ZipfExponent: 1, ColdShare: share}, population.Pools{Warm: 10, Cold: 1000}, lines...)
	whole := source(t, c, population.SourceConfig{})
	message := func(s *population.Source, n int64) string { return string(s.Request(n).Message) }
	for k := range int64(3) {
		s := source(t, c, population.SourceConfig{First: 100, Part: k, Parts: 3})
		for n := range int64(300) {
			if message(s, n) != message(whole, 100+3*n+k) {
				t.Fatalf("part %d: request %d", k, n)
			}
			if message(s.From(7), n) != message(whole, 100+3*(n+7)+k) {
				t.Fatalf("part %d from 7: request %d", k, n)
			}
		}
	}
}

func TestCorpusBeyondTheMemoryItMayTakeIsRefused(t *testing.T) {
	t.Parallel()
	c := two(t)
	s := source(t, c, population.SourceConfig{})
	if s.Bytes() < 200 || s.Bytes() > 8<<20 {
		t.Errorf("%d bytes", s.Bytes())
	}
	for _, limit := range []int64{100, s.Bytes() - 1} {
		if _, err := c.Source(population.SourceConfig{MaxBytes: limit}); !errors.Is(err, population.ErrMemory) {
			t.Errorf("%d bytes: %v", limit, err)
		}
	}
	if _, err := c.Source(population.SourceConfig{MaxBytes: s.Bytes()}); err != nil {
		t.Error(err)
	}
}

func TestCorpusThatIsTooOldIsNotSent(t *testing.T) {
	t.Parallel()
	c := two(t)
	expires := c.Manifest.ExpiresAt
	if err := c.Fresh(expires.Add(-time.Second)); err != nil {
		t.Error(err)
	}
	if err := c.Fresh(expires); !errors.Is(err, population.ErrExpired) {
		t.Errorf("%v", err)
	}
}

func TestBrokenCorpusIsRefusedByItsLine(t *testing.T) {
	t.Parallel()
	warm, cold := line("valid", "warm", "/w", passes), line("valid", "cold", "/c", passes)
	pools := population.Pools{Warm: 1, Cold: 1}
	for name, c := range map[string]struct {
		lines []string
		says  string
	}{
		"cold before warm": {[]string{cold, warm}, "requests.jsonl:1: "},
		"too few":          {[]string{warm}, "requests.jsonl:2: not a corpus: it ends here"},
		"too many":         {[]string{warm, cold, cold}, "requests.jsonl:3: "},
		"an empty line":    {[]string{warm, "", cold}, "requests.jsonl:2: "},
		"a long line":      {[]string{warm, strings.Repeat("x", 1<<20)}, "requests.jsonl:2: not a corpus: longer than 65536 bytes"},
	} {
		_, err := written(t, population.Reuse{}, pools, c.lines...).Source(population.SourceConfig{})
		if !errors.Is(err, population.ErrCorpus) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, config := range map[string]population.SourceConfig{
		"a check": {Check: "all"}, "a host": {Host: "a b"}, "a part": {Part: 2, Parts: 2}, "a part of none": {Parts: -1}, "a beginning": {First: -1},
	} {
		if _, err := two(t).Source(config); !errors.Is(err, population.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, manifest := range map[string]string{
		"empty": "", "another format": `{"format":"x"}`, "an unknown member": `{"format":"vneid-bench-corpus/1","x":1}`,
		"no pools": `{"format":"vneid-bench-corpus/1"}`, "a pool below 0": `{"format":"vneid-bench-corpus/1","pools":{"warm":-1,"cold":5}}`,
		"a huge pool": `{"format":"vneid-bench-corpus/1","pools":{"warm":1,"cold":99000000000}}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, population.ManifestFile), []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := population.Open(dir); !errors.Is(err, population.ErrCorpus) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
