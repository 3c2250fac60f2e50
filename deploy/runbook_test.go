package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var heading = regexp.MustCompile(`(?m)^(#+) (.+)$`)

// runbookAnchors returns the anchors that the runbook's headings make, as
// GitHub and GitLab do.
func runbookAnchors(t *testing.T) map[string]bool {
	t.Helper()
	anchors := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(readText(t, "RUNBOOK.md"), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(h[2]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	return anchors
}

func TestRunbookHasASectionForEachAlertAndNoOther(t *testing.T) {
	t.Parallel()
	_, alerts := rules(t)
	known := make(map[string]bool)
	for _, a := range alerts {
		known[a.Alert] = true
	}
	text := readText(t, "RUNBOOK.md")
	heads := heading.FindAllStringSubmatchIndex(text, -1)
	found := make(map[string]bool)
	for i, h := range heads {
		name := text[h[4]:h[5]]
		if !strings.HasPrefix(name, "VNeIDGateway") {
			continue
		}
		found[name] = true
		if !known[name] {
			t.Errorf("there is no alert %s", name)
		}
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		for _, part := range []string{"**Citizens see**", "**Look at**", "**Do**", "**Do not**"} {
			if !strings.Contains(text[h[1]:end], part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
	}
	for name := range known {
		if !found[name] {
			t.Errorf("%s has no section", name)
		}
	}
}

// codeRow is a line of the runbook's table of reason codes.
var codeRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([0-9]{3}) \\| ([^|]+) \\| ([^|]+) \\|$")

func TestRunbookListsEveryReasonCodeWithItsStatus(t *testing.T) {
	t.Parallel()
	rows := make(map[string]string)
	for _, r := range codeRow.FindAllStringSubmatch(readText(t, "RUNBOOK.md"), -1) {
		if _, twice := rows[r[1]]; twice {
			t.Errorf("%s is there twice", r[1])
		}
		rows[r[1]] = r[2]
	}
	for _, c := range reject.Codes() {
		status, ok := rows[c.String()]
		if !ok {
			t.Errorf("%s is missing", c)
		} else if status != strconv.Itoa(c.Status()) {
			t.Errorf("%s is answered with %d, not %s", c, c.Status(), status)
		}
		delete(rows, c.String())
	}
	for name := range rows {
		t.Errorf("there is no code %s", name)
	}
}

func TestRunbookListsEveryReasonWhyAFetchFails(t *testing.T) {
	t.Parallel()
	text := readText(t, "RUNBOOK.md")
	_, section, ok := strings.Cut(text, "### VNeIDGatewayKeySetFetchFailing\n")
	if !ok {
		t.Fatal("no section")
	}
	section, _, _ = strings.Cut(section, "\n### ")
	for _, reason := range identity.Reasons() {
		if !strings.Contains(section, "`"+reason+"`") {
			t.Errorf("%s is missing", reason)
		}
	}
}

func TestRunbookNamesExportedMetricsOnly(t *testing.T) {
	t.Parallel()
	records, _ := rules(t)
	known := withRecords(exported(t), records)
	names := make(map[string]bool)
	for name := range known {
		names[name], names[family(name)] = true, true
	}
	for _, name := range regexp.MustCompile(`[a-z_]*:?vneid_gateway_[a-z_:0-9]+[a-z0-9]`).FindAllString(readText(t, "RUNBOOK.md"), -1) {
		if !names[name] {
			t.Errorf("there is no metric %s", name)
		}
	}
}

func TestRunbookLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	anchors := runbookAnchors(t)
	for _, l := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readText(t, "RUNBOOK.md"), -1) {
		if anchor, ok := strings.CutPrefix(l[1], "#"); ok {
			if !anchors[anchor] {
				t.Errorf("no section %s", l[1])
			}
		} else if _, err := os.Stat(l[1]); err != nil {
			t.Error(err)
		}
	}
}

func TestChangelogEntriesSayWhatChangedForWhom(t *testing.T) {
	t.Parallel()
	_, alerts := rules(t)
	known := make(map[string]bool)
	for _, a := range alerts {
		known[a.Alert] = true
	}
	text := readText(t, "CHANGELOG.md")
	entry := regexp.MustCompile(`^- \[(CHANGE|FEATURE|BUGFIX)\] [a-z][a-z/ -]*: .+`)
	entries := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "- ") {
			continue
		}
		entries++
		if !entry.MatchString(line) {
			t.Errorf("not [CHANGE|FEATURE|BUGFIX] area: effect: %s", line)
		}
	}
	if entries == 0 {
		t.Error("no entries")
	}
	for _, name := range regexp.MustCompile(`VNeIDGateway\w+`).FindAllString(text, -1) {
		if !known[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

func TestDecisionsSayContextDecisionAndConsequences(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("decisions/[0-9][0-9][0-9][0-9]-*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, name := range files {
		if number := filepath.Base(name)[:4]; number != "000"+strconv.Itoa(i+1) && number != "00"+strconv.Itoa(i+1) {
			t.Errorf("%s is number %d", name, i+1)
		}
		text := readText(t, name)
		for _, part := range []string{"# ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q", name, part)
			}
		}
	}
}
