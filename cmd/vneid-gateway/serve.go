package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/gateway"
)

func serveCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve until SIGTERM",
		Long: `Serve requests until SIGTERM or Ctrl-C, which drain: /readyz fails first, then
after shutdown.delay the listeners close, and requests in flight have
shutdown.deadline to end. A second signal ends the process at once.

The exit status is 0 after a complete drain and 1 otherwise; a configuration
fault, a missing file or a taken port is told in one line each, on standard
error.`,
		Example: "  vneid-gateway serve --config gateway.yaml\n  vneid-gateway serve --config gateway.yaml --set admin.address=127.0.0.1:9081",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			log := newLog(os.Stderr, cfg.Log.Level)
			for _, w := range cfg.Warnings() {
				log.Warn("configuration", "warning", w.String())
			}
			g, err := gateway.New(gateway.Options{Config: cfg, Log: log, Version: buildVersion()})
			if err != nil {
				return err
			}
			return g.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration file (default $"+configVariable+")")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	s.flags(cmd)
	return cmd
}
