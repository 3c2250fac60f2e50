package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// patience is how long a proxy may take to start, and to end.
	patience = 10 * time.Second
	// lookEvery is how often it is looked whether it has started.
	lookEvery = 10 * time.Millisecond
	// maxLog bounds what is kept of what a process says.
	maxLog = 16 << 10
	// shownLog is how much of its end is shown.
	shownLog = 1500
)

// process is a running proxy.
type process struct {
	cmd   *exec.Cmd
	said  *tail
	ended chan struct{} // closed when it has
}

func startProcess(s *starter, cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, said: &tail{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	// Whoever has its output after it has ended is not waited for.
	cmd.WaitDelay = time.Second
	if err := s.start(cmd); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProxy, err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// workers are the processes that serve: the children of a master, or the only process.
func (p *process) workers() ([]int, error) {
	children, err := childrenOf(p.cmd.Process.Pid)
	if len(children) == 0 {
		children = []int{p.cmd.Process.Pid}
	}
	return children, err
}

// await returns when ready says so.
func (p *process) await(ctx context.Context, ready func() bool) error {
	limit := time.After(patience)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-p.ended:
			return p.fault(errors.New("it ended"))
		case <-limit:
			return p.fault(fmt.Errorf("it does not serve after %s", patience))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// stop ends it in order, and kills it and its workers where that takes too long.
func (p *process) stop() error {
	workers, _ := childrenOf(p.cmd.Process.Pid)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
	}
	_ = p.cmd.Process.Kill()
	for _, pid := range workers {
		if worker, err := os.FindProcess(pid); err == nil {
			_ = worker.Kill()
		}
	}
	<-p.ended
	return p.fault(fmt.Errorf("it did not end within %s of SIGTERM", patience))
}

// fault is an error with the end of what the process said, and wrote into its log.
func (p *process) fault(err error) error {
	log, _ := os.ReadFile(filepath.Join(p.cmd.Dir, "error.log"))
	all := strings.TrimSpace(p.said.String() + "\n" + string(log))
	if len(all) > shownLog {
		all = "… " + all[len(all)-shownLog:]
	}
	if all == "" {
		return fmt.Errorf("%w: %w", ErrProxy, err)
	}
	return fmt.Errorf("%w: %w; it said:\n%s", ErrProxy, err, all)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if len(t.end) > maxLog {
		t.end = append(t.end[:0], t.end[len(t.end)-maxLog:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}
