package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// doomed is the real binary under ptrace(2): it is stopped before every system
// call. Those that change something in a directory are its steps, and before one of
// them it is killed with SIGKILL, so that this one is not taken.
type doomed struct {
	*process

	dir  string
	only string // Of the steps, those of this name; "" for all.
	at   int
	// step names the one that was not taken, "" where it did not get so far. It holds
	// still when the process has ended.
	step string
}

// startDoomed starts the binary, to be killed before its at-th step in dir, or its
// at-th of those that only names.
func startDoomed(t testing.TB, dir, only string, at int, args ...string) *doomed {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	stderr, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	d := &doomed{process: &process{ended: make(chan struct{}), written: make(chan struct{})}, dir: dir, only: only, at: at}
	started := make(chan error)
	go func() {
		// Only the thread that starts a traced process may trace it. It is not unlocked,
		// and ends with the goroutine.
		runtime.LockOSThread()
		child, err := os.StartProcess(path, append([]string{path}, args...), &os.ProcAttr{
			Env: os.Environ(), Files: []*os.File{nil, nil, theirs}, Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
		})
		theirs.Close()
		if err != nil {
			stderr.Close()
			started <- err
			return
		}
		defer close(d.ended)
		// Signal, and never the number: that may be another's once the process has ended.
		d.pid, d.signal = child.Pid, child.Signal
		started <- nil
		read := make(chan struct{})
		go func() {
			defer close(read)
			d.read(stderr)
			stderr.Close()
		}()
		d.err = d.trace()
		<-read
	}()
	if err := <-started; err != nil {
		if errors.Is(err, unix.EPERM) && os.Getenv("CI") != "true" {
			t.Skip("ptrace is not allowed here")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.signal(unix.SIGKILL)
		<-d.ended
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", d.output())
		}
	})
	return d
}

// errEnded means that the process ended by itself.
var errEnded = errors.New("it ended and was not killed")

// trace lets the process go from one system call to the next until it has ended.
func (d *doomed) trace() error {
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	steps := 0
	for first := true; ; {
		var status unix.WaitStatus
		// Its group: other tests' children, which this thread may have started, are
		// theirs to wait for.
		tid, err := unix.Wait4(-d.pid, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case status.Exited() || status.Signaled(): //nolint:misspell // as package unix has it
			if tid != d.pid {
				continue // One of its threads.
			}
			if status.Signal() != unix.SIGKILL {
				return errEnded
			}
			return nil
		}
		if first {
			first = false
			if err := unix.PtraceSetOptions(tid, options); err != nil {
				return err
			}
		}
		deliver := 0
		switch signal := status.StopSignal(); signal {
		case unix.SIGTRAP | 0x80: // TRACESYSGOOD: before a system call, or after.
			if d.step == "" {
				if name := d.change(tid); name != "" && (d.only == "" || d.only == name) {
					if steps++; steps == d.at {
						d.step = name
						_ = d.signal(unix.SIGKILL)
						continue
					}
				}
			}
		case unix.SIGTRAP, unix.SIGSTOP: // A new thread, or the start.
		default:
			deliver = int(signal)
		}
		// A thread that was killed meanwhile is not there any more.
		if err := unix.PtraceSyscall(tid, deliver); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// syscallInfo is struct ptrace_syscall_info up to the arguments (ptrace(2),
// PTRACE_GET_SYSCALL_INFO).
type syscallInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	number uint64
	args   [6]uint64
}

const entry = 1 // PTRACE_SYSCALL_INFO_ENTRY

// change names the system call that a stopped thread is about to make, "" where it
// changes nothing in the directory.
func (d *doomed) change(tid int) string {
	var i syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0)
	if errno != 0 || i.op != entry {
		return ""
	}
	name, ours := "", false
	switch i.number {
	case unix.SYS_WRITE, unix.SYS_FSYNC, unix.SYS_FTRUNCATE:
		name = map[uint64]string{unix.SYS_WRITE: "write", unix.SYS_FSYNC: "fsync", unix.SYS_FTRUNCATE: "truncate"}[i.number]
		path, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(tid), "fd", strconv.Itoa(int(i.args[0]))))
		ours = err == nil && strings.HasPrefix(path, d.dir)
	case unix.SYS_OPENAT:
		name, ours = "create", i.args[2]&unix.O_CREAT != 0 && d.names(tid, i.args[1])
	case unix.SYS_MKDIRAT:
		name, ours = "mkdir", d.names(tid, i.args[1])
	case unix.SYS_RENAMEAT:
		name, ours = "rename", d.names(tid, i.args[1])
	case unix.SYS_UNLINKAT:
		name, ours = "remove", d.names(tid, i.args[1])
	}
	if !ours {
		return ""
	}
	return name
}

// names reports whether there is a path at that address that begins with the
// directory.
func (d *doomed) names(tid int, address uint64) bool {
	b := make([]byte, len(d.dir))
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(address), Len: len(b)}}, 0)
	return err == nil && n == len(b) && string(b) == d.dir
}
