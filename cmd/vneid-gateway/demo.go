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

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/deploy"
	"github.com/vneid-gateway/vneid-gateway/gateway"
)

// Where the demo's parts listen: the addresses that the example configuration
// names.
const (
	demoIssuer    = "127.0.0.1:9101"
	demoLegacy    = "127.0.0.1:9102"
	demoPortal    = "127.0.0.1:9201"
	demoHanoi     = "127.0.0.1:9202"
	demoAdmin     = "127.0.0.1:9080"
	demoReadyWait = 10 * time.Second
)

func demoCommand() *cobra.Command {
	var printConfig, verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run gateway, identity provider and two sample systems on this machine",
		Long: `Run the gateway with the example configuration in front of two sample TTHC
systems, with an embedded identity provider and a province's old login, all on
loopback; print curl lines to try, each with what it should return; and go on
until Ctrl-C. Keys and accounts are made for the run and are nobody's; what is
revoked is forgotten with it.`,
		Example: "  vneid-gateway demo\n  vneid-gateway demo --print-config > gateway.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printConfig {
				_, err := cmd.OutOrStdout().Write(deploy.ExampleConfig)
				return err
			}
			return runDemo(cmd.Context(), cmd.OutOrStdout(), verbose)
		},
	}
	cmd.Flags().BoolVar(&printConfig, "print-config", false, "print the example configuration instead")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "write the gateway's log, with a line for each request")
	return cmd
}

func runDemo(ctx context.Context, out io.Writer, verbose bool) error {
	parts, err := startDemoParts(ctx)
	defer parts.close()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vneid-gateway-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	operator := newDemoOperator(dir)
	cfg, err := operator.config()
	if err != nil {
		return err
	}
	level := "warn"
	if verbose {
		level = cfg.Log.Level
	}
	log, _ := newLog(os.Stderr, level)
	g, err := gateway.New(gateway.Options{Config: cfg, Log: log, Version: buildVersion()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Closed after the result, so that whoever comes second does not wait.
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- g.Run(ctx)
	}()
	if err := awaitReady(ctx, g, ended); err != nil {
		cancel()
		return errors.Join(err, <-ended)
	}
	lines, err := parts.curlLines(cfg.Listen[0].Address, operator)
	if err == nil {
		_, err = io.WriteString(out, lines)
	}
	if err != nil {
		cancel()
	}
	return errors.Join(err, <-ended)
}

// awaitReady waits until the gateway has its keys, or has failed.
func awaitReady(ctx context.Context, g *gateway.Gateway, ended <-chan error) error {
	limit := time.After(demoReadyWait)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(g.Missing()) > 0 {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		case <-limit:
			return fmt.Errorf("not ready after %s: %s", demoReadyWait, strings.Join(g.Missing(), "; "))
		case <-tick.C:
		}
	}
	return nil
}

// demoParts is what stands around the gateway.
type demoParts struct {
	vneid, legacy *backend.Running
	closers       []func()
}

func (p *demoParts) close() {
	for _, c := range p.closers {
		c()
	}
}

func startDemoParts(ctx context.Context) (*demoParts, error) {
	p := &demoParts{}
	for _, b := range []struct {
		to           **backend.Running
		address, kid string
	}{
		{&p.vneid, demoIssuer, "vneid-demo-1"},
		{&p.legacy, demoLegacy, "hanoi-demo-1"},
	} {
		key, err := corpus.NewKey("RS256", b.kid)
		if err != nil {
			return p, err
		}
		running, err := backend.Start(ctx, backend.Config{Address: b.address, Keys: []*corpus.Key{key}})
		if err != nil {
			return p, err
		}
		*b.to = running
		p.closers = append(p.closers, func() { _ = running.Close() })
	}
	for _, s := range []struct{ address, name string }{{demoPortal, "dvcqg"}, {demoHanoi, "hanoi"}} {
		site, err := origin.Start(ctx, s.address, s.name)
		if err != nil {
			return p, err
		}
		p.closers = append(p.closers, func() { _ = site.Close() })
	}
	return p, nil
}
