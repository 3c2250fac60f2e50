package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
)

// findMaxFlags are those of vneid-bench find-max.
type findMaxFlags struct {
	request requestFlags
	corpus  corpusFlags
	tls     tlsFlags
	target  useFlags

	objective            string
	from, floor, to      float64
	precision            float64
	confidence           float64
	trial, pause, warmUp time.Duration
	maxTrials            int
	maxTime              time.Duration
	acceptLower          bool

	connections, threads int
	newConnections       float64
	timeout, lateness    time.Duration
	spin, poisson        bool
	seed                 uint64
	json                 string
	quiet                bool
}

func findMaxCommand() *cobra.Command {
	var f findMaxFlags
	cmd := &cobra.Command{
		Use:   "find-max URL...",
		Short: "Find the highest rate at which an objective is kept",
		Long: `find-max sends loads of different rates to a target, each a trial, until it knows
the highest rate at which the objective is kept, and how sure that is.

The objective is written as terms with commas between:
  p99<5ms             a percentile of latency, counted from when a request was due:
                      p50, p90, p99, p99.9 or max
  overhead.p99<5ms    the same of what the target says that it added itself, from
                      --metrics: p50, p90, p99 or p99.9
  errors<=0.1%        the share of requests that failed
  answered>=99%       the share of the rate asked that is answered (99% if not said)
No verdict may be wrong and the target may not restart, whatever the objective says.

From --from on the rate is doubled until a trial fails; bisection finds about where the
limit is; then a rate just below it and one just above are tried again and again until
each is proven. The limit is the rate up to which a trial keeps the objective more often
than not, and the interval contains it with the probability of --confidence, whatever
the noise of trials is like: bench/limit says why. A steep limit takes some 25 trials.
Plan with the lower end of the interval.

With --corpus, no cold token is sent twice: a search needs as many as all trials send.

What the target uses is read from its Prometheus metrics (--metrics) and, on this
machine, from /proc (--pid, --pid-of-port).

The exit status is
  0   the limit was found, or all rates up to --to keep the objective
  1   nothing was measured
  98  only a lower bound was found: above, the generator is the bottleneck
      (0 with --accept-lower-bound)
  99  the limit was not found: no rate keeps the objective, a verdict was wrong, or
      the search ended early (0 with --accept-lower-bound where there is a lower bound,
      unless a trial failed)
A target that cannot be reached or looked at has broken the objective in that trial, and
ends the search when that happens three times in a row. An interrupt ends the search and prints what is known until then.`,
		Example: `  vneid-bench find-max --objective 'p99<20ms,errors<=0' http://127.0.0.1:8080/
  vneid-bench find-max --objective 'overhead.p99<5ms,errors<=0' --corpus corpus \
    --metrics http://127.0.0.1:9080/metrics --pid-of-port 8080 --json max.json http://127.0.0.1:8080
  vneid-bench find-max --objective 'p99<50ms,errors<=0.1%' --from 1000 --to 50000 --trial 20s \
    --threads 4 --connections 500 https://gateway.example.vn/api`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, urls []string) error { return f.run(cmd, urls) },
	}
	f.define(cmd)
	return cmd
}

func (f *findMaxFlags) define(cmd *cobra.Command) {
	f.request.define(cmd)
	f.corpus.define(cmd)
	f.tls.define(cmd)
	f.target.define(cmd, &f.tls)
	flags := cmd.Flags()
	flags.StringVar(&f.objective, "objective", "", "what a trial has to keep, as 'p99<5ms,errors<=0'")
	flags.Float64Var(&f.from, "from", limit.DefaultFromPerSecond, "requests a second of the first trial")
	flags.Float64Var(&f.floor, "floor", limit.DefaultFloorPerSecond, "lowest rate that is tried")
	flags.Float64Var(&f.to, "to", limit.DefaultToPerSecond, "highest rate that is tried")
	flags.Float64Var(&f.precision, "precision", limit.DefaultPrecision, "how far apart the ends of the interval are meant to be, as a share")
	flags.Float64Var(&f.confidence, "confidence", limit.DefaultConfidence, "probability with which the interval contains the limit")
	flags.DurationVar(&f.trial, "trial", 5*time.Second, "how long requests are due in a trial")
	flags.DurationVar(&f.pause, "pause", time.Second, "time between trials, in which the target recovers")
	flags.DurationVar(&f.warmUp, "warm-up", 5*time.Second, "how long requests are sent at --from before the first trial, of which nothing is counted")
	flags.IntVar(&f.maxTrials, "max-trials", limit.DefaultMaxTrials, "trials at most")
	flags.DurationVar(&f.maxTime, "max-time", limit.DefaultMaxDuration, "time that the search may take, without the warm-up")
	flags.BoolVar(&f.acceptLower, "accept-lower-bound", false, "a lower bound of the limit is enough")
	flags.IntVar(&f.connections, "connections", attack.DefaultConnections, "keep-alive connections, opened before each trial begins")
	flags.Float64Var(&f.newConnections, "new-connections", 0, "connections a second that are replaced by new ones")
	flags.IntVar(&f.threads, "threads", 1, "threads that send, without TLS on Linux")
	flags.BoolVar(&f.spin, "spin", false, "keep the threads awake: spares a target on this machine the cost of waking them")
	flags.DurationVar(&f.timeout, "timeout", attack.DefaultTimeout, "how long an answer may take, from when the request was due")
	flags.DurationVar(&f.lateness, "max-lateness", attack.DefaultMaxLateness, "how late the generator may be with 1 request in 100")
	flags.BoolVar(&f.poisson, "poisson", false, "draw arrivals that are independent of each other, others in each trial")
	flags.Uint64Var(&f.seed, "seed", 1, "what --poisson draws from: the same seed draws the same")
	flags.StringVar(&f.json, "json", "", "file to write the record to, each trial included (- for standard output, without the text)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagRequired("objective")
	_ = cmd.MarkFlagFilename("json", "json")
	for _, name := range []string{
		"objective", "from", "floor", "to", "precision", "confidence", "trial", "pause", "warm-up", "max-trials", "max-time",
		"connections", "new-connections", "threads", "timeout", "max-lateness", "seed",
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

// config is how the search goes.
func (f *findMaxFlags) config(cmd *cobra.Command) (limit.Config, error) {
	if f.trial <= 0 {
		return limit.Config{}, errors.New("--trial must be more than 0")
	}
	if f.warmUp < 0 {
		return limit.Config{}, errors.New("--warm-up must not be negative")
	}
	c := limit.Config{
		FromPerSecond: f.from, FloorPerSecond: f.floor, ToPerSecond: f.to, Precision: f.precision, Confidence: f.confidence,
		MaxTrials: f.maxTrials, MaxDuration: f.maxTime, TrialDuration: f.trial, Pause: f.pause,
	}
	// Who says only one of them means the other to follow.
	if !cmd.Flags().Changed("floor") {
		c.FloorPerSecond = min(c.FloorPerSecond, c.FromPerSecond)
	}
	if !cmd.Flags().Changed("from") {
		c.FromPerSecond = min(max(c.FromPerSecond, c.FloorPerSecond), c.ToPerSecond)
	}
	// What is wrong is said before the warm-up.
	if _, _, err := f.target.config(); err != nil {
		return c, err
	}
	return c, c.Check()
}

func (f *findMaxFlags) run(cmd *cobra.Command, urls []string) error {
	objective, err := limit.ParseObjective(f.objective)
	if err != nil {
		return named("objective", err)
	}
	if objective.NeedsOverhead() && len(f.target.metrics) == 0 {
		return errors.New("--objective: what the target adds is known from --metrics only")
	}
	config, err := f.config(cmd)
	if err != nil {
		return err
	}
	t, err := f.trials(objective, urls)
	if err != nil {
		return err
	}
	told := func(trial limit.Trial, p limit.Progress) {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), p.Line(trial)) // Nobody else can be told.
	}
	if f.quiet {
		told = nil
	}
	started := time.Now()
	if err := t.warmUp(cmd.Context(), config.FromPerSecond, f.warmUp); err != nil {
		return err
	}
	result, failed := limit.Find(cmd.Context(), config, t.try, told)
	switch {
	case result != nil && len(result.Trials) > 0: // What was measured is kept, however the search ended.
	case failed != nil:
		return failed
	default:
		return fmt.Errorf("nothing was measured: %s", result.Ended)
	}
	result.Target, result.Objective = t.name, objective.String()
	result.Connections, result.Poisson = f.connections, f.poisson
	err = f.write(cmd, started, result, t)
	if failed != nil {
		return exitError{exitThreshold, fmt.Errorf("the search ended early: %w", errors.Join(failed, err))}
	}
	if err != nil {
		return err
	}
	return f.judge(result)
}

// write writes the result where it is wanted.
func (f *findMaxFlags) write(cmd *cobra.Command, started time.Time, result *limit.Result, t *trials) error {
	if f.json != "" {
		file := newRecord(cmd, started, 1)
		file.FindMax, file.Runs = result, t.runs
		if err := writeTo(cmd, f.json, file.Write); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
		if f.json == "-" {
			return nil
		}
	}
	return result.WriteText(cmd.OutOrStdout())
}

// judge decides what the exit status is.
func (f *findMaxFlags) judge(r *limit.Result) error {
	wrong := int64(0)
	for _, t := range r.Trials {
		wrong += t.WrongVerdicts
	}
	enough := f.acceptLower && r.LowPerSecond != nil
	switch {
	case wrong > 0:
		return exitError{exitThreshold, fmt.Errorf("%d wrong verdicts", wrong)}
	case r.Ended == limit.EndedFound, r.Ended == limit.EndedCeiling, enough:
		return nil
	case r.Ended == limit.EndedGenerator:
		return exitError{exitNoResult, errors.New("only a lower bound: the generator was the bottleneck")}
	case r.Ended == limit.EndedFloor:
		return exitError{exitThreshold, errors.New("not found: the lowest rate does not keep the objective")}
	}
	return exitError{exitThreshold, fmt.Errorf("not found: the search ended early (%s)", r.Ended)}
}
