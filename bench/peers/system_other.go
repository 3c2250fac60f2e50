//go:build !linux

package peers

import (
	"os/exec"
	"time"
)

func confine(int) (func(), error) { return nil, ErrSystem }

// starter starts processes on one processor.
type starter struct{}

func newStarter(int) (*starter, error) { return nil, ErrSystem }

func (*starter) start(*exec.Cmd) error { return ErrSystem }

func (*starter) close() {}

func cpuOf(int) (time.Duration, error) { return 0, ErrSystem }

func childrenOf(int) ([]int, error) { return nil, ErrSystem }

func holdPort() (string, func(), error) { return "", nil, ErrSystem }
