package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// useFlags say where to look for what the target uses.
type useFlags struct {
	metrics            []string
	pids, ports        []int
	requests, overhead string
	interval           time.Duration
	tls                *tlsFlags // how metrics of https:// are known
}

func (f *useFlags) define(cmd *cobra.Command, known *tlsFlags) {
	f.tls = known
	flags := cmd.Flags()
	flags.StringArrayVar(&f.metrics, "metrics", nil, "URL of the target's Prometheus metrics, as http://127.0.0.1:9080/metrics; may be repeated (https:// goes by --ca-file and its like)")
	flags.IntSliceVar(&f.pids, "pid", nil, "process of the target on this machine; may be repeated")
	flags.IntSliceVar(&f.ports, "pid-of-port", nil, "TCP port of this machine on which processes of the target listen; may be repeated")
	flags.StringVar(&f.requests, "metrics-requests", target.DefaultRequests, "counter of requests in the target's metrics")
	flags.StringVar(&f.overhead, "metrics-overhead", target.DefaultOverhead, "histogram, in seconds, of what the target adds to a request")
	flags.DurationVar(&f.interval, "metrics-interval", target.DefaultInterval, "time between two looks at the target")
	for _, name := range []string{"metrics", "pid", "pid-of-port", "metrics-requests", "metrics-overhead", "metrics-interval"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// config is where to look; the second result is whether anywhere.
func (f *useFlags) config() (target.Config, bool, error) {
	c := target.Config{Metrics: f.metrics, PIDs: f.pids, Requests: f.requests, Overhead: f.overhead, Interval: f.interval}
	for _, port := range f.ports {
		pids, err := target.PIDsOfPort(port)
		if err != nil {
			return c, false, named("pid-of-port", err)
		}
		c.PIDs = append(c.PIDs, pids...)
	}
	if slices.ContainsFunc(f.metrics, secure) {
		var err error
		if c.TLS, err = f.tls.settings(""); err != nil {
			return c, false, err
		}
	}
	return c, len(c.Metrics)+len(c.PIDs) > 0, nil
}

// watch makes a load and looks at the target meanwhile; the use is nil where nobody
// asked for it.
func (f *useFlags) watch(ctx context.Context, load attack.Config) (*attack.Result, *target.Use, error) {
	config, wanted, err := f.config()
	if err != nil {
		return nil, nil, err
	}
	if !wanted {
		result, err := attack.Run(ctx, load)
		return result, nil, err
	}
	sampler, err := target.Start(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	result, err := attack.Run(ctx, load)
	if err != nil {
		sampler.Stop(ctx, 0)
		return nil, nil, err
	}
	return result, sampler.Stop(ctx, result.Answered), nil
}
