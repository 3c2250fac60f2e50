package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/record"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// attackFlags are those of vneid-bench attack.
type attackFlags struct {
	load    loadFlags
	request requestFlags
	corpus  corpusFlags
	tls     tlsFlags
	start   startFlag
	use     useFlags

	connections, threads int
	newConnections       float64
	timeout, lateness    time.Duration
	maxFailedPercent     float64
	json                 string
	quiet, spin          bool
}

func attackCommand() *cobra.Command {
	var f attackFlags
	cmd := &cobra.Command{
		Use:   "attack URL...",
		Short: "Send requests at a set rate and measure the answers",
		Long: `attack sends requests to a target and measures how long the answers take. Of
several URLs, which must have one scheme, host and port, each is requested in turn.

Open loop. Requests are due at times that do not depend on the target, and latency
counts from then. How many a second is said by one of
  --rate 2000                            the same all the time
  --ramp 0:5000                          from one rate to another
  --steps 1000,2000,4000                 each for an equal part of --duration
  --spike 500:5000@20s+5s                500, but 5,000 from 20 s on for 5 s
  --profile evening.csv                  rows "seconds,rate", joined by straight lines;
                                         two rows of one second make a leap
With --poisson, arrivals know nothing of each other, as those of many people; --seed
draws others. Without it they are spaced evenly. --scale multiplies every rate.

Closed loop. With --closed every connection sends its next request when the last one
was answered: a slow target is asked less, and hides its stalls.

A request fails when no whole answer came within --timeout of when it was due, or
the answer is not as --expect-status, --expect-header and --expect-body say. Failed
requests are counted by reason. Header values may be secrets, and the command line
is shown in the list of processes: --header-file reads them from a file.

Corpus. With --corpus DIR, which vneid-bench tokens writes, requests are those of the
corpus, popular ones as often as they are, and each answer is checked against what
that token must get. A wrong verdict fails the run whatever --max-failed-percent
says. What was refused by overload (429, 503) is a failure, but no verdict.

The generator watches itself. When 1 request in 100 was later than --max-lateness, or
its processor was full, there is no result, and the figures say so. On Linux a
request costs it 8 to 10 µs of a processor at full speed; --threads uses more of them.
Over TLS it is twice that, with as many threads as there are processors.

The exit status is
  0   every answer was as expected, and the figures are the target's
  1   nothing was measured
  98  the generator was the bottleneck, or has no cold token left: the figures are
      not the target's
  99  a verdict was wrong, or more requests failed than --max-failed-percent allows
An interrupt ends the load and prints what came until then.`,
		Example: `  vneid-bench attack --rate 2000 --duration 30s http://127.0.0.1:8080/
  vneid-bench attack --steps 1000,2000,4000 --duration 90s --poisson --json run.json \
    --header-file token.txt --expect-status 200 https://gateway.example.vn/api
  vneid-bench attack --profile evening.csv --scale 0.1 --connections 500 http://127.0.0.1:8080/
  vneid-bench attack --corpus corpus --rate 500 --duration 30s http://127.0.0.1:8080
  vneid-bench attack --closed --connections 16 --duration 10s http://127.0.0.1:8080/`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, urls []string) error { return f.run(cmd, urls) },
	}
	f.define(cmd)
	return cmd
}

func (f *attackFlags) define(cmd *cobra.Command) {
	f.load.define(cmd)
	f.request.define(cmd)
	f.corpus.define(cmd)
	f.tls.define(cmd)
	f.start.define(cmd)
	f.use.define(cmd, &f.tls)
	flags := cmd.Flags()
	flags.IntVar(&f.connections, "connections", attack.DefaultConnections, "keep-alive connections, opened before the load begins")
	flags.Float64Var(&f.newConnections, "new-connections", 0, "connections a second that are replaced by new ones")
	flags.IntVar(&f.threads, "threads", 1, "threads that send, without TLS on Linux")
	flags.BoolVar(&f.spin, "spin", false, "keep the threads awake: spares a target on this machine the cost of waking them")
	flags.DurationVar(&f.timeout, "timeout", attack.DefaultTimeout, "how long an answer may take, from when the request was due")
	flags.DurationVar(&f.lateness, "max-lateness", attack.DefaultMaxLateness, "how late the generator may be with 1 request in 100")
	flags.Float64Var(&f.maxFailedPercent, "max-failed-percent", 0, "share of requests that may fail, in %")
	flags.StringVar(&f.json, "json", "", "file to write the record to, histograms included (- for standard output, without the text)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagFilename("json", "json")
	for _, name := range []string{"connections", "new-connections", "threads", "timeout", "max-lateness", "max-failed-percent"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

func (f *attackFlags) run(cmd *cobra.Command, urls []string) error {
	if !(f.maxFailedPercent >= 0 && f.maxFailedPercent <= 100) {
		return errors.New("--max-failed-percent must be 0 to 100")
	}
	config := attack.Config{
		Connections: f.connections, NewConnectionsPerSecond: f.newConnections, Threads: f.threads, Spin: f.spin,
		Timeout: f.timeout, MaxLateness: f.lateness,
	}
	err := f.start.read(time.Now())
	if err != nil {
		return err
	}
	if config.Schedule, config.Duration, err = f.load.schedule(); err != nil {
		return err
	}
	target, err := f.source(&config, urls)
	if err != nil {
		return err
	}
	config.Address = hostPort(target)
	if config.TLS, err = f.tls.config(target, f.use.metrics...); err != nil {
		return err
	}
	if err := f.start.wait(cmd.Context()); err != nil {
		return err
	}
	var show *progress
	if !f.quiet {
		show = newProgress(cmd.ErrOrStderr(), f.load.seconds(config))
		config.Progress = show.interval
	}
	started := time.Now()
	result, use, err := f.use.watch(cmd.Context(), config)
	show.end()
	switch {
	case errors.Is(err, attack.ErrSource):
		return exitError{exitNoResult, err}
	case err != nil:
		return err
	}
	if err := f.write(cmd, started, result, use); err != nil {
		return err
	}
	return f.judge(result)
}

// write writes the result where it is wanted.
func (f *attackFlags) write(cmd *cobra.Command, started time.Time, result *attack.Result, use *target.Use) error {
	if f.json != "" {
		file := newRecord(cmd, started, f.load.scale)
		file.Runs = []record.Run{{Name: "attack", Attack: result, Target: use}}
		if err := writeTo(cmd, f.json, file.Write); err != nil {
			return fmt.Errorf("--json: %w", err)
		}
		if f.json == "-" {
			return nil
		}
	}
	if err := result.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	return use.WriteText(cmd.OutOrStdout())
}

// source finds out what is sent where.
func (f *attackFlags) source(config *attack.Config, urls []string) (target *url.URL, err error) {
	corpus, err := f.corpus.given()
	switch {
	case err != nil:
		return nil, err
	case corpus:
		if !f.quiet {
			f.corpus.tell = f.corpus.cmd.ErrOrStderr()
		}
		ends := f.start.begins(time.Now()).Add(time.Duration(f.load.seconds(*config) * float64(time.Second)))
		source, target, err := f.corpus.source(urls, ends)
		config.Source = source
		return target, err
	}
	source, target, err := f.request.build(urls)
	config.Source = source
	return target, err
}

// judge decides what the exit status is. A wrong verdict is one whatever else is
// the matter.
func (f *attackFlags) judge(r *attack.Result) error {
	switch {
	case r.WrongVerdicts > 0:
		return exitError{exitThreshold, fmt.Errorf("%d wrong verdicts: %s", r.WrongVerdicts, wrongClasses(r))}
	case r.Exhausted:
		return exitError{exitNoResult, errors.New("no result: the corpus has no cold token left: mint more (vneid-bench tokens --cold), or send fewer (--cold-share)")}
	case !r.Claimed:
		return exitError{exitNoResult, errors.New("no result: the generator was the bottleneck")}
	case float64(r.Failed)*100 > f.maxFailedPercent*float64(r.Due):
		return exitError{exitThreshold, fmt.Errorf("%d of %d requests failed (allowed: %v%%)", r.Failed, r.Due, f.maxFailedPercent)}
	}
	return nil
}

// wrongClasses names the classes that had wrong verdicts.
func wrongClasses(r *attack.Result) string {
	var names []string
	for _, c := range r.Classes {
		if c.WrongVerdicts > 0 {
			names = append(names, c.Class)
		}
	}
	return strings.Join(names, ", ")
}
