package deploy_test

import (
	"debug/elf"
	goversion "go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = ".."

// instruction is one line of the Dockerfile, continuations joined.
type instruction struct{ verb, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	data, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var list []instruction
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(data), "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if verb, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			list = append(list, instruction{verb, strings.TrimSpace(rest)})
		}
	}
	return list
}

// finalStage returns what makes up the image itself.
func finalStage(t *testing.T) []instruction {
	t.Helper()
	list := dockerfile(t)
	last := -1
	for i, in := range list {
		if in.verb == "FROM" {
			last = i
		}
	}
	if last < 0 {
		t.Fatal("no FROM")
	}
	return list[last:]
}

// only returns the one instruction of a verb in the list.
func only(t *testing.T, list []instruction, verb string) string {
	t.Helper()
	var found []string
	for _, in := range list {
		if in.verb == verb {
			found = append(found, in.rest)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d instructions %s: %q", len(found), verb, found)
	}
	return found[0]
}

func TestImageHoldsNothingButTheGateway(t *testing.T) {
	t.Parallel()
	final := finalStage(t)
	if base := only(t, final, "FROM"); base != "scratch" {
		t.Errorf("made from %s", base)
	}
	for _, in := range final {
		if in.verb == "RUN" || in.verb == "ADD" {
			t.Errorf("%s %s in an image without a shell", in.verb, in.rest)
		}
		if (in.verb == "CMD" || in.verb == "ENTRYPOINT") && !strings.HasPrefix(in.rest, "[") {
			t.Errorf("%s %s needs a shell", in.verb, in.rest)
		}
	}
}

func TestImageRunsAsANumericUserWhoIsNotRoot(t *testing.T) {
	t.Parallel()
	user, group, _ := strings.Cut(only(t, finalStage(t), "USER"), ":")
	for _, id := range []string{user, group} {
		if n, err := strconv.Atoi(id); err != nil || n < 10000 {
			t.Errorf("USER %s:%s", user, group)
		}
	}
}

func TestImageExposesTheDataPortOnly(t *testing.T) {
	t.Parallel()
	if ports := only(t, finalStage(t), "EXPOSE"); ports != "8080" {
		t.Errorf("EXPOSE %s", ports)
	}
}

func TestImageIsProbedByItsOwnBinary(t *testing.T) {
	t.Parallel()
	final := finalStage(t)
	program := `"/usr/bin/vneid-gateway"`
	if probe := only(t, final, "HEALTHCHECK"); !strings.Contains(probe, "CMD ["+program+`, "health"`) {
		t.Errorf("HEALTHCHECK %s", probe)
	}
	if entry := only(t, final, "ENTRYPOINT"); entry != "["+program+"]" {
		t.Errorf("ENTRYPOINT %s", entry)
	}
}

func TestImageIsBuiltFromPinnedBasesByAGoThatTheModuleTakes(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(mod)
	if version == nil {
		t.Fatal("go.mod has no go line")
	}
	exact := regexp.MustCompile(`:[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?$`)
	builders := 0
	for _, in := range dockerfile(t) {
		if in.verb != "FROM" {
			continue
		}
		image := strings.Fields(regexp.MustCompile(`--\S+ `).ReplaceAllString(in.rest, ""))[0]
		if image != "scratch" && !exact.MatchString(image) {
			t.Errorf("%s is not an exact version", image)
		}
		if strings.HasPrefix(image, "golang:") {
			builders++
			number, _, _ := strings.Cut(strings.TrimPrefix(image, "golang:"), "-")
			if goversion.Compare("go"+number, "go"+string(version[1])) < 0 {
				t.Errorf("built by %s, go.mod wants %s or later", image, version[1])
			}
		}
	}
	if builders != 1 {
		t.Errorf("%d stages of Go", builders)
	}
}

func TestImageIsGivenEveryPackageThatTheBinaryNeeds(t *testing.T) {
	t.Parallel()
	copied := make(map[string]bool)
	for _, in := range dockerfile(t) {
		if in.verb != "COPY" || strings.HasPrefix(in.rest, "--from=") {
			continue
		}
		sources := strings.Fields(in.rest)
		for _, s := range sources[:len(sources)-1] {
			if _, err := os.Stat(filepath.Join(root, s)); err != nil {
				t.Errorf("COPY %s: %v", in.rest, err)
			}
			copied[strings.TrimSuffix(s, "/")] = true
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}", "./cmd/vneid-gateway")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for dir := range strings.FieldsSeq(string(out)) {
		rel, err := filepath.Rel(top, dir)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if !copied[first] {
			t.Errorf("%s is not copied", rel)
		}
	}
}

// The very command of the Dockerfile, in the work tree: a build from nothing,
// so only where time allows.
func TestImageBuildLineMakesAStaticBinaryThatKnowsItsVersion(t *testing.T) {
	t.Parallel()
	if os.Getenv("CI") != "true" {
		t.Skip("takes a minute or more; set CI=true to run it")
	}
	var line string
	for _, in := range dockerfile(t) {
		if in.verb == "RUN" && strings.Contains(in.rest, "go build") {
			line = in.rest
		}
	}
	if line == "" {
		t.Fatal("no go build")
	}
	binary := filepath.Join(t.TempDir(), "vneid-gateway")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "/out/vneid-gateway", binary, 1))
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+goArch(t), "VERSION=v9.8.7-test")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read only
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary is linked dynamically")
		}
	}
	if out := run(t, binary, "version"); !strings.Contains(out, "v9.8.7-test") {
		t.Errorf("version prints %q", out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), top) {
		t.Error("the binary tells where it was built")
	}
}

func goArch(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(run(t, "go", "env", "GOARCH"))
}
