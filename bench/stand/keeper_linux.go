package stand

import (
	"os/exec"
	"runtime"
	"syscall"
)

// keeper starts processes that die with this one.
//
// The kernel sends a parent-death signal when the thread ends that started the child, not when the process does; so one
// thread starts them all, and lives as long as the keeper.
type keeper struct {
	orders chan *exec.Cmd
	errs   chan error
}

func newKeeper() *keeper {
	k := &keeper{orders: make(chan *exec.Cmd), errs: make(chan error)}
	go func() {
		runtime.LockOSThread()
		for cmd := range k.orders {
			k.errs <- cmd.Start()
		}
		// The thread ends with this goroutine; by now its children have.
	}()
	return k
}

// start starts cmd in a process group of its own, so that a Ctrl-C in the terminal ends the load and not the gateway. It
// is called by one goroutine at a time.
func (k *keeper) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	k.orders <- cmd
	return <-k.errs
}

func (k *keeper) close() { close(k.orders) }
