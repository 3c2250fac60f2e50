package target

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/procfs"
)

// BenchmarkScrape is a sample of metrics over HTTP, about as many as a gateway's with
// a few sites; the target's share is in it, because both are one process here.
func BenchmarkScrape(b *testing.B) {
	p := newPage()
	for i := range 300 {
		p.requests.WithLabelValues(fmt.Sprint("site", i%5), "refused", fmt.Sprint("reason", i/5)).Inc()
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: fmt.Sprintf("some_counter_%d_total", i), Help: "What it counts is said in a sentence."})
		p.registry.MustRegister(c)
	}
	i := newInstance(scraper{url: serve(b, p.handler()), client: &http.Client{Transport: &http.Transport{DisableCompression: true}}, maxBytes: DefaultMaxBytes}, DefaultRequests, DefaultOverhead)
	if err := i.begin(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(i.bytes)
	for b.Loop() {
		if err := i.sample(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	i.client.CloseIdleConnections()
}

// BenchmarkProcess is a sample of this process.
func BenchmarkProcess(b *testing.B) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		b.Skip(err)
	}
	p := newProcess(fs, os.Getpid())
	if err := p.begin(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := p.sample(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.threads), "threads")
}
