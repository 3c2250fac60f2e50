package peers

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stand is a proxy of this test, run by this very program.
func stand(t *testing.T, name, kind string) proxy {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return proxy{
		name: name, title: kind, program: "/usr/bin/env", version: "--version",
		templates: []string{"gateway.yaml"},
		args:      func(_, config string) []string { return []string{standIn + "=" + kind, program, config} },
	}
}

// unfit skips on a machine that lacks something, except in continuous integration, which has it.
func unfit(t *testing.T, why ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why...)
	}
	t.Skip(why...)
}

// short is a measurement that takes a moment.
func short(t *testing.T) Config {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	// One's own folder, to see whether anything stays in it.
	t.Setenv("TMPDIR", t.TempDir())
	c, err := Config{
		Proxies: []string{"haproxy"}, Algorithms: []string{"ES256"}, Rounds: 1, Requests: 300, Tokens: 20, Connections: 8, Longest: time.Second,
	}.complete()
	if err != nil {
		unfit(t, err)
	}
	if runtime.NumCPU() < 2 || !allowed(t, c.LoadProcessor) || !allowed(t, c.ProxyProcessor) {
		unfit(t, "the processors are not this process's to choose")
	}
	begun := time.Now()
	c.Progress = func(line string) { t.Logf("%.2f s: %s", time.Since(begun).Seconds(), line) }
	return c
}

func allowed(t *testing.T, processor int) bool {
	t.Helper()
	var is unix.CPUSet
	if err := unix.SchedGetaffinity(0, &is); err != nil {
		t.Fatal(err)
	}
	return is.IsSet(processor)
}

// nothingStays fails where a run left a process, a file, or this process on one processor.
func nothingStays(t *testing.T) {
	t.Helper()
	children, err := childrenOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if len(children) > 0 {
		t.Errorf("processes %v are left", children)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		t.Errorf("%s is left", file.Name())
	}
	var is unix.CPUSet
	if err := unix.SchedGetaffinity(0, &is); err != nil {
		t.Fatal(err)
	}
	if is.Count() < 2 {
		t.Error("this process is still confined")
	}
}

func TestWhoLetsBadTokensThroughIsNamedAndNotMeasured(t *testing.T) {
	c := short(t)
	r, err := runProxies(t.Context(), c, []proxy{stand(t, "one", honest), stand(t, "two", careless)})
	if err != nil {
		t.Fatal(err)
	}
	nothingStays(t)
	if r.Fit() {
		t.Error("the careless one passes for fit")
	}
	if unfit := r.Proxies[0].Unfit; unfit != nil {
		t.Errorf("the honest one is unfit: %v", unfit)
	}
	var must []string
	for _, k := range checks() {
		if k.want == refused {
			must = append(must, k.name)
		}
	}
	if got, want := r.Proxies[1].Unfit["ES256"], append(must, expiring); !slices.Equal(got, want) {
		t.Errorf("the careless one let through %q, want %q", got, want)
	}
	for _, load := range []string{Warm, Cold} {
		if f, ok := r.Figure("one", "ES256", load); !ok || f.CPU.Median <= 0 || f.Requests != int64(c.Requests) {
			t.Errorf("%s: %+v, %v", load, f, ok)
		}
		if f, ok := r.Figure("two", "ES256", load); ok {
			t.Errorf("%s of the careless one was measured: %+v", load, f)
		}
	}
	if _, ok := r.Figure("two", "", Open); !ok {
		t.Error("what asks for no verification was not measured")
	}
}

func TestProgramThatDoesNotTellItsVersionIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := proxy{name: gatewayName, program: "sleep", version: "infinity"}
	if told := silent.versions(ctx); len(told) > 0 {
		t.Errorf("it told %q", told)
	}
	if ctx.Err() == nil {
		t.Error("it was not asked at all")
	}
	telling := proxy{name: gatewayName, program: "echo", version: "v1"}
	if told := telling.versions(t.Context()); len(told) != 1 || told[0] != "v1" {
		t.Errorf("it told %q", told)
	}
}

func TestWrongVerdictUnderLoadEndsTheRun(t *testing.T) {
	c := short(t)
	_, err := runProxies(t.Context(), c, []proxy{stand(t, "one", moody)})
	if !errors.Is(err, ErrProxy) || !strings.Contains(err.Error(), "unexpected_status") || !strings.Contains(err.Error(), "401") {
		t.Errorf("%v, want ErrProxy with the status", err)
	}
	nothingStays(t)
}

func TestInterruptLeavesNothingBehind(t *testing.T) {
	c := short(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(line string) {
		if strings.Contains(line, "accepts") {
			cancel()
		}
	}
	if _, err := runProxies(ctx, c, []proxy{stand(t, "one", honest)}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that of the context", err)
	}
	nothingStays(t)
}

func TestProxyThatDoesNotStartIsAnErrorWithItsLog(t *testing.T) {
	c := short(t)
	broken := stand(t, "one", honest)
	broken.args = func(string, string) []string { return []string{"sh", "-c", "echo the reason; exit 3"} }
	_, err := runProxies(t.Context(), c, []proxy{broken})
	if !errors.Is(err, ErrProxy) || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("%v, want ErrProxy and what it said", err)
	}
	nothingStays(t)
}

// TestInstalledProxiesDoTheJob is of those that others wrote; continuous integration has all.
func TestInstalledProxiesDoTheJob(t *testing.T) {
	c := short(t)
	for _, name := range []string{"nginx", "haproxy", "apache"} {
		t.Run(name, func(t *testing.T) {
			if missing := Missing([]string{name}); len(missing) > 0 {
				unfit(t, "not installed:", missing)
			}
			c := c
			c.Proxies = []string{name}
			r, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			nothingStays(t)
			if !r.Fit() {
				t.Errorf("%+v", r.Proxies[0].Unfit)
			}
			if warm, ok := r.Figure(name, "ES256", Warm); !ok || warm.CPU.Median <= 0 {
				t.Errorf("warm %+v, %v", warm, ok)
			}
		})
	}
}
