package attack

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// BenchmarkWrk has wrk and a closed loop ask the same target for 3 s each, and fails
// where their throughputs, each by its own count, are more than 5% apart. The target
// takes 5 ms for an answer, so that it is not the faster of the two processors that
// wins.
func BenchmarkWrk(b *testing.B) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal("wrk is not installed")
		}
		b.Skip("wrk is not installed")
	}
	target := serve(b, func(w http.ResponseWriter, _ *http.Request) {
		<-time.After(5 * time.Millisecond)
		_, _ = w.Write([]byte("ok"))
	}).URL
	counted := regexp.MustCompile(`(?m)^\s*(\d+) requests in ([\d.]+)s`)
	for b.Loop() {
		said, err := exec.Command(wrk, "-t1", "-c16", "-d3s", target).CombinedOutput() //nolint:gosec // it is wrk
		m := counted.FindSubmatch(said)
		if err != nil || m == nil {
			b.Fatalf("wrk: %v: %s", err, said)
		}
		n, _ := strconv.ParseFloat(string(m[1]), 64)
		d, _ := strconv.ParseFloat(string(m[2]), 64)
		theirs := n / d
		r, err := Run(b.Context(), Config{
			Address: target[len("http://"):], Source: Cycle{{Message: []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")}},
			Duration: 3 * time.Second, Connections: 16,
		})
		if err != nil || r.Failed > 0 {
			b.Fatal(err, r.Failures)
		}
		apart := r.AnsweredPerSecond/theirs - 1
		b.ReportMetric(theirs, "wrk-req/s")
		b.ReportMetric(r.AnsweredPerSecond, "req/s")
		b.ReportMetric(apart*100, "%apart")
		if apart < -0.05 || apart > 0.05 {
			b.Errorf("%.0f requests/s, wrk %.0f", r.AnsweredPerSecond, theirs)
		}
	}
}

// BenchmarkRequestCPU reports what a request costs the generator, as its own
// threads' time: in a closed loop at full speed, and in an open loop at a rate. Give
// it a machine with nothing else to do: what takes the processors' caches and wakes
// them is in it.
func BenchmarkRequestCPU(b *testing.B) {
	target := serveFast(b)
	for _, c := range []struct {
		name      string
		perSecond float64
		spin      bool
	}{
		{"closed", 0, false}, {"open-20000", 20_000, false}, {"open-20000-spin", 20_000, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				config := load(b, target, max(c.perSecond, 1), 2*time.Second)
				config.Connections, config.Spin = 64, c.spin
				if c.perSecond == 0 {
					config.Schedule, config.Duration = nil, 2*time.Second
				}
				r, err := Run(b.Context(), config)
				if err != nil || r.Failed > 0 {
					b.Fatal(err, r.Failures)
				}
				if each := r.Generator.CPUMicrosecondsPerRequest; each != nil {
					b.ReportMetric(*each, "CPU-µs/req")
				}
				b.ReportMetric(r.AnsweredPerSecond, "req/s")
				b.ReportMetric(r.Lateness.P99Microseconds, "late-p99-µs")
			}
		})
	}
}
