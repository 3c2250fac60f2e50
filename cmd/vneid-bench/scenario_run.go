package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
)

// scenarioFlags are those of vneid-bench scenario run.
type scenarioFlags struct {
	cmd    *cobra.Command
	stand  standFlags
	target targetFlags

	corpus, check      string
	memory             string
	scale              float64
	duration, lateness time.Duration
	threads            int
	spin, quiet        bool
	json, junit        string
}

func scenarioRunCommand() *cobra.Command {
	f := &scenarioFlags{}
	cmd := &cobra.Command{
		Use:   "run NAME|FILE...",
		Short: "Run scenarios, one after the other",
		Long: `run runs scenarios, those of "vneid-bench scenario list" by their names and others by
their files, one after the other, and judges each.

Target. Without --target, a stand is made for each: the issuers of its tokens, an
upstream for each of its sites, and as many gateways as it says (--gateway names the
binary), on this machine; then everything that a scenario does can be done. With
--target, the one that runs there is asked, with a corpus that it trusts (--corpus,
from vneid-bench tokens). What such a target cannot be told is said, and nothing is run:
  issuer_fault, rotate_key      need --issuer-control, that of "vneid-bench issuer --control"
  revoke_tokens, revoke_flood   need --admin and --admin-token-file
  cutover                       needs --cutover, when the target's rule begins to hold
  slow_upstream, rolling_restart  need a stand
Its corpus is used up by what comes once: cold tokens that were sent are warm from then
on, and tokens that a scenario revoked stay so. So one scenario is run at a time: mint
another corpus for another. Where it is not what the scenario says, the result says so
first.

Before each load its warm tokens are shown to the target, as fast as it takes them.
That is not measured, but a wrong verdict counts.

Scale. --scale 0.05 makes it a twentieth of the load: rates, connections, warm tokens.
--duration shortens the whole course. The result says so first, and what is meant.

The exit status is
  0   every check of every scenario was passed
  1   nothing was measured
  98  the generator was the bottleneck, or has no cold token left: the figures are
      not the target's
  99  a verdict was wrong, or a check failed: a threshold, or something that had to
      happen meanwhile, and to be felt
An interrupt ends the load, and prints what came until then.`,
		Example: `  vneid-bench scenario run --scale 0.05 --duration 10s national-busy-hour
  vneid-bench scenario run --scale 0.05 --junit result.xml --json result.json backend-outage cutover-midnight
  vneid-bench scenario run --target https://gateway.example.vn --corpus corpus payout-surge`,
		Args:              cobra.MinimumNArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
		ValidArgsFunction: completeScenarios,
	}
	f.define(cmd)
	return cmd
}

func (f *scenarioFlags) define(cmd *cobra.Command) {
	f.cmd = cmd
	f.stand.define(cmd)
	f.target.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.corpus, "corpus", "", "directory of requests of vneid-bench tokens (default: minted for each scenario)")
	flags.StringVar(&f.check, "check", string(population.CheckCode), "what of an answer is checked: code, status or outcome")
	flags.StringVar(&f.memory, "corpus-memory", "1GiB", "most memory that the requests may take")
	flags.Float64Var(&f.scale, "scale", 1, "factor for every rate")
	flags.DurationVarP(&f.duration, "duration", "d", 0, "how long requests are due (default: what the scenario says)")
	flags.IntVar(&f.threads, "threads", 1, "threads that send, without TLS on Linux")
	flags.BoolVar(&f.spin, "spin", false, "keep the threads awake: spares a target on this machine the cost of waking them")
	flags.DurationVar(&f.lateness, "max-lateness", attack.DefaultMaxLateness, "how late the generator may be with 1 request in 100")
	flags.StringVar(&f.json, "json", "", "file to write the record to (- for standard output, without the text)")
	flags.StringVar(&f.junit, "junit", "", "file to write JUnit XML to, a test case for each check")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagDirname("corpus")
	_ = cmd.MarkFlagFilename("json", "json")
	_ = cmd.MarkFlagFilename("junit", "xml")
	for name, values := range map[string][]string{"check": {"code", "status", "outcome"}, "corpus-memory": nil, "scale": nil, "duration": nil, "threads": nil, "max-lateness": nil} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

func (f *scenarioFlags) run(cmd *cobra.Command, args []string) error {
	whole := make([]*scenario.Scenario, len(args))
	scaled := make([]*scenario.Scenario, len(args))
	var faults []error
	for i, arg := range args {
		var err error
		if whole[i], err = readScenario(arg); err == nil {
			scaled[i], err = whole[i].Scale(f.scale, f.duration)
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := f.ready(scaled); err != nil {
		return err
	}
	started := time.Now()
	var results []*scenario.Result
	for i, s := range scaled {
		result, err := f.one(cmd, s, whole[i])
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s.Name, err), f.write(cmd, started, results))
		}
		results = append(results, result)
		if f.json != "-" {
			if err := result.WriteText(cmd.OutOrStdout()); err != nil {
				return errors.Join(err, f.write(cmd, started, results))
			}
		}
		if result.Attack.Interrupted {
			break
		}
	}
	if err := f.write(cmd, started, results); err != nil {
		return err
	}
	return judgeScenarios(results)
}

// ready finds what is wrong before anything is begun.
func (f *scenarioFlags) ready(all []*scenario.Scenario) error {
	if _, err := size(f.memory); err != nil {
		return named("corpus-memory", err)
	}
	if f.target.url == "" {
		for _, name := range ofTarget {
			if f.cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s goes with --target only", name)
			}
		}
		return f.stand.find()
	}
	if f.corpus == "" {
		return errors.New("--target needs --corpus: the tokens that it is sent must be those of an issuer that it trusts")
	}
	if err := f.target.can(all); err != nil {
		return err
	}
	if len(all) > 1 {
		return errors.New("--target takes one scenario at a time: a second one would find the cold tokens of --corpus known, and others revoked")
	}
	return nil
}

// one runs a scenario, against a target or a stand of its own.
func (f *scenarioFlags) one(cmd *cobra.Command, s, whole *scenario.Scenario) (*scenario.Result, error) {
	ctx := cmd.Context()
	corpus, remove, err := f.openCorpus(ctx, s)
	if err != nil {
		return nil, err
	}
	defer remove()
	memory, err := size(f.memory)
	if err != nil {
		return nil, named("corpus-memory", err)
	}
	o := scenario.Options{
		MaxBytes: memory,
		Corpus:   corpus, Check: population.Check(f.check), Whole: whole, Scale: f.scale,
		Threads: f.threads, Spin: f.spin, MaxLateness: f.lateness,
	}
	if !f.quiet {
		f.tell("%s: up to %.0f requests/s for %v", s.Name, s.Load.Peak(), s.Load.Duration)
		show := newProgress(cmd.ErrOrStderr(), s.Load.Duration.Seconds())
		o.Progress = show.interval
		defer show.end()
	}
	if f.target.url != "" {
		if err := f.target.aim(&o); err != nil {
			return nil, err
		}
		return s.Run(ctx, o)
	}
	return f.stand.run(ctx, s, o, f.tell)
}

// openCorpus opens the corpus that is named, or mints one.
func (f *scenarioFlags) openCorpus(ctx context.Context, s *scenario.Scenario) (_ *population.Corpus, remove func(), err error) {
	if f.corpus != "" {
		corpus, err := population.Open(f.corpus)
		return corpus, func() {}, named("corpus", err)
	}
	dir, err := os.MkdirTemp("", "vneid-bench-corpus")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	var progress func(done, all int64)
	if !f.quiet {
		progress = mintProgress(f.cmd.ErrOrStderr())
	}
	corpus, err := s.Mint(ctx, dir, progress)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return corpus, remove, nil
}

func (f *scenarioFlags) tell(format string, values ...any) {
	_, _ = fmt.Fprintf(f.cmd.ErrOrStderr(), format+"\n", values...) // Nobody else can be told.
}

// write writes the files that are wanted.
func (f *scenarioFlags) write(cmd *cobra.Command, started time.Time, results []*scenario.Result) error {
	if len(results) == 0 {
		return nil
	}
	if f.junit != "" {
		if err := writeTo(cmd, f.junit, func(w io.Writer) error { return scenario.WriteJUnit(w, results) }); err != nil {
			return named("junit", err)
		}
	}
	if f.json == "" {
		return nil
	}
	file := newRecord(cmd, started, f.scale)
	for _, r := range results {
		run := record.Run{Name: r.Name, Attack: r.Attack}
		for _, c := range r.Checks {
			run.Checks = append(run.Checks, record.Check(c))
		}
		file.Runs, file.Scenarios = append(file.Runs, run), append(file.Scenarios, *r)
	}
	return named("json", writeTo(cmd, f.json, file.Write))
}

// judgeScenarios decides what the exit status is: that of the worst verdict.
func judgeScenarios(results []*scenario.Result) error {
	var failed, unclaimed []string
	for _, r := range results {
		switch r.Verdict {
		case scenario.Passed:
		case scenario.NoResult:
			unclaimed = append(unclaimed, r.Name+": "+r.Why)
		default:
			failed = append(failed, r.Name)
		}
	}
	switch {
	case len(failed) > 0:
		return exitError{exitThreshold, fmt.Errorf("failed: %s", strings.Join(failed, ", "))}
	case len(unclaimed) > 0:
		return exitError{exitNoResult, fmt.Errorf("no result: %s", strings.Join(unclaimed, "; "))}
	}
	return nil
}
