package gateway

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func TestAccessLogTellsWhatHappenedAndNotWho(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.get("/private/ho-so/000123456789?x=y", bearer(r.token()), "X-Request-Id: client.id_1-2")
	r.do("POST", "/private/x", "Content-Length: 0", "X-Request-Id: not plain")
	lines := r.log.lines("request")
	if len(lines) != 2 {
		t.Fatalf("%v", lines)
	}
	keys := func(line map[string]any) string {
		var names []string
		for name := range line {
			names = append(names, name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	const always = "bytes level method msg outcome overhead_seconds path reason request_id seconds site status time"
	allowed, refused := lines[0], lines[1]
	if got := keys(allowed); got != "account_kind "+always {
		t.Errorf("%s", got)
	}
	if got := keys(refused); got != always {
		t.Errorf("%s", got)
	}
	for name, want := range map[string]any{
		"request_id": "client.id_1-2", "outcome": "allowed", "reason": "none", "status": 200.0, "method": "GET",
		"path": "/private/ho-so/*", "bytes": 4.0, "site": "hanoi", "account_kind": "citizen", "level": "INFO",
	} {
		if allowed[name] != want {
			t.Errorf("%s is %v, want %v", name, allowed[name], want)
		}
	}
	for name, want := range map[string]any{
		"outcome": "refused", "reason": "credential_missing", "status": 401.0, "method": "POST", "path": "/private/x",
	} {
		if refused[name] != want {
			t.Errorf("%s is %v, want %v", name, refused[name], want)
		}
	}
	if id, _ := refused["request_id"].(string); len(id) != 32 {
		t.Errorf("an id was not made: %q", id)
	}
	seconds, _ := allowed["seconds"].(float64)
	overhead, _ := allowed["overhead_seconds"].(float64)
	if overhead <= 0 || seconds < overhead {
		t.Errorf("%v of %v seconds", overhead, seconds)
	}
}

func TestAccessLogSamplesAllowedAndBoundsRefused(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_750_000_000, 0)
	var s accessSampler
	p := accessPolicy{sample: 10, refusedPerSecond: 5}
	count := func(n int, refused bool, at time.Time) (written, dropped int) {
		for range n {
			w, d := s.take(p, refused, at)
			if w {
				written++
			}
			if d {
				dropped++
			}
		}
		return written, dropped
	}
	if w, d := count(100, false, now); w != 10 || d != 0 {
		t.Errorf("of 100 allowed %d were written, %d dropped", w, d)
	}
	if w, d := count(100, true, now); w != 5 || d != 95 {
		t.Errorf("of 100 refused %d were written, %d dropped", w, d)
	}
	if w, d := count(7, true, now.Add(time.Second)); w != 5 || d != 2 {
		t.Errorf("the next second: %d written, %d dropped", w, d)
	}
	// Lines of requests that took longer than others must not open the bound.
	for range 10 {
		if w, _ := count(1, true, now); w != 0 {
			t.Fatal("a second that has passed was opened again")
		}
		if w, _ := count(1, true, now.Add(time.Second)); w != 0 {
			t.Fatal("the bound of a second was spent twice")
		}
	}
	p = accessPolicy{sample: 1, refusedPerSecond: 0}
	if w, _ := count(3, false, now); w != 3 {
		t.Errorf("sample 1 wrote %d of 3", w)
	}
	if w, d := count(3, true, now.Add(time.Minute)); w != 0 || d != 3 {
		t.Errorf("a bound of 0: %d written, %d dropped", w, d)
	}
	p = accessPolicy{off: true, sample: 1, refusedPerSecond: 100}
	for _, refused := range []bool{false, true} {
		if w, d := count(3, refused, now); w != 0 || d != 0 {
			t.Errorf("off: %d written, %d dropped", w, d)
		}
	}
}

func TestDroppedLinesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{access: "{ sample: 1000, refused_per_second: 0 }"})
	for range 4 {
		r.get("/private")
	}
	for range 3 {
		r.get("/open/x")
	}
	if lines := r.log.lines("request"); len(lines) != 1 || lines[0]["outcome"] != "allowed" {
		t.Errorf("%v", lines)
	}
	r.wantMetric(4, "access_log_dropped_total")
	r.wantMetric(7, "requests_total")
}

func TestPathsAreMasked(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("/abc", 100)
	for path, want := range map[string]string{
		"":                                     "",
		"/":                                    "/",
		"/api/ho-so/12345678":                  "/api/ho-so/12345678",
		"/api/ho-so/123456789":                 "/api/ho-so/*",
		"/cong-dan/000123456789/ho-so":         "/cong-dan/*/ho-so",
		"/cong-dan/000.123.456.789":            "/cong-dan/*",
		"/cong-dan/so-000-123-456-789-x/":      "/cong-dan/*/",
		"/cong-dan/0/0/0/1/2/3/4/5/6/7/8/9":    "/cong-dan/0/0/0/1/2/3/4/5/6/7/8/9",
		"/u/someone@example.vn/x":              "/u/*/x",
		"/u/Nguy%E1%BB%85n%20A":                "/u/*",
		"/v1.000123/000123":                    "/v1.000123/000123",
		"/t/" + strings.Repeat("a", 63):        "/t/" + strings.Repeat("a", 63),
		"/t/" + strings.Repeat("a", 64) + "/x": "/t/*/x",
		"/2026/11/21/x":                        "/2026/11/21/x",
		"/thu-tuc/1.004222":                    "/thu-tuc/1.004222",
		long:                                   long[:256],
	} {
		if got := string(appendMasked(nil, []byte(path))); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func FuzzMaskedPathHoldsNoNumber(f *testing.F) {
	f.Add("/a/000123456789/b", "x")
	f.Add("/a/000-123", "456789")
	f.Fuzz(func(t *testing.T, path, more string) {
		path += more
		masked := appendMasked(nil, []byte(path))
		if len(masked) > maxLoggedPath+maskSegment {
			t.Errorf("%d bytes", len(masked))
		}
		for segment := range strings.SplitSeq(string(masked), "/") {
			digits := 0
			for _, c := range []byte(segment) {
				if c >= '0' && c <= '9' {
					digits++
				}
			}
			if digits >= maskDigits || strings.ContainsAny(segment, "@%") || len(segment) >= maskSegment {
				t.Errorf("%q left %q", path, segment)
			}
		}
	})
}

func TestStreamedResponseIsLoggedAtItsEndWithItsBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{upstreams: "[" + startSite(t) + "]"})
	const size = 3 << 20
	for _, target := range []string{"/open/../bytes?n=" + decimal(size), "/open/../bytes?chunked=1&n=" + decimal(size)} {
		if a := r.get(target, bearer(r.token())); len(a.body) != size {
			t.Fatalf("%d bytes", len(a.body))
		}
	}
	r.idle()
	lines := r.log.lines("request")
	if len(lines) != 2 {
		t.Fatalf("%v", lines)
	}
	for _, line := range lines {
		if line["bytes"] != float64(size) || line["broken_off"] != nil || line["outcome"] != "allowed" {
			t.Errorf("%v", line)
		}
	}
	r.wantMetric(2, "requests_total", "outcome=allowed")
}

func TestResponseThatBreaksOffNeverLooksWhole(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 40000),
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9c40\r\n" + strings.Repeat("x", 40000) + "\r\n",
		"chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + strings.Repeat("x", 40000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{answer: origin.Always(origin.Answer{Raw: []byte(raw), End: origin.Close})})
			for _, protocol := range []string{"1.1", "1.0"} {
				conn := r.dial().send(strings.Replace(openGet, "1.1", protocol, 1) + "\r\n")
				if a, err := conn.tryAnswer("GET"); err == nil {
					t.Errorf("HTTP/%s: read as whole: %d, %d bytes", protocol, a.status, len(a.body))
				}
				conn.Close()
			}
			r.idle()
			for _, line := range r.log.lines("request") {
				if line["broken_off"] != true {
					t.Errorf("%v", line)
				}
			}
			r.wantMetric(0, "upstream_connections")
			r.wantMetric(2, "requests_total")
		})
	}
}

// startSite starts an echoing upstream and returns its URL.
func startSite(tb testing.TB) string {
	tb.Helper()
	s, err := origin.Start(tb.Context(), "", "hanoi")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s.URL()
}
