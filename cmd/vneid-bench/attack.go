package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// attackFlags are those of vneid-bench attack.
type attackFlags struct {
	load    loadFlags
	request requestFlags
	tls     tlsFlags

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

The generator watches itself. When 1 request in 100 was later than --max-lateness, or
its processor was full, there is no result, and the figures say so. On Linux a
request costs it 8 to 10 µs of a processor at full speed; --threads uses more of them.
Over TLS it is twice that, with as many threads as there are processors.

The exit status is
  0   every answer was as expected, and the figures are the target's
  1   nothing was measured
  98  the generator was the bottleneck: the figures are not the target's
  99  more requests failed than --max-failed-percent allows
An interrupt ends the load and prints what came until then.`,
		Example: `  vneid-bench attack --rate 2000 --duration 30s http://127.0.0.1:8080/
  vneid-bench attack --steps 1000,2000,4000 --duration 90s --poisson --json run.json \
    --header-file token.txt --expect-status 200 https://gateway.example.vn/api
  vneid-bench attack --profile evening.csv --scale 0.1 --connections 500 http://127.0.0.1:8080/
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
	f.tls.define(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.connections, "connections", attack.DefaultConnections, "keep-alive connections, opened before the load begins")
	flags.Float64Var(&f.newConnections, "new-connections", 0, "connections a second that are replaced by new ones")
	flags.IntVar(&f.threads, "threads", 1, "threads that send, without TLS on Linux")
	flags.BoolVar(&f.spin, "spin", false, "keep the threads awake: spares a target on this machine the cost of waking them")
	flags.DurationVar(&f.timeout, "timeout", attack.DefaultTimeout, "how long an answer may take, from when the request was due")
	flags.DurationVar(&f.lateness, "max-lateness", attack.DefaultMaxLateness, "how late the generator may be with 1 request in 100")
	flags.Float64Var(&f.maxFailedPercent, "max-failed-percent", 0, "share of requests that may fail, in %")
	flags.StringVar(&f.json, "json", "", "file to write the result to, histograms included (- for standard output, without the text)")
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
	source, target, err := f.request.build(urls)
	if err != nil {
		return err
	}
	config.Source, config.Address = source, hostPort(target)
	if config.Schedule, config.Duration, err = f.load.schedule(); err != nil {
		return err
	}
	if config.TLS, err = f.tls.config(target); err != nil {
		return err
	}
	var show *progress
	if !f.quiet {
		show = newProgress(cmd.ErrOrStderr(), f.load.seconds(config))
		config.Progress = show.interval
	}
	result, err := attack.Run(cmd.Context(), config)
	show.end()
	if err != nil {
		return err
	}
	if err := f.write(cmd, result); err != nil {
		return err
	}
	return f.judge(result)
}

// write writes the result where it is wanted.
func (f *attackFlags) write(cmd *cobra.Command, result *attack.Result) error {
	if f.json != "" {
		encoded, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return fmt.Errorf("--json: %w", err)
		}
		encoded = append(encoded, '\n')
		if f.json == "-" {
			_, err := cmd.OutOrStdout().Write(encoded)
			return err
		}
		if err := os.WriteFile(f.json, encoded, 0o644); err != nil { //nolint:gosec // it holds no secret
			return fmt.Errorf("--json: %w", err)
		}
	}
	return result.WriteText(cmd.OutOrStdout())
}

// judge decides what the exit status is.
func (f *attackFlags) judge(r *attack.Result) error {
	switch {
	case !r.Claimed:
		return exitError{exitNoResult, errors.New("no result: the generator was the bottleneck")}
	case float64(r.Failed)*100 > f.maxFailedPercent*float64(r.Due):
		return exitError{exitThreshold, fmt.Errorf("%d of %d requests failed (allowed: %v%%)", r.Failed, r.Due, f.maxFailedPercent)}
	}
	return nil
}
