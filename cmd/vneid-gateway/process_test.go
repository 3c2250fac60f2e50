package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that must come.
const patience = 30 * time.Second

// process is the real binary, serving.
type process struct {
	// data and admin are URLs without a slash at their ends.
	data, admin string
	// file is the configuration.
	file string

	pid    int
	signal func(os.Signal) error
	ended  chan struct{} // Closed when the process has; then err and log hold still.
	err    error

	mu      sync.Mutex
	log     strings.Builder
	written chan struct{} // Closed and replaced with every line.
}

// serve starts "vneid-gateway serve" with a configuration file, on free ports,
// and returns when it listens. It is killed at the end of the test at the
// latest.
func serve(t testing.TB, config string, environment ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command(path, "serve", "--config", file), environment...)
	p.file = file
	p.data = "http://" + p.await(t, "serving").Address
	p.admin = "http://" + p.await(t, "admin").Address
	return p
}

// start runs a command and reads its log.
func start(t testing.TB, cmd *exec.Cmd, environment ...string) *process {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = os.Environ()
	if _, measures := t.(*testing.B); !measures {
		// Tests bound what the gateway holds, not the garbage that it may let lie.
		cmd.Env = append(cmd.Env, "VNEID_GATEWAY_MEMORY_HEADROOM=0")
	}
	cmd.Env = append(cmd.Env, environment...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{
		pid: cmd.Process.Pid, signal: cmd.Process.Signal,
		ended: make(chan struct{}), written: make(chan struct{}),
	}
	go func() {
		defer close(p.ended)
		p.read(stderr)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.signal(os.Kill)
		<-p.ended
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", p.output())
		}
	})
	return p
}

func (p *process) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		close(p.written)
		p.written = make(chan struct{})
		p.mu.Unlock()
	}
}

// output returns what was written to standard error so far.
func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// lastLine returns the last line of output.
func (p *process) lastLine() string {
	lines := strings.Split(strings.TrimSpace(p.output()), "\n")
	return lines[len(lines)-1]
}

// event is what tests read of a line of the log.
type event struct {
	Msg     string `json:"msg"`
	Address string `json:"address"`
	Reason  string `json:"reason"`
	Status  int    `json:"status"`
}

// await returns the first line of the log with this message.
func (p *process) await(t testing.TB, msg string) event {
	t.Helper()
	limit := time.After(patience)
	for {
		p.mu.Lock()
		log, written := p.log.String(), p.written
		p.mu.Unlock()
		for line := range strings.Lines(log) {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e.Msg == msg {
				return e
			}
		}
		select {
		case <-written:
		case <-p.ended:
			t.Fatalf("it ended (%v) before it said %q:\n%s", p.err, msg, p.output())
		case <-limit:
			t.Fatalf("it did not say %q", msg)
		}
	}
}

// wait returns how the process ended.
func (p *process) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		t.Fatal("it did not end")
		return nil
	}
}

// stop asks for a drain and expects that it was complete.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// awaitReady returns when /readyz answers 200.
func (p *process) awaitReady(t testing.TB) {
	t.Helper()
	p.awaitStatus(t, http.StatusOK)
}

// awaitStatus asks /readyz until it answers with this status.
func (p *process) awaitStatus(t testing.TB, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		a := get(t, p.admin+"/readyz")
		if a.status == status {
			return
		}
		select {
		case <-tick.C:
		case <-p.ended:
			t.Fatalf("it ended: %v", p.err)
		case <-ctx.Done():
			t.Fatalf("/readyz answers %d %s", a.status, a.body)
		}
	}
}

// metric returns the value of a line of /metrics, with its labels; 0 where
// there is none.
func (p *process) metric(t testing.TB, series string) float64 {
	t.Helper()
	for line := range strings.Lines(get(t, p.admin+"/metrics").body) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			var v float64
			if err := json.Unmarshal([]byte(value), &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// runBinary runs a command to its end, and returns its exit status and all that it
// said.
func runBinary(t testing.TB, args ...string) (code int, said string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return exitCode(err), string(output)
}

// exitCode returns the exit status, -1 for a death by signal.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}
