package stand

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// tailLines is how many lines of a log are kept for errors, and maxLine how long one may be, in bytes.
const (
	tailLines = 20
	maxLine   = 64 << 10
)

// process is one run of the gateway's binary.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // Closed when it has; then err holds still.
	err   error

	mu      sync.Mutex
	admin   string // as the log told
	tail    []string
	written chan struct{} // Closed and replaced with every line.
}

// launch starts a command and reads its log.
func launch(k *keeper, cmd *exec.Cmd) (*process, error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGateway, err)
	}
	if err := k.start(cmd); err != nil {
		return nil, fmt.Errorf("%w: starting: %w", ErrGateway, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{}), written: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.read(stderr)
		p.err = cmd.Wait()
	}()
	return p, nil
}

func (p *process) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		p.note(lines.Text())
	}
	// A line that is too long must not stop the process at a full pipe.
	_, _ = io.Copy(io.Discard, log)
}

func (p *process) note(line string) {
	var event struct {
		Msg     string `json:"msg"`
		Address string `json:"address"`
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.admin == "" && json.Unmarshal([]byte(line), &event) == nil && event.Msg == "admin" {
		p.admin = "http://" + event.Address
	}
	if len(p.tail) == tailLines {
		p.tail = p.tail[:copy(p.tail, p.tail[1:])]
	}
	p.tail = append(p.tail, line)
	close(p.written)
	p.written = make(chan struct{})
}

// adminURL waits until the log tells where the admin listener is.
func (p *process) adminURL(ctx context.Context) (string, error) {
	for {
		p.mu.Lock()
		admin, written := p.admin, p.written
		p.mu.Unlock()
		if admin != "" {
			return admin, nil
		}
		select {
		case <-written:
		case <-p.ended:
			return "", p.fault("it ended before it listened: %v", p.err)
		case <-ctx.Done():
			return "", p.fault("it did not listen in time")
		}
	}
}

// drain asks it to leave, and waits until it has; one that does not leave before ctx is done is killed.
func (p *process) drain(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.kill()
		return p.fault("it did not end in time after SIGTERM, and was killed")
	}
	if p.err != nil {
		return p.fault("it did not end as it should after SIGTERM: %v", p.err)
	}
	return nil
}

func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return p.fault("signal %v: %v", s, err)
	}
	return nil
}

// kill ends it at once, and waits until it has.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // It may have ended already.
	<-p.ended
}

// fault is ErrGateway with what happened and the end of the log.
func (p *process) fault(format string, values ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log := "it logged nothing"
	if len(p.tail) > 0 {
		log = "the end of its log:\n  " + strings.Join(p.tail, "\n  ")
	}
	return fmt.Errorf("%w: pid %d: %s; %s", ErrGateway, p.cmd.Process.Pid, fmt.Sprintf(format, values...), log)
}
