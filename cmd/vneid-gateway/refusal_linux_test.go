package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// refusalPart bounds what the process spends on a new token that it refuses, as
	// a part of what it spends on one that it serves.
	refusalPart = 0.10

	// refusalRounds are short, so that both kinds meet the same of whatever else
	// the machine does.
	refusalRounds = 28
	refusalRound  = 500 * time.Millisecond
	refusalTries  = 3
	refusalTokens = 6000 // more than are served in a round
	refusalConns  = 64
	// refusalLimit is how many requests the gateway that refuses takes in, and
	// refusalHeld how many it has in flight all the time: more than the three
	// quarters up to which it verifies new tokens.
	refusalLimit = 100
	refusalHeld  = 78
	heldHost     = "held.example"
)

// BenchmarkRefusal measures what the process spends on a new token that it serves
// and on one that it refuses for want of processor time: the real binary at full
// speed on a processor of its own, each kind over 64 connections, in turn. The
// median of the rounds counts, with the kernel's time, in which a refusal is one
// read and one write and their way over the loopback.
//
// What else the machine does adds to both kinds, and more to the refusal, which
// waits for memory more than it computes: a part that is too large is measured
// again, up to three times in all.
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
	// Whatever else the clients' process does is not to take the gateway's processor.
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		b.Fatal(err)
	}
	pinAll(b, os.Getpid(), only(1))
	b.Cleanup(func() { pinAll(b, os.Getpid(), before) })
	served := serves.loop.stream(b, serves.port, refusalConns, nil)
	refused := refuses.loop.stream(b, refuses.port, refusalConns, refuses.tokens(b, 1000))
	for b.Loop() {
		var m refusalCosts
		for range refusalTries {
			served.requests, served.next = serves.tokens(b, (refusalRounds+1)*refusalTokens), 0
			if m = measureRefusal(b, serves, refuses, served, refused); m.whole <= refusalPart {
				break
			}
		}
		b.ReportMetric(1e6*m.served, "new-cpu-µs")
		b.ReportMetric(1e6*m.refused, "refusal-cpu-µs")
		b.ReportMetric(m.whole, "refusal-ratio")
		b.ReportMetric(m.own, "refusal-own-ratio")
		if m.whole > refusalPart {
			b.Errorf("to refuse a new token costs %.3f of what it costs to serve it; %.2f is allowed", m.whole, refusalPart)
		}
	}
	b.ReportMetric(0, "ns/op") // It says nothing.
}

// refusalCosts are medians: seconds an answer, and the parts that a refusal is of
// what is served, by the process's own time and by all of it.
type refusalCosts struct{ served, refused, own, whole float64 }

func measureRefusal(b *testing.B, serves, refuses *stormWorld, served, refused *loopStream) refusalCosts {
	b.Helper()
	serves.cost(b, served, &served.served) // Tables and buffers have been touched then.
	refuses.cost(b, refused, &refused.refused)
	var own, whole, refusedCosts, servedCosts []float64
	for range refusalRounds {
		servedOwn, servedWhole := serves.cost(b, served, &served.served)
		refusedOwn, refusedWhole := refuses.cost(b, refused, &refused.refused)
		if served.refused+served.other+refused.served+refused.other > 0 {
			b.Fatalf("of those to serve %d were refused and %d were answered otherwise; of those to refuse %d were served, and %d answered otherwise",
				served.refused, served.other, refused.served, refused.other)
		}
		own, whole = append(own, refusedOwn/servedOwn), append(whole, refusedWhole/servedWhole)
		refusedCosts, servedCosts = append(refusedCosts, refusedWhole), append(servedCosts, servedWhole)
	}
	m := refusalCosts{served: middle(servedCosts), refused: middle(refusedCosts), own: middle(own), whole: middle(whole)}
	b.Logf("%.1f µs to serve, %.1f to refuse: %.3f of it, %.3f of the process's own time", 1e6*m.served, 1e6*m.refused, m.whole, m.own)
	return m
}

// cost runs a stream for a round and returns what one of the answers cost, in
// seconds: of the process in user mode, and with what the kernel did for it.
func (w *stormWorld) cost(b *testing.B, s *loopStream, answers *int) (own, whole float64) {
	b.Helper()
	user, kernel := cpuTimes(b, w.gateway.pid)
	w.runFor(b, refusalRound, s)
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
