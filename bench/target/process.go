package target

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/prometheus/procfs"
)

// process is one process of this machine, as /proc tells of it.
type process struct {
	fs  procfs.FS
	pid int

	started              uint64 // in ticks since the machine was started
	cpu                  counter
	read, written        counter // of system calls, sockets included
	voluntary, forced    map[int]*counter
	rss                  float64
	threads              int
	restarts             int
	gone, seesIO, counts bool
}

// maxThreads bounds the threads whose switches are counted.
const maxThreads = 4096

func newProcess(fs procfs.FS, pid int) *process {
	return &process{fs: fs, pid: pid, voluntary: map[int]*counter{}, forced: map[int]*counter{}}
}

func (p *process) begin() error {
	if err := p.take(true); err != nil {
		return fmt.Errorf("%w: %d: %w", ErrProcess, p.pid, err)
	}
	return nil
}

// sample takes another sample. Errors are failures. A process that has ended has used
// what it had used by the last one; that it has is a failure once.
func (p *process) sample() error {
	if p.gone {
		return nil
	}
	err := p.take(false)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ESRCH):
		p.gone, p.rss, p.threads = true, 0, 0
		return failGone
	}
	return failMalformed
}

func (p *process) take(first bool) error {
	proc, err := p.fs.Proc(p.pid)
	if err != nil {
		return err
	}
	// The processor time of all its threads, also of those that have ended.
	stat, err := proc.Stat()
	if err != nil {
		return err
	}
	status, err := proc.NewStatus()
	if err != nil {
		return err
	}
	if stat.State == "Z" {
		return os.ErrNotExist // It has ended, and only its parent has not asked yet.
	}
	anew := !first && stat.Starttime != p.started
	if anew {
		p.restarts++
		clear(p.voluntary)
		clear(p.forced)
	}
	p.started = stat.Starttime
	p.rss, p.threads = float64(status.VmRSS), stat.NumThreads
	follow(&p.cpu, stat.CPUTime(), first, anew)
	// Other people's processes may be looked at, but not at what they read and write.
	if io, err := proc.IO(); err == nil {
		p.seesIO = true
		follow(&p.read, float64(io.RChar), first, anew)
		follow(&p.written, float64(io.WChar), first, anew)
	}
	p.switches(first)
	return nil
}

// switches counts how often the threads gave up a processor, or had it taken away;
// /proc has it for each of them and not for all.
func (p *process) switches(first bool) {
	threads, err := p.fs.AllThreads(p.pid)
	if err != nil {
		return
	}
	if len(threads) > maxThreads {
		threads = slices.Clip(threads[:maxThreads])
	}
	for _, t := range threads {
		status, err := t.NewStatus()
		if err != nil {
			continue // It has just ended.
		}
		p.counts = true
		for _, c := range []struct {
			in    map[int]*counter
			value uint64
		}{{p.voluntary, status.VoluntaryCtxtSwitches}, {p.forced, status.NonVoluntaryCtxtSwitches}} {
			one := c.in[t.PID]
			if one == nil {
				if len(c.in) >= 4*maxThreads {
					continue
				}
				one = &counter{}
				c.in[t.PID] = one
			}
			follow(one, float64(c.value), first, false)
		}
	}
}

func total(all map[int]*counter) (sum float64) {
	for _, c := range all {
		sum += c.sum
	}
	return sum
}
