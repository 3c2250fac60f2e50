package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Validate a configuration without starting",
		Long: `Validate a configuration without starting. Every fault is told in one line:
file, line, column, field, and what is allowed. The exit status is 0 for a
configuration that serve would take, and 1 otherwise. Warnings do not change it.`,
		Example: "  vneid-gateway check gateway.yaml",
		Args:    oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			s.file = args[0]
			cfg, err := s.load()
			if err != nil {
				return err
			}
			for _, w := range cfg.Warnings() {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w.String())
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: valid: %d sites, %d issuers, %d cutover rules\n",
				s.file, len(cfg.Sites), len(cfg.Issuers), len(cfg.Cutover))
			return nil
		},
	}
	s.flags(cmd)
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name one configuration file: vneid-gateway %s", cmd.Use)
	}
	return nil
}
