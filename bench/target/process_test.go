package target

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fakeProcess writes what /proc says of a process with one thread.
func fakeProcess(t *testing.T, mount string, pid, ticks, started, rssKB, voluntary, forced int) {
	t.Helper()
	stat := fmt.Sprintf("%d (a (b) c) S 1 1 1 0 -1 4194560 0 0 0 0 %d %d 0 0 20 0 1 0 %d 100000 50 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
		pid, ticks/2, ticks-ticks/2, started)
	status := fmt.Sprintf("Name:\tx\nVmRSS:\t%d kB\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n", rssKB, voluntary, forced)
	io := fmt.Sprintf("rchar: %d\nwchar: %d\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n", 10*ticks, 20*ticks)
	for _, folder := range []string{strconv.Itoa(pid), fmt.Sprintf("%d/task/%d", pid, pid)} {
		if err := os.MkdirAll(filepath.Join(mount, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"stat": stat, "status": status, "io": io} {
			if err := os.WriteFile(filepath.Join(mount, folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestProcessIsReadFromProc(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	fakeProcess(t, mount, 10, 1000, 7, 2048, 50, 5)
	fakeProcess(t, mount, 11, 500, 8, 1024, 50, 5)
	clock := &ticking{now: time.Unix(1e9, 0)}
	s, err := begin(t.Context(), Config{PIDs: []int{10, 11}}, mount, clock.read)
	if err != nil {
		t.Fatal(err)
	}
	fakeProcess(t, mount, 10, 1100, 7, 4096, 60, 6)
	tick(t, s, clock)
	u := s.use(1000)
	if !near(u.CPUSeconds, 1, 1e-9) || !near(u.CPUMicrosecondsPerRequest, 1000, 1e-9) || *u.PeakRSSBytes != 5120<<10 {
		t.Errorf("%v s, %v µs a request, %d bytes", *u.CPUSeconds, *u.CPUMicrosecondsPerRequest, *u.PeakRSSBytes)
	}
	if *u.Switches != (Switches{Voluntary: 10, Involuntary: 1}) || *u.IO != (IO{ReadBytes: 1000, WrittenBytes: 2000}) {
		t.Errorf("%+v, %+v", u.Switches, u.IO)
	}

	// The number of one is given to another process; the other ends.
	fakeProcess(t, mount, 10, 30, 900, 1024, 2, 1)
	if err := os.RemoveAll(filepath.Join(mount, "11")); err != nil {
		t.Fatal(err)
	}
	tick(t, s, clock)
	u = s.use(1000)
	if u.Restarts != 1 || u.Gone != 1 || u.Complete || u.Failures["process_gone"] != 1 || u.Seconds != 1 || !near(u.CPUSeconds, 1, 1e-9) {
		t.Errorf("the use is that until the sample before: %+v, %v s", u, *u.CPUSeconds)
	}
}

func TestProcessThatHasEndedFailsOneSampleAndNoCostOfARequestIsTold(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	fakeProcess(t, mount, 10, 1000, 7, 2048, 50, 5)
	fakeProcess(t, mount, 11, 500, 8, 1024, 50, 5)
	clock := &ticking{now: time.Unix(1e9, 0)}
	s, err := begin(t.Context(), Config{PIDs: []int{10, 11}}, mount, clock.read)
	if err != nil {
		t.Fatal(err)
	}
	fakeProcess(t, mount, 11, 550, 8, 1024, 50, 5)
	tick(t, s, clock)
	if err := os.RemoveAll(filepath.Join(mount, "11")); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		fakeProcess(t, mount, 10, 1100+100*n, 7, 2048, 50, 5)
		tick(t, s, clock)
	}
	u := s.use(1000)
	if u.Gone != 1 || u.Failures["process_gone"] != 1 || u.Samples != 6 || !u.Complete || u.Seconds != 6 || !near(u.CPUSeconds, 5.5, 1e-9) {
		t.Errorf("%+v, %v s", u, *u.CPUSeconds)
	}
	if u.CPUMicrosecondsPerRequest != nil || u.RequestsOf != "" {
		t.Errorf("%v µs a request, and not all of its time is known", *u.CPUMicrosecondsPerRequest)
	}

	// With nothing left to sample, time does not make the use smaller.
	if err := os.RemoveAll(filepath.Join(mount, "10")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		tick(t, s, clock)
	}
	if u := s.use(1000); u.Gone != 2 || u.Failures["process_gone"] != 2 || u.Complete || u.Seconds != 6 || !near(u.CPUSeconds, 5.5, 1e-9) {
		t.Errorf("%+v, %v s", u, *u.CPUSeconds)
	}
}

func TestCostOfARequestIsOverRequestsOfTheProcessesThatPaidForThem(t *testing.T) {
	t.Parallel()
	const target, answered = 10, 40
	for name, c := range map[string]struct {
		instances, processes int
		of                   string
		requests             float64
	}{
		"metrics alone":                   {2, 0, OfTarget, 2 * target},
		"as many of each":                 {2, 2, OfTarget, 2 * target},
		"more processes than tell":        {1, 2, OfGenerator, answered},
		"more that tell than are watched": {2, 1, OfGenerator, answered},
		"nobody tells":                    {0, 2, OfGenerator, answered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mount, config := t.TempDir(), Config{}
			var pages []*page
			for range c.instances {
				p := newPage()
				pages = append(pages, p)
				config.Metrics = append(config.Metrics, serve(t, p.handler()))
			}
			for n := range c.processes {
				fakeProcess(t, mount, 10+n, 0, 7, 1024, 0, 0)
				config.PIDs = append(config.PIDs, 10+n)
			}
			clock := &ticking{now: time.Unix(1e9, 0)}
			s, err := begin(t.Context(), config, mount, clock.read)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.client.CloseIdleConnections)
			for _, p := range pages {
				p.cpu.Add(500)
				p.requests.WithLabelValues("a", "allowed", "none").Add(target)
			}
			for n := range c.processes {
				fakeProcess(t, mount, 10+n, 100, 7, 1024, 0, 0)
			}
			tick(t, s, clock)
			u := s.use(answered)
			if u.RequestsOf != c.of || !near(u.CPUMicrosecondsPerRequest, *u.CPUSeconds*1e6/c.requests, 1e-9) {
				t.Errorf("%v µs a request of the %s, want %v requests of the %s", *u.CPUMicrosecondsPerRequest, u.RequestsOf, c.requests, c.of)
			}
			var text strings.Builder
			if err := u.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if said := strings.Contains(text.String(), "by the generator's count"); said != (c.of == OfGenerator) {
				t.Errorf("whose requests they are is not said:\n%s", text.String())
			}
		})
	}
}

func TestProcessThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	_, err := begin(t.Context(), Config{PIDs: []int{77}}, t.TempDir(), time.Now)
	if !errors.Is(err, ErrProcess) || !strings.Contains(err.Error(), "77") {
		t.Error(err)
	}
}

func TestProcessOfThisMachineIsWatchedAndFoundByItsPort(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pids, err := PIDsOfPort(l.Addr().(*net.TCPAddr).Port)
	if err != nil || len(pids) != 1 || pids[0] != os.Getpid() {
		t.Fatalf("%v, %v, want %d", pids, err, os.Getpid())
	}
	s, err := Start(t.Context(), Config{PIDs: pids, Interval: MinInterval})
	if err != nil {
		t.Fatal(err)
	}
	u := s.Stop(t.Context(), 1)
	if !u.Complete || u.CPUSeconds == nil || *u.PeakRSSBytes < 1<<20 || u.Samples < 2 || u.Source[0] != "proc" {
		t.Errorf("%+v", u)
	}

	_ = l.Close()
	if _, err := PIDsOfPort(l.Addr().(*net.TCPAddr).Port); !errors.Is(err, ErrProcess) {
		t.Errorf("nobody listens: %v", err)
	}
}
