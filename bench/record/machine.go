package record

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine is where a command ran. What the system does not say is empty.
type Machine struct {
	CPU        string `json:"cpu"`
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
	Platform   string `json:"platform"`
	GoVersion  string `json:"go_version"`
	// Commit is that of the command itself, with "+dirty" where the tree had changes.
	Commit string `json:"commit"`
}

// ThisMachine describes the machine and the build of the calling process.
func ThisMachine() Machine {
	m := Machine{Processors: runtime.NumCPU(), Platform: runtime.GOOS + "/" + runtime.GOARCH, GoVersion: runtime.Version()}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(kernel))
	}
	if file, err := os.Open("/proc/cpuinfo"); err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan() && m.CPU == ""; {
			if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
			}
		}
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		dirty := ""
		for _, s := range build.Settings {
			switch s.Key {
			case "vcs.revision":
				m.Commit = s.Value
			case "vcs.modified":
				if s.Value == "true" {
					dirty = "+dirty"
				}
			}
		}
		m.Commit += dirty
	}
	return m
}
