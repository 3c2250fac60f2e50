package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// issuerFlags are those of vneid-bench issuer.
type issuerFlags struct {
	config    population.IssuersConfig
	upstreams bool
}

func issuerCommand() *cobra.Command {
	var f issuerFlags
	cmd := &cobra.Command{
		Use:   "issuer DIR",
		Short: "Serve the issuers of a corpus: discovery, keys, introspection, faults on command",
		Long: `issuer stands for the identity backend whose tokens a corpus has: it serves the
discovery document, the key set and introspection until Ctrl-C. The old portal's login
is below /legacy, and the issuer of opaque tokens, where there are any, below /opaque.
It listens on loopback only: whoever can ask it gets tokens (/token?as=citizen2).

With --control it takes orders from whoever can reach it:
  POST /control/fault?kind=slow&delay=2s&for=30s     what it answers, or how, for a while
  POST /control/keys?do=add&kid=new&alg=ES256        then do=sign, then do=remove: a rotation
  POST /control/revoke?token=…                       introspection says that it is not active
  GET  /control/fetches                              how often it was asked
Those of the other issuers are below their paths: /legacy/control/… Kinds of faults:
none, down, refuse, slow, trickle, status, html, truncated, huge, bomb, body,
duplicate-kids, wrong-issuer, redirect, flapping.

With --upstreams it answers for the sites' systems, too, where they are on loopback:
for a first try, not for measuring.`,
		Example: `  vneid-bench issuer corpus
  vneid-bench issuer corpus --listen 127.0.0.1:9090 --control --upstreams`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error { return f.run(cmd, dirs[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config.Address, "listen", "", "address to listen on (default that of the corpus' issuer)")
	flags.BoolVar(&f.config.Control, "control", false, "take orders below /control/")
	flags.BoolVar(&f.upstreams, "upstreams", false, "answer for the sites' systems, too")
	_ = cmd.RegisterFlagCompletionFunc("listen", cobra.NoFileCompletions)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return cmd
}

func (f *issuerFlags) run(cmd *cobra.Command, dir string) (err error) {
	ctx := cmd.Context()
	made, err := population.Open(dir)
	if err != nil {
		return err
	}
	issuers, err := population.ServeIssuers(ctx, dir, f.config)
	if err != nil {
		return err
	}
	closers := []io.Closer{issuers}
	defer func() {
		for _, c := range closers {
			err = errors.Join(err, c.Close())
		}
	}()
	out := cmd.OutOrStdout()
	_, _ = fmt.Fprintf(out, "issuer %s listens on %s\n", issuers.Issuer(), issuers.URL()) // Nobody else can be told.
	if f.config.Control {
		_, _ = fmt.Fprintf(out, "orders: %s%s\n", issuers.URL(), backend.ControlPath)
	}
	if f.upstreams {
		if closers, err = startUpstreams(ctx, out, &made.Manifest, closers); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// startUpstreams answers for the systems of the sites.
func startUpstreams(ctx context.Context, out io.Writer, m *population.Manifest, closers []io.Closer) ([]io.Closer, error) {
	started := map[string]bool{}
	for _, site := range m.Sites {
		for _, upstream := range site.Upstreams {
			u, err := url.Parse(upstream)
			if err != nil || u.Scheme != "http" {
				return closers, fmt.Errorf("upstream %s: only http:// on loopback can be answered for", upstream)
			}
			if started[u.Host] {
				continue
			}
			started[u.Host] = true
			system, err := origin.Start(ctx, u.Host, site.Name)
			if err != nil {
				return closers, fmt.Errorf("upstream %s: %w", upstream, err)
			}
			closers = append(closers, system)
			_, _ = fmt.Fprintf(out, "system of site %s listens on %s\n", site.Name, system.URL())
		}
	}
	return closers, nil
}
