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
	if u.Restarts != 1 || u.Gone != 1 || u.Complete || u.Failures["process_gone"] != 1 || !near(u.CPUSeconds, 1.3, 1e-9) {
		t.Errorf("%+v, %v s", u, *u.CPUSeconds)
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
