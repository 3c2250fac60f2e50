//go:build !linux

package stand

import "os/exec"

// keeper starts processes.
type keeper struct{}

func newKeeper() *keeper { return &keeper{} }

func (*keeper) start(cmd *exec.Cmd) error { return cmd.Start() }

func (*keeper) close() {}
