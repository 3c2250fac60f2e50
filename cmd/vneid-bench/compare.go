package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/compare"
	"github.com/vneid-gateway/vneid-gateway/bench/report"
)

// compareFlags are those of vneid-bench compare.
type compareFlags struct {
	base                 []string
	others               []string
	maxRegression        string
	alpha                float64
	json, markdown, html string
}

func compareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare BASE NEW...",
		Short: "Say whether runs differ, and how sure that is",
		Long: `compare compares what other commands left with --json: every NEW with BASE. A side may be
several files, each with several runs: give them with --base and --new, of which --new may
be repeated. Runs of one name and of one load (loop, rate, duration, connections, TLS) are
samples of one thing, and each is one sample, however many requests it had: with fewer than 4
on a side nothing can be said at 5%, and nothing is.

For each metric it prints the medians, the change with its interval, and the p of the
Mann-Whitney U test. "unclear" means that a difference was not shown, not that there is none;
"within ±5%" means that one larger than --max-regression is ruled out. Runs in which the
generator was the bottleneck are left out. It warns of loads that one side has only, and
where machines, Go versions, scales, commits or searches differ.

The exit status is
  0   no metric is worse, as far as these runs can tell
  1   there was nothing to compare
  99  a metric is worse, significantly and by more than --max-regression`,
		Example: `  vneid-bench compare before.json after.json
  vneid-bench compare --base a1.json,a2.json,a3.json,a4.json \
    --new b1.json,b2.json,b3.json,b4.json --max-regression 10%`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.base, "base", nil, "files of the side that is compared with")
	flags.StringArrayVar(&f.others, "new", nil, "files of a side that is compared, with commas; may be repeated")
	flags.StringVar(&f.maxRegression, "max-regression", "5%", "by how much a metric may be worse")
	flags.Float64Var(&f.alpha, "alpha", 0.05, "level of significance")
	flags.StringVar(&f.json, "json", "", "file to write the result to, as JSON (- for standard output, without the text)")
	flags.StringVar(&f.markdown, "markdown", "", "file to write the result to, as Markdown (- for standard output, without the text)")
	flags.StringVar(&f.html, "html", "", "file to write the result to, as a page (- for standard output, without the text)")
	cmd.MarkFlagsRequiredTogether("base", "new")
	for name, extension := range map[string]string{"base": "json", "new": "json", "json": "json", "markdown": "md", "html": "html"} {
		_ = cmd.MarkFlagFilename(name, extension)
	}
	for _, name := range []string{"max-regression", "alpha"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	cmd.ValidArgsFunction = recordFiles
	return cmd
}

func (f *compareFlags) run(cmd *cobra.Command, args []string) error {
	limit, err := percent(f.maxRegression)
	if err != nil {
		return fmt.Errorf("--max-regression %q: %w", f.maxRegression, err)
	}
	sides, err := f.sides(args)
	if err != nil {
		return err
	}
	var results []*compare.Result
	var worse []string
	for _, other := range sides[1:] {
		r, err := compare.Compare(sides[0], other, compare.Options{Alpha: f.alpha, MaxRegression: limit})
		if err != nil {
			return err
		}
		results, worse = append(results, r), append(worse, r.Regressions...)
	}
	if err := f.write(cmd, results); err != nil {
		return err
	}
	if len(worse) > 0 {
		return exitError{exitThreshold, fmt.Errorf("worse by more than %s: %s", f.maxRegression, strings.Join(worse, ", "))}
	}
	return nil
}

// sides reads the records of the base and of each that is compared with it.
func (f *compareFlags) sides(args []string) ([]compare.Side, error) {
	lists := [][]string{f.base}
	for _, list := range f.others {
		lists = append(lists, strings.Split(list, ","))
	}
	switch {
	case len(f.base) > 0 && len(args) > 0:
		return nil, errors.New("files go with --base and --new, or without them")
	case len(f.base) == 0:
		lists = nil
		for _, name := range args {
			lists = append(lists, []string{name})
		}
	}
	if len(lists) < 2 {
		return nil, errors.New("compare needs a BASE and a NEW")
	}
	sides := make([]compare.Side, len(lists))
	for i, names := range lists {
		names, err := matching(names)
		if err != nil {
			return nil, err
		}
		files, err := readRecords(names)
		if err != nil {
			return nil, err
		}
		short := shortNames(names)
		sides[i] = compare.Side{Name: short[0], Files: files, Names: short}
		if more := len(names) - 1; more > 0 {
			sides[i].Name = fmt.Sprintf("%s and %d more", short[0], more)
		}
	}
	return sides, nil
}

func (f *compareFlags) write(cmd *cobra.Command, results []*compare.Result) error {
	r := report.Compared("Comparison of runs", results)
	asText := true
	for _, out := range []struct {
		flag, name string
		write      func(io.Writer) error
	}{
		{"json", f.json, func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(results)
		}},
		{"markdown", f.markdown, r.WriteMarkdown},
		{"html", f.html, r.WriteHTML},
	} {
		if out.name == "" {
			continue
		}
		if err := writeTo(cmd, out.name, out.write); err != nil {
			return fmt.Errorf("--%s: %w", out.flag, err)
		}
		asText = asText && out.name != "-"
	}
	if !asText {
		return nil
	}
	return r.WriteText(cmd.OutOrStdout())
}

// percent reads 5%, as a share.
func percent(s string) (float64, error) {
	number, ok := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(v >= 0 && v <= 1000) {
		return 0, errors.New("write it as 5%, of 0% to 1000%")
	}
	return v / 100, nil
}
