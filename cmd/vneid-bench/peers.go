package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/peers"
)

// peersFlags are those of vneid-bench peers.
type peersFlags struct {
	config              peers.Config
	json, markdown, svg string
	missing, quiet      bool
}

func peersCommand() *cobra.Command {
	var f peersFlags
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "Measure the gateway beside HAProxy, nginx and Apache httpd",
		Long: `peers lets proxies do the same job under the same load, one after the other, and
tells what processor time a request costs each: HAProxy with jwt_verify, nginx with
Lua, Apache httpd with mod_auth_openidc, and vneid-gateway. All as Debian packages
them, except for the last.

The job is to verify a bearer token's signature, issuer, audience and expiry, and to
pass the request on to one upstream. Before it is measured, each proxy is sent tokens
with one fault each; one that accepts what it must refuse is named, and not measured.

The proxy has a processor to itself and one worker; generator and upstream share
another. In a closed loop over kept connections, it gets requests without a token
being looked at, with some tokens used over and over (warm), and with a new one for
each request (cold). Proxies take turns, in every other round in the opposite order.
Figures are of the worker process alone: user and system time. Compare those of one
run with each other, on a machine that does nothing else.

All that it starts listens on loopback, has its files in a temporary folder, and is
ended by its pid, also after an interrupt. What is installed is left as it is.

The exit status is
  0   every proxy did the job
  1   nothing was measured; --missing tells which packages to install
  99  a proxy did not do the job: the table says which, and what it let through`,
		Example: `  vneid-bench peers --json peers.json --svg peers.svg --markdown peers.md
  vneid-bench peers --proxies nginx,gateway --algorithms ES256 --rounds 9
  apt-get install $(vneid-bench peers --missing)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *peersFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	c := &f.config
	flags.StringVar(&c.Gateway, "gateway", "", "the vneid-gateway binary (default: the one beside this program)")
	flags.StringSliceVar(&c.Proxies, "proxies", peers.Names(), "which are measured")
	flags.StringSliceVar(&c.Algorithms, "algorithms", peers.Algorithms(), "signature algorithms")
	flags.IntVar(&c.Rounds, "rounds", peers.DefaultRounds, "how often everything is measured")
	flags.IntVar(&c.Requests, "requests", peers.DefaultRequests, "requests that one load measures, at most; as many tokens are minted for each algorithm")
	flags.DurationVar(&c.Longest, "longest", peers.DefaultLongest, "how long one load is measured at most")
	flags.IntVar(&c.Tokens, "tokens", peers.DefaultTokens, "different tokens of a warm load")
	flags.IntVar(&c.Connections, "connections", peers.DefaultConnections, "connections that are kept to the proxy")
	flags.IntVar(&c.ProxyProcessor, "proxy-processor", peers.DefaultProxyProcessor, "the proxy's processor, numbered as taskset has it")
	flags.IntVar(&c.LoadProcessor, "load-processor", peers.DefaultLoadProcessor, "that of generator and upstream")
	flags.StringVar(&f.json, "json", "", "file to write the record to (- for standard output, without the text)")
	flags.StringVar(&f.markdown, "markdown", "", "file to write the tables to, in Markdown")
	flags.StringVar(&f.svg, "svg", "", "file to write the plot to")
	flags.BoolVar(&f.missing, "missing", false, "print the Debian packages that lack, and measure nothing")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagFilename("json", "json")
	_ = cmd.MarkFlagFilename("markdown", "md")
	_ = cmd.MarkFlagFilename("svg", "svg")
	for name, values := range map[string][]string{"proxies": peers.Names(), "algorithms": peers.Algorithms()} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	for _, name := range []string{"rounds", "requests", "longest", "tokens", "connections", "proxy-processor", "load-processor"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

func (f *peersFlags) run(cmd *cobra.Command) error {
	if f.missing {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(peers.Missing(f.config.Proxies), " "))
		return err
	}
	if f.config.Gateway == "" {
		f.config.Gateway = beside("vneid-gateway")
	}
	if !f.quiet {
		f.config.Progress = func(line string) { cmd.PrintErrln(line) }
	}
	started := time.Now()
	result, err := peers.Run(cmd.Context(), f.config)
	if cmd.Context().Err() != nil {
		return errors.New("interrupted: a part of a measurement is none")
	}
	if err != nil {
		return err
	}
	for _, to := range []struct {
		flag, name string
		write      func(io.Writer) error
	}{
		{"markdown", f.markdown, result.WriteMarkdown},
		{"svg", f.svg, result.WriteSVG},
	} {
		if to.name != "" {
			if err := writeTo(cmd, to.name, to.write); err != nil {
				return named(to.flag, err)
			}
		}
	}
	if f.json != "" {
		file := newRecord(cmd, started, 1)
		file.Peers = result
		if err := writeTo(cmd, f.json, file.Write); err != nil {
			return named("json", err)
		}
	}
	if f.json != "-" {
		if err := result.WriteText(cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	if !result.Fit() {
		return exitError{exitThreshold, errors.New("a proxy did not do the job, and was not measured")}
	}
	return nil
}

// beside is the path of a program in the folder of this one; empty where there is none.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	path := filepath.Join(filepath.Dir(self), name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}
