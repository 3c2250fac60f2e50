package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/gateway"
	"github.com/vneid-gateway/vneid-gateway/gateway/heap"
)

func serveCommand() *cobra.Command {
	var s settings
	var acceptLost bool
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve until SIGTERM",
		Long: `Serve requests until SIGTERM or Ctrl-C, which drain: /readyz fails first, then
after shutdown.delay the listeners close, and requests in flight have
shutdown.deadline to end. A second signal ends the process at once.

SIGHUP, a changed file and POST /reload on the admin listener take the
configuration anew. One that is not valid changes nothing and is told in the
log; what cannot change while the gateway runs is refused by name.

The exit status is 0 after a complete drain and 1 otherwise; a configuration
fault, a missing file or a taken port is told in one line each, on standard
error.`,
		Example: "  vneid-gateway serve --config gateway.yaml\n  vneid-gateway serve --config gateway.yaml --set admin.address=127.0.0.1:9081",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// First of all: a hangup is no reason to end.
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP)
			cfg, err := s.load()
			if err != nil {
				return err
			}
			log, level := newLog(os.Stderr, cfg.Log.Level)
			for _, w := range cfg.Warnings() {
				log.Warn("configuration", "warning", w.String())
			}
			defer heap.Keep(uint64(cfg.Memory.Headroom))()
			g, err := gateway.New(gateway.Options{
				Config: cfg, File: s.file, Load: s.load, Log: log, Level: level, Version: buildVersion(), Inherit: true,
				AcceptLostRevocations: acceptLost,
			})
			if err != nil {
				return err
			}
			go reloadAt(hangups, g)
			return g.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration file (default $"+configVariable+")")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	cmd.Flags().BoolVar(&acceptLost, "accept-lost-revocations", false,
		"start though acknowledged revocations are gone from revocation.directory, with what is left; for one start")
	s.flags(cmd)
	return cmd
}

// reloadAt reloads at each hangup signal. What comes of it is logged and
// counted.
func reloadAt(hangups <-chan os.Signal, g *gateway.Gateway) {
	for range hangups {
		_ = g.Reload("SIGHUP")
	}
}
