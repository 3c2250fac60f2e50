package main

import (
	"fmt"
	"net"
	"runtime"
	"testing"
)

const (
	// refusalPart bounds what the process spends on a new token that it refuses, as
	// a part of what it spends on one that it serves.
	refusalPart = 0.10

	refusalRounds = 7
	refusalConns  = 64
	// refusalLimit is how many requests the gateway that refuses takes in, and
	// refusalHeld how many it has in flight all the time: more than the three
	// quarters up to which it verifies new tokens.
	refusalLimit = 400
	refusalHeld  = 310
	heldHost     = "held.example"
)

// BenchmarkRefusal measures what the process spends on a new token that it serves
// and on one that it refuses for want of processor time: the real binary at full
// speed on a processor of its own, each kind over 64 connections, in turn. The
// median of the rounds counts. Bounded is the process's own time. With the
// kernel's the part is reported: it takes in one read and one write, and on a
// loopback the way to the other end's socket, which no answer can do without.
func BenchmarkRefusal(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("the clients need a processor of their own")
	}
	serves, refuses := newStormWorld(b, ""), newStormWorld(b, fmt.Sprintf(`
  - name: held
    hosts: [%s]
    upstreams: ["%s"]
    issuers: [vneid]
    timeouts: { first_byte: 10m }
    rules: [{ paths: [/**], access: public }]
overload: { least_requests: %d, most_requests: %d }
`, heldHost, silentUpstream(b), refusalLimit, refusalLimit))
	for range refusalHeld {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", refuses.port))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		if _, err := c.Write(rawRequest("GET", heldHost, reading, "")); err != nil {
			b.Fatal(err)
		}
	}
	refuses.gateway.awaitInFlight(b, refusalHeld)
	for b.Loop() {
		served := serves.loop.stream(b, serves.port, refusalConns, serves.tokens(b, refusalRounds*12_000))
		refused := refuses.loop.stream(b, refuses.port, refusalConns, refuses.tokens(b, 1000))
		var own, whole, costs, newCosts []float64
		for range refusalRounds {
			servedOwn, servedWhole := serves.cost(b, served, &served.served)
			refusedOwn, refusedWhole := refuses.cost(b, refused, &refused.refused)
			b.Logf("own, whole: %.1f, %.1f µs to serve; %.1f, %.1f µs to refuse", 1e6*servedOwn, 1e6*servedWhole, 1e6*refusedOwn, 1e6*refusedWhole)
			if served.refused+served.other+refused.served+refused.other > 0 {
				b.Fatalf("of those to serve %d were refused and %d were answered otherwise; of those to refuse %d were served, and %d answered otherwise",
					served.refused, served.other, refused.served, refused.other)
			}
			own = append(own, refusedOwn/servedOwn)
			whole = append(whole, refusedWhole/servedWhole)
			costs, newCosts = append(costs, refusedWhole), append(newCosts, servedWhole)
		}
		b.ReportMetric(1e6*middle(newCosts), "new-cpu-µs")
		b.ReportMetric(1e6*middle(costs), "refusal-cpu-µs")
		b.ReportMetric(middle(whole), "refusal-ratio")
		b.ReportMetric(middle(own), "refusal-own-ratio")
		if middle(own) > refusalPart {
			b.Errorf("to refuse a new token costs %.3f of what it costs to serve it; %.2f is allowed", middle(own), refusalPart)
		}
	}
	b.ReportMetric(0, "ns/op") // It says nothing.
}

// cost runs a stream for a round and returns what one of the answers cost, in
// seconds: of the process in user mode, and with what the kernel did for it.
func (w *stormWorld) cost(b *testing.B, s *loopStream, answers *int) (own, whole float64) {
	b.Helper()
	user, kernel := cpuTimes(b, w.gateway.pid)
	w.run(b, s)
	userNow, kernelNow := cpuTimes(b, w.gateway.pid)
	n := float64(*answers)
	return (userNow - user).Seconds() / n, (userNow + kernelNow - user - kernel).Seconds() / n
}

// silentUpstream accepts and never answers.
func silentUpstream(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return "http://" + l.Addr().String()
}
