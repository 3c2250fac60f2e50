package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vneid-gateway/vneid-gateway"

// arrows lists what each part of the house may import of the project. Arrows
// point down only.
var arrows = []struct {
	from    string   // a package, or a folder ending in /...
	allowed []string // likewise
}{
	{"cmd/...", []string{"gateway", "gateway/config", "gateway/heap", "bench/...", "deploy", "cache"}},
	{"deploy/...", nil},
	{"bench/...", []string{"bench/..."}},
	{"gateway", []string{"gateway/...", "cache/..."}},
	{"gateway/admin", []string{"gateway/wire", "gateway/token", "gateway/config", "cache/..."}},
	{"gateway/upstream", []string{"gateway/wire", "gateway/socket", "gateway/token", "gateway/config", "cache"}},
	{"gateway/listen", []string{"gateway/wire", "gateway/socket"}},
	{"gateway/overload", nil},
	{"gateway/socket", nil},
	{"gateway/heap", nil},
	{"gateway/intake", []string{"gateway/token", "cache/..."}},
	{"gateway/fleet", []string{"cache/..."}},
	{"gateway/secevent", []string{"gateway/identity", "gateway/token", "cache/..."}},
	{"gateway/logout", []string{"gateway/token", "cache/..."}},
	{"gateway/statuslist", []string{"gateway/identity", "gateway/token"}},
	{"gateway/receiver", []string{"gateway/listen"}},
	{"gateway/identity", []string{"gateway/wire", "gateway/token", "gateway/config", "cache"}},
	{"gateway/metrics", []string{"gateway/wire", "gateway/token", "gateway/config", "cache"}},
	{"gateway/reject", []string{"gateway/policy", "gateway/wire", "gateway/token", "gateway/config", "cache"}},
	{"gateway/policy", []string{"gateway/token"}},
	{"gateway/token", nil},
	{"gateway/wire", nil},
	{"gateway/config/...", []string{"gateway/config"}},
	{"cache/...", []string{"gateway/token", "cache/..."}},
}

func within(pkg, pattern string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == folder || strings.HasPrefix(pkg, folder+"/")
	}
	return pkg == pattern
}

func TestImportArrowsPointDown(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		i := slices.IndexFunc(arrows, func(a struct {
			from    string
			allowed []string
		},
		) bool {
			return within(pkg, a.from)
		})
		if i < 0 {
			t.Errorf("package %s has no place in the house: enter it in arrows", pkg)
			continue
		}
		known++
		for _, imported := range fields[1:] {
			below, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.ContainsFunc(arrows[i].allowed, func(p string) bool { return within(below, p) }) {
				t.Errorf("%s imports %s: that arrow does not point down", pkg, below)
			}
		}
	}
	if known < 10 {
		t.Errorf("only %d packages were looked at", known)
	}
}

func TestTopLevelHoldsWhatWasAgreed(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "..").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	agreed := regexp.MustCompile(`^(cmd|gateway|cache|bench|deploy)/|^(go\.mod|go\.sum|Makefile|README\.md)$|^\.`)
	for line := range strings.Lines(string(out)) {
		name := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(filepath.Join("gateway", strings.TrimSpace(line)))), "./")
		if !agreed.MatchString(name) {
			t.Errorf("%s does not belong on the top level", name)
		}
	}
}

func TestNoPackageIsNamedForNothing(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if d.IsDir() && slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared"}, d.Name()) {
			t.Errorf("%s: name a package for what it is about", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
