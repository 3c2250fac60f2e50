package stand

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// adminTries is how many ports a replica's admin listener is tried on.
const adminTries = 5

// replica is one gateway and, after restarts, its successors: they have its directory and its admin port.
type replica struct {
	directory string
	process   *process // nil: none runs
	admin     Admin
	listen    string // where the next process's admin listener is to be; "" is not decided
}

// start starts a replica's process, and waits until it is ready. A port that somebody took meanwhile is given up for
// another.
func (s *Stand) start(ctx context.Context, r *replica) (err error) {
	for range adminTries {
		if r.listen == "" {
			if r.listen, err = FreeAddress(ctx); err != nil {
				return err
			}
		}
		if err = s.launch(ctx, r); err == nil || !strings.Contains(err.Error(), "address already in use") {
			return err
		}
		r.listen = ""
	}
	return err
}

// launch starts a process where the replica's admin listener is to be.
func (s *Stand) launch(ctx context.Context, r *replica) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Patience)
	defer cancel()
	cmd := exec.Command(s.config.Gateway, s.arguments(r)...) //nolint:gosec // it is what the caller wants to be run
	cmd.Env = append(os.Environ(), s.config.Environment...)
	if s.config.Processors > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(s.config.Processors))
	}
	p, err := launch(s.keeper, cmd)
	if err != nil {
		return err
	}
	admin, err := p.adminURL(ctx)
	if err == nil {
		known := Admin{URL: admin, Token: operatorToken, Client: s.client}
		s.mu.Lock()
		r.admin = known
		s.mu.Unlock()
		if unready := known.awaitReady(ctx, p.ended); unready != nil {
			err = p.fault("%v", unready)
		}
	}
	if err != nil {
		p.kill()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.process = p
	return nil
}

// Restart restarts a replica, as it is done in production: it drains, ends, and another takes its place, with its
// revocations. It returns when the new one is ready. With one replica there is nobody to serve meanwhile. One restart is
// made at a time.
func (s *Stand) Restart(ctx context.Context, at int) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	if at < 0 || at >= len(s.replicas) || s.replicas[at].process == nil {
		s.mu.Unlock()
		return fmt.Errorf("%w: replica %d of %d", ErrOrder, at, len(s.replicas))
	}
	r := s.replicas[at]
	leaving := r.process
	s.mu.Unlock()
	draining, cancel := context.WithTimeout(ctx, s.config.Patience)
	err := leaving.drain(draining)
	cancel()
	s.mu.Lock()
	r.process = nil
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.client.CloseIdleConnections()
	return s.start(ctx, r)
}

// Reload has every replica take its configuration anew (SIGHUP). It does not wait for what comes of it.
func (s *Stand) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		if r.process == nil {
			continue
		}
		if err := r.process.signal(syscall.SIGHUP); err != nil {
			return err
		}
	}
	return nil
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
}
