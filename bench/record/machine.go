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
	// Commit is that of the command itself, with "+dirty" where the tree had changes, or its version where the
	// build did not record it.
	Commit string `json:"commit"`
}

// ThisMachine describes the machine and the build of the calling process. version is what the linker was told that it is,
// as in a container image, whose build sees no repository; it may be empty.
func ThisMachine(version string) Machine {
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
	m.Commit = version
	if build, ok := debug.ReadBuildInfo(); ok {
		m.Commit = commit(build.Settings, version)
	}
	return m
}

// commit is what a build recorded of its repository, or its version.
func commit(settings []debug.BuildSetting, version string) string {
	revision, dirty := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return version
	}
	return revision + dirty
}
