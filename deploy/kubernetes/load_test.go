package kubernetes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// partsOfTest is how many Pods the test makes of the Job.
const partsOfTest = 3

// variable matches what Kubernetes puts a variable's value for in args.
var variable = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// commandLine returns the args of a container as the kubelet would pass them on.
func commandLine(t *testing.T, of map[string]any, env map[string]string) (args []string) {
	t.Helper()
	for _, a := range of["args"].([]any) {
		args = append(args, variable.ReplaceAllStringFunc(a.(string), func(s string) string {
			value, known := env[s[2:len(s)-1]]
			if !known {
				t.Fatalf("%s: %s has no value", a, s)
			}
			return value
		}))
	}
	return args
}

// loadVariables reads load.env.
func loadVariables(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(string(readFile(t, "bench/jobs/load.env"))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			all[name] = value
		}
	}
	return all
}

func TestSharesOfThePartsAreTheWholeLoad(t *testing.T) {
	t.Parallel()
	env := loadVariables(t)
	parts, err := strconv.ParseFloat(env["PARTS"], 64)
	share, also := strconv.ParseFloat(env["SHARE"], 64)
	if err != nil || also != nil || math.Abs(parts*share-1) > 1e-9 {
		t.Errorf("PARTS=%s times SHARE=%s is not 1", env["PARTS"], env["SHARE"])
	}
	spec := source(t, "bench/jobs/job.yaml", "Job")["spec"]
	if at(spec, "completionMode") != "Indexed" || at(spec, "completions") != parts || at(spec, "parallelism") != parts {
		t.Errorf("%v of %v at one time, %s", at(spec, "completions"), at(spec, "parallelism"), at(spec, "completionMode"))
	}
}

// programs builds the two binaries of the images.
func programs(t *testing.T) (gateway, bench string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real processes")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", dir+"/", "./cmd/vneid-gateway", "./cmd/vneid-bench")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "vneid-gateway"), filepath.Join(dir, "vneid-bench")
}

// free returns an address on loopback that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// local moves a command line from the cluster to this machine: paths of the volume
// into a directory, addresses to loopback, and fewer tokens.
type local struct {
	data, issuer, gateway, admin, upstream string
}

func (l *local) move(args []string) []string {
	replace := strings.NewReplacer(
		"/data", l.data,
		"127.0.0.1:9090", l.issuer,
		"--listen=:8080", "--listen="+l.gateway,
		"--admin=:9080", "--admin="+l.admin,
		"http://upstream.vneid-bench.svc:8080", l.upstream,
		"--warm=100000", "--warm=300",
		"--cold=500000", "--cold=600",
	)
	moved := make([]string, len(args))
	for i, a := range args {
		moved[i] = replace.Replace(a)
	}
	return moved
}

// background starts a program and ends it with the test.
func background(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("%s: %v\n%s", filepath.Base(program), err, log.String())
		}
	})
}

// ready waits until an address answers 200.
func ready(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s does not answer", url)
		}
	}
}

// The command lines of all manifests, one after the other, as a cluster would run
// them: tokens, issuer, gateway, three parts of a load, their sum.
func TestJobsMakeOneLoadTogether(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the images are for Linux")
	}
	gateway, bench := programs(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(upstream.Close)
	l := &local{data: t.TempDir(), issuer: free(t), gateway: free(t), admin: free(t), upstream: upstream.URL}

	mint := exec.CommandContext(t.Context(), bench, l.move(commandLine(t, container(source(t, "bench/corpus/job.yaml", "Job")), nil))...)
	if out, err := mint.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	target := source(t, "bench/target/gateway.yaml", "Deployment")
	sidecar := podSpec(target)["initContainers"].([]any)[0].(map[string]any)
	background(t, nil, bench, l.move(commandLine(t, sidecar, nil))...)
	ready(t, "http://"+l.issuer+"/.well-known/openid-configuration")
	// No balancer has to see that it goes.
	env := []string{"VNEID_GATEWAY_SHUTDOWN_DELAY=0s"}
	for _, v := range slices.Concat(environment(t, container(target)), environment(t, container(source(t, deployment, "Deployment")))) {
		env = append(env, strings.Replace(v, "/var/lib", l.data, 1))
	}
	background(t, env, gateway, l.move(commandLine(t, container(target), nil))...)
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		path := at(container(source(t, deployment, "Deployment")), probe, "httpGet", "path").(string)
		ready(t, "http://"+l.admin+path)
	}

	var first runResult
	var parts [partsOfTest]*record.File
	first.run(t, l, bench, parts[:])
	first.sum(t, l, bench, parts[:])
}

// runResult is a load with its variables.
type runResult struct{ env map[string]string }

// run makes the load with one process for each part.
func (r *runResult) run(t *testing.T, l *local, bench string, parts []*record.File) {
	t.Helper()
	r.env = loadVariables(t)
	r.env["PARTS"], r.env["SHARE"] = strconv.Itoa(partsOfTest), strconv.FormatFloat(1.0/partsOfTest, 'g', -1, 64)
	r.env["RATE"], r.env["DURATION"], r.env["CONNECTIONS"] = "600", "1s", "4"
	r.env["TARGET"] = "http://" + l.gateway
	r.env["START_AT"] = time.Now().Add(4 * time.Second).UTC().Format(time.RFC3339)
	job := container(source(t, "bench/jobs/job.yaml", "Job"))
	var all sync.WaitGroup
	for i := range parts {
		env := maps.Clone(r.env)
		env["JOB_COMPLETION_INDEX"] = strconv.Itoa(i)
		// A machine that is busy with other tests is no reason to fail: it is not measured.
		args := append([]string{"attack", "--max-lateness=1h", "--quiet"}, l.move(commandLine(t, job, env))[1:]...)
		all.Go(func() {
			out, err := exec.CommandContext(t.Context(), bench, args...).CombinedOutput()
			// 98: the generator had a processor that others used, which is no matter here.
			if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 98) {
				t.Errorf("part %d: %v\n%s", i, err, out)
				return
			}
			if parts[i], err = record.ReadFile(filepath.Join(l.data, fmt.Sprintf("%s-%d.json", r.env["RUN"], i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// sum adds the parts up as the other Job does, and checks that nothing is lost.
func (r *runResult) sum(t *testing.T, l *local, bench string, parts []*record.File) {
	t.Helper()
	outputs := map[string][]byte{}
	for _, c := range podSpec(source(t, "bench/merge/job.yaml", "Job"))["containers"].([]any) {
		cmd := exec.CommandContext(t.Context(), bench, l.move(commandLine(t, c.(map[string]any), r.env))...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", at(c, "name"), err, stderr.String())
		}
		outputs[at(c, "name").(string)] = out
	}
	if len(outputs["text"]) == 0 || !bytes.HasPrefix(bytes.ToLower(outputs["page"]), []byte("<!doctype html>")) {
		t.Errorf("text of %d bytes, page %.40q", len(outputs["text"]), outputs["page"])
	}
	whole, err := record.Read(bytes.NewReader(outputs["record"]))
	if err != nil {
		t.Fatal(err)
	}
	sum := whole.Runs[0].Attack
	var due, answered, failed, latencies int64
	counts := map[int64]int64{}
	for i, part := range parts {
		a := part.Runs[0].Attack
		if a.Due == 0 || a.Due == parts[(i+1)%len(parts)].Runs[0].Attack.Due && a.Latency.HDR == parts[(i+1)%len(parts)].Runs[0].Attack.Latency.HDR {
			t.Errorf("part %d: %d requests, the same as the next", i, a.Due)
		}
		due, answered, failed, latencies = due+a.Due, answered+a.Answered, failed+a.Failed, latencies+a.Latency.Count
		for _, bar := range a.Latency.Histogram().Distribution() {
			counts[bar.From] += bar.Count
		}
	}
	if sum.Due != due || sum.Answered != answered || sum.Failed != failed || sum.Latency.Count != latencies || failed != 0 || sum.WrongVerdicts != 0 {
		t.Errorf("sum: due %d, answered %d, failed %d (%d wrong verdicts), %d latencies; parts: %d, %d, %d, %d",
			sum.Due, sum.Answered, sum.Failed, sum.WrongVerdicts, sum.Latency.Count, due, answered, failed, latencies)
	}
	if due < 450 || due > 750 {
		t.Errorf("%d requests, want about 600", due)
	}
	for _, bar := range sum.Latency.Histogram().Distribution() {
		if counts[bar.From] != bar.Count {
			t.Fatalf("%d latencies from %d ns on, the parts have %d", bar.Count, bar.From, counts[bar.From])
		}
		delete(counts, bar.From)
	}
	for from, n := range counts {
		if n != 0 {
			t.Errorf("%d latencies from %d ns on are lost", n, from)
		}
	}
	if math.Abs(whole.Scale-1) > 1e-9 {
		t.Errorf("the whole load is %v of what was meant", whole.Scale)
	}
}
