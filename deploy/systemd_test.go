package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

const (
	unitFile     = "systemd/vneid-gateway.service"
	socketFile   = "systemd/vneid-gateway.socket"
	unitAnalyser = "systemd-analyze" //nolint:misspell // the program's name
	// maxExposure is in tenths of systemd's own measure, where 0 is a service
	// that can do nothing and 100 one without any restriction. What is left is
	// chiefly that a gateway needs the network.
	maxExposure = "11"
)

// unitValues returns the values of a setting of a unit, in order.
func unitValues(t *testing.T, file, key string) []string {
	t.Helper()
	var values []string
	for line := range strings.Lines(readText(t, file)) {
		if v, ok := strings.CutPrefix(line, key+"="); ok {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// The unit names a program that is not installed here, so a stand-in takes its
// place; nothing is run.
func TestUnitsAreAcceptedBySystemd(t *testing.T) {
	t.Parallel()
	analyser := tool(t, unitAnalyser)
	dir := t.TempDir()
	program := filepath.Join(dir, "vneid-gateway-program")
	if err := os.WriteFile(program, []byte("#!/bin/false\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units := []string{"verify", "--man=no"}
	for _, name := range []string{unitFile, socketFile} {
		text := strings.ReplaceAll(readText(t, name), "/usr/bin/vneid-gateway", program)
		unit := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}
	// An unknown setting is only a warning.
	out := run(t, analyser, units...)
	for line := range strings.Lines(out) {
		if strings.Contains(line, "vneid-gateway") {
			t.Error(line)
		}
	}
}

func TestUnitIsSandboxed(t *testing.T) {
	t.Parallel()
	run(t, tool(t, unitAnalyser), "security", "--offline=true", "--no-pager", "--threshold="+maxExposure, unitFile)
}

func TestUnitSetsWhatTheSandboxRestsOn(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][]string{
		"DynamicUser":             {"yes"},
		"CapabilityBoundingSet":   {""},
		"NoNewPrivileges":         {"yes"},
		"ProtectSystem":           {"strict"},
		"MemoryDenyWriteExecute":  {"yes"},
		"PrivateDevices":          {"yes"},
		"PrivateUsers":            {"yes"},
		"RestrictAddressFamilies": {"AF_INET AF_INET6"},
		"SystemCallFilter":        {"@system-service", "~@privileged @resources"},
		"LimitCORE":               {"0"},
		"Restart":                 {"on-failure"},
		"StateDirectory":          {"vneid-gateway"},
		"StateDirectoryMode":      {"0700"},
	} {
		if got := unitValues(t, unitFile, key); !slices.Equal(got, want) {
			t.Errorf("%s=%q, want %q", key, got, want)
		}
	}
}

func TestUnitChecksTheFileThatItServes(t *testing.T) {
	t.Parallel()
	check := strings.Fields(strings.Join(unitValues(t, unitFile, "ExecStartPre"), " "))
	serve := strings.Fields(strings.Join(unitValues(t, unitFile, "ExecStart"), " "))
	if len(check) != 3 || len(serve) != 4 || check[1] != "check" || serve[1] != "serve" || serve[2] != "--config" {
		t.Fatalf("%q, %q", check, serve)
	}
	if check[0] != serve[0] || check[2] != serve[3] {
		t.Errorf("%q does not check what %q serves", check, serve)
	}
	if reload, want := unitValues(t, unitFile, "ExecReload"), []string{strings.Join(check, " "), "/bin/kill -HUP $MAINPID"}; !slices.Equal(reload, want) {
		t.Errorf("a reload runs %q, want %q", reload, want)
	}
}

func TestSocketUnitNamesItsSocketAsTheConfigurationDoes(t *testing.T) {
	t.Parallel()
	names := unitValues(t, socketFile, "FileDescriptorName")
	if len(names) != 1 || len(unitValues(t, socketFile, "ListenStream")) != 1 {
		t.Fatalf("sockets %q", names)
	}
	if !strings.Contains(readText(t, socketFile), "listen: [{ socket: "+names[0]+",") {
		t.Errorf("the configuration that the unit shows does not name %q", names[0])
	}
	// Without it there is one for each connection.
	if accept := unitValues(t, socketFile, "Accept"); accept != nil {
		t.Errorf("Accept=%q", accept)
	}
	cfg, err := config.Parse("gateway.yaml", []byte(strings.Replace(smallestConfig, `address: ":8080"`, "socket: "+names[0], 1)), ".")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen[0].Socket != names[0] {
		t.Errorf("socket %q", cfg.Listen[0].Socket)
	}
}

// smallestConfig says nothing that has a default.
const smallestConfig = `
listen: [{address: ":8080"}]
issuers: [{name: vneid, issuer: "https://sso.example.vn", jwks: {discovery: true}, audience: {any_of: [tthc]}}]
sites: [{name: hanoi, hosts: ["*"], upstreams: ["http://10.0.0.11:8080"], issuers: [vneid]}]
`

// Otherwise systemd kills requests that the drain still waits for.
func TestUnitWaitsLongerThanADrainTakes(t *testing.T) {
	t.Parallel()
	// Nothing is said of the shutdown here, so the defaults hold.
	cfg, err := config.Parse("gateway.yaml", []byte(smallestConfig), ".")
	if err != nil {
		t.Fatal(err)
	}
	drain := *cfg.Shutdown.Delay + *cfg.Shutdown.Deadline
	values := unitValues(t, unitFile, "TimeoutStopSec")
	if len(values) != 1 {
		t.Fatalf("TimeoutStopSec=%q", values)
	}
	stop, err := time.ParseDuration(values[0])
	if err != nil {
		t.Fatal(err)
	}
	if stop <= drain {
		t.Errorf("TimeoutStopSec is %s, a drain takes up to %s", stop, drain)
	}
}
