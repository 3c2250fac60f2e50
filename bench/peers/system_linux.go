package peers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// confine lets all threads of this process run on one processor only, and with them those that they will start, until
// the function that it returns is called.
func confine(processor int) (free func(), err error) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	// The Go runtime would otherwise follow, and with one P the generator and the upstream wait for each other.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	if err := confineThreads(one(processor)); err != nil {
		_ = confineThreads(before)
		return nil, err
	}
	return func() {
		_ = confineThreads(before)
		runtime.SetDefaultGOMAXPROCS()
	}, nil
}

func one(processor int) (set unix.CPUSet) {
	set.Set(processor)
	return set
}

// confineThreads goes through the threads until there is none that is elsewhere: one that was not confined yet may have
// started another meanwhile.
func confineThreads(to unix.CPUSet) error {
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			if err != nil {
				return err
			}
			var is unix.CPUSet
			if unix.SchedGetaffinity(tid, &is) != nil || is == to {
				continue // it has ended, or is where it belongs
			}
			if err := unix.SchedSetaffinity(tid, &to); err != nil && err != unix.ESRCH {
				return fmt.Errorf("%w: processors: %w", ErrConfig, os.NewSyscallError("sched_setaffinity", err))
			}
			again = true
		}
	}
	return nil
}

// starter starts processes on one processor. They end with this one.
//
// The kernel tells a child of its parent's death when the thread ends that started it; so one thread starts them all.
type starter struct {
	orders chan *exec.Cmd
	errs   chan error
}

func newStarter(processor int) (*starter, error) {
	s := &starter{orders: make(chan *exec.Cmd), errs: make(chan error)}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		set := one(processor)
		s.errs <- os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &set))
		for cmd := range s.orders {
			s.errs <- cmd.Start()
		}
	}()
	if err := <-s.errs; err != nil {
		s.close()
		return nil, fmt.Errorf("%w: ProxyProcessor: %w", ErrConfig, err)
	}
	return s, nil
}

// start starts cmd in a process group of its own, so that a Ctrl-C in the terminal is for this process to handle. A master
// that is killed leaves its workers behind, so what it gets when this process dies is SIGTERM.
func (s *starter) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	s.orders <- cmd
	return <-s.errs
}

func (s *starter) close() { close(s.orders) }

// cpuOf is how long a process has used processors, with all threads that it has had. It is the clock of
// clock_getcpuclockid(3), which counts nanoseconds where /proc/PID/stat counts hundredths of a second.
func cpuOf(pid int) (time.Duration, error) {
	const scheduled = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduled, &t); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(t.Nano()), nil
}

// childrenOf returns the processes whose parent is pid.
func childrenOf(pid int) (children []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, name := range stats {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// proc_pid_stat(5): the second field, in parentheses, may itself have some.
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, err
		}
		children = append(children, child)
	}
	return children, nil
}

// holdPort takes a free port of the loopback interface, and does not listen: as long as it is held nobody else is given
// it, and whoever sets SO_REUSEADDR, as servers do, can listen on it.
func holdPort() (address string, release func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	fail := func(call string, err error) (string, func(), error) {
		_ = unix.Close(fd)
		return "", nil, os.NewSyscallError(call, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fail("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fail("bind", err)
	}
	is, err := unix.Getsockname(fd)
	if err != nil {
		return fail("getsockname", err)
	}
	port := is.(*unix.SockaddrInet4).Port
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), func() { _ = unix.Close(fd) }, nil
}
