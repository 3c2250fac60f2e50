package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

func metricsPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = io.WriteString(w, "process_cpu_seconds_total 1\n")
}

// TestMetricsOfAPrivateAuthorityAreReadWithTheCommandsOwnFlags has a target in the clear, too: the flags are then for
// its metrics alone.
func TestMetricsOfAPrivateAuthorityAreReadWithTheCommandsOwnFlags(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(metricsPage))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	clear := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for name, c := range map[string]struct {
		tls  tlsFlags
		want error
	}{
		"its authority":                {tlsFlags{ca: ca}, nil},
		"its authority and a name":     {tlsFlags{ca: ca, name: "example.com"}, nil},
		"those of the system":          {tlsFlags{}, target.ErrMetrics},
		"a name that is not its own":   {tlsFlags{ca: ca, name: "example.org"}, target.ErrMetrics},
		"an authority that is no file": {tlsFlags{ca: ca + "s"}, os.ErrNotExist},
	} {
		use := useFlags{metrics: []string{server.URL + "/metrics"}, tls: &c.tls}
		if _, err := c.tls.config(clear, use.metrics...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		config, wanted, err := use.config()
		if err == nil {
			var sampler *target.Sampler
			if sampler, err = target.Start(t.Context(), config); err == nil {
				sampler.Stop(t.Context(), 0)
			}
			if !wanted {
				t.Errorf("%s: nobody looks", name)
			}
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	flags := tlsFlags{ca: ca}
	if _, err := flags.config(clear, "http://127.0.0.1:1/metrics"); err == nil {
		t.Error("an authority is taken for what has no certificate")
	}
}

// TestSearchWhoseTargetCanNoLongerBeLookedAtKeepsWhatItFound ends the target's metrics after the first trial.
func TestSearchWhoseTargetCanNoLongerBeLookedAtKeepsWhatItFound(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/metrics":
		case looks.Add(1) > 2: // one before the trial, one after it
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			metricsPage(w, r)
		}
	}))
	t.Cleanup(server.Close)
	got, err := search(t, server.URL, "--metrics", server.URL+"/metrics", "--metrics-interval", "1h")
	exit, ok := errors.AsType[exitError](err)
	if !ok || exit.status != exitThreshold {
		t.Errorf("%v, want exit status 99", err)
	}
	if got.FindMax == nil || got.FindMax.Ended != limit.EndedGone || len(got.FindMax.Trials) != 3 || len(got.Runs) != 1 {
		t.Errorf("the record has %+v", got.FindMax)
	}
}

// TestSearchThatFailsKeepsWhatItFound takes the authorities away after the first trial, which is not the target's fault.
func TestSearchThatFailsKeepsWhatItFound(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	var looks atomic.Int64
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		metricsPage(w, r)
		if looks.Add(1) == 2 {
			_ = os.Remove(ca)
		}
	}))
	t.Cleanup(secure.Close)
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	got, err := search(t, server.URL, "--metrics", secure.URL+"/metrics", "--metrics-interval", "1h", "--ca-file", ca)
	exit, ok := errors.AsType[exitError](err)
	if !ok || exit.status != exitThreshold || !errors.Is(exit.error, os.ErrNotExist) {
		t.Errorf("%v, want exit status 99 and its cause", err)
	}
	if got.FindMax == nil || got.FindMax.Ended != limit.EndedFailed || len(got.FindMax.Trials) != 1 {
		t.Errorf("the record has %+v", got.FindMax)
	}
}

// search looks for the highest rate of a server, and returns the record that it leaves.
func search(t *testing.T, target string, flags ...string) (*record.File, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "max.json")
	cmd := rootCommand()
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	cmd.SetArgs(append([]string{
		"find-max", "-q", "--objective", "errors<=0", "--from", "20", "--trial", "100ms", "--pause", "0s", "--warm-up", "0s",
		"--max-lateness", "1h", "--json", name, target,
	}, flags...))
	failed := cmd.ExecuteContext(t.Context())
	got, err := record.ReadFile(name)
	if err != nil {
		t.Fatal(fmt.Errorf("%w: no record, but %w", err, failed))
	}
	return got, failed
}
