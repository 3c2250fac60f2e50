//go:build unix

package gateway

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkWarmOverPublic compares, in one run and interleaved, what a verified
// request on a warm token costs the gateway's process with what a request of a
// public route costs it. An op is one request of each kind. On a machine of
// few cores, pin the process to one: taskset -c 0.
func BenchmarkWarmOverPublic(b *testing.B) {
	l := startLoader(b)
	r := newRig(b, setup{upstreams: "[http://" + l.upstream + "]", access: "{ off: true }"})
	tok := r.signed(testKeys()["RS256"])
	requests := map[string]string{
		"public": request("GET", "/open/x", append(browserFields, bearer(tok))...),
		"warm":   request("GET", "/private", append(browserFields, bearer(tok))...),
	}
	const rounds = 10
	part := max(b.N/rounds, loadClients)
	for _, raw := range requests {
		l.run(b, r.address(), raw, 2000)
	}
	hits := r.metric("verdict_cache_lookups_total", "result=hit")
	used := make(map[string]time.Duration)
	b.ResetTimer()
	for i := range rounds {
		for j := range 2 {
			kind := []string{"public", "warm"}[(i+j)%2]
			before := processTime(b)
			l.run(b, r.address(), requests[kind], part)
			used[kind] += processTime(b) - before
		}
	}
	b.StopTimer()
	done := float64(part / loadClients * loadClients * rounds)
	if got := r.metric("verdict_cache_lookups_total", "result=hit") - hits; got < done {
		b.Errorf("%v of %v requests were warm", got, done)
	}
	b.ReportMetric(float64(used["public"].Nanoseconds())/done, "public-cpu-ns/op")
	b.ReportMetric(float64(used["warm"].Nanoseconds())/done, "warm-cpu-ns/op")
	b.ReportMetric(float64(used["warm"])/float64(used["public"]), "warm/public")
}

// processTime returns the CPU time that this process has used.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
