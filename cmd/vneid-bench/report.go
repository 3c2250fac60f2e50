package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/report"
)

// reportFlags are those of vneid-bench report.
type reportFlags struct {
	out, json, title   string
	text, merge, force bool
}

func reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report FILE...",
		Short: "Show records as one page, or as text",
		Long: `report shows what other commands left with --json. The page is one file that loads
nothing and has no script: plots with their values, for a screen, a phone or paper.
It begins with whether the figures can be claimed and whether checks passed, and says
how much of the load it was, on which machine, and what made it.

Of several files, each is a chapter of the page. With --merge they are the parts of
one load that many machines made at one time, and are added up as if one had made it:
counts and rates are sums, and percentiles those of one histogram that has all the
times, without loss. Files that are not of one load are refused, and what differs is
said; --force adds them up all the same.`,
		Example: `  vneid-bench report run.json
  vneid-bench report --text run.json
  vneid-bench report --merge --out page.html --json whole.json part-*.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return f.run(cmd, files) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "report.html", "file to write the page to (- for standard output)")
	flags.BoolVar(&f.text, "text", false, "print text, and write a page only where --out says so")
	flags.BoolVar(&f.merge, "merge", false, "add the files up: they are the parts of one load")
	flags.BoolVar(&f.force, "force", false, "with --merge: also where they are not of one load")
	flags.StringVar(&f.json, "json", "", "with --merge: file to write the sum to, as a record (- for standard output)")
	flags.StringVar(&f.title, "title", "What vneid-bench measured", "title of the page")
	_ = cmd.MarkFlagFilename("out", "html")
	_ = cmd.MarkFlagFilename("json", "json")
	_ = cmd.RegisterFlagCompletionFunc("title", cobra.NoFileCompletions)
	cmd.ValidArgsFunction = recordFiles
	return cmd
}

// recordFiles completes names of records.
func recordFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

func (f *reportFlags) run(cmd *cobra.Command, names []string) error {
	if !f.merge && (f.force || f.json != "") {
		return errors.New("--force and --json go with --merge only")
	}
	names, err := matching(names)
	if err != nil {
		return err
	}
	files, err := readRecords(names)
	if err != nil {
		return err
	}
	names = shortNames(names)
	if f.merge {
		sum, err := record.Merge(files, names, f.force)
		if err != nil {
			return err
		}
		if f.json != "" {
			if err := writeTo(cmd, f.json, sum.Write); err != nil {
				return fmt.Errorf("--json: %w", err)
			}
		}
		files, names = []*record.File{sum}, []string{"sum of " + fmt.Sprint(len(names))}
	}
	r := report.New(f.title, files, names)
	if f.text {
		if err := r.WriteText(cmd.OutOrStdout()); err != nil || !cmd.Flags().Changed("out") {
			return err
		}
	}
	if err := writeTo(cmd, f.out, r.WriteHTML); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func readRecords(names []string) ([]*record.File, error) {
	files := make([]*record.File, len(names))
	for i, name := range names {
		var err error
		if files[i], err = record.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// shortNames are the names of files without their folders, where that leaves each its own.
func shortNames(names []string) []string {
	short, known := make([]string, len(names)), map[string]bool{}
	for i, name := range names {
		short[i] = filepath.Base(name)
		if known[short[i]] {
			return names
		}
		known[short[i]] = true
	}
	return short
}
