package target

import (
	"fmt"
	"slices"

	"github.com/prometheus/procfs"
)

// listening is the state of a TCP socket in /proc/net/tcp that takes connections.
const listening = 0x0a

// PIDsOfPort returns the processes of this machine that listen on a TCP port, in the
// order of their numbers: several where they share it. Without the rights to look at
// other people's processes it finds one's own. It goes through all processes, which
// takes some milliseconds. Errors wrap [ErrProcess].
func PIDsOfPort(port int) ([]int, error) {
	return pidsOfPort(procfs.DefaultMountPoint, port)
}

func pidsOfPort(mount string, port int) ([]int, error) {
	fs, err := procfs.NewFS(mount)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProcess, err)
	}
	sockets := map[string]bool{}
	//lint:ignore SA1019 What is said to be better is a dependency more, for one look.
	for _, table := range []func() (procfs.NetTCP, error){fs.NetTCP, fs.NetTCP6} { //nolint:staticcheck // See above.
		lines, err := table()
		if err != nil {
			continue // A machine may have no IPv6.
		}
		for _, line := range lines {
			if line.St == listening && line.LocalPort == uint64(port) {
				sockets[fmt.Sprintf("socket:[%d]", line.Inode)] = true
			}
		}
	}
	if len(sockets) == 0 {
		return nil, fmt.Errorf("%w: nothing listens on port %d of this machine", ErrProcess, port)
	}
	processes, err := fs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProcess, err)
	}
	var pids []int
	for _, p := range processes {
		open, err := p.FileDescriptorTargets()
		if err != nil {
			continue // It has ended, or is not ours to look at.
		}
		if slices.ContainsFunc(open, func(name string) bool { return sockets[name] }) {
			pids = append(pids, p.PID)
		}
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("%w: who listens on port %d is not to be seen", ErrProcess, port)
	}
	slices.Sort(pids)
	return pids, nil
}
