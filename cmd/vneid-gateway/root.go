package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "vneid-gateway",
		Short: "Verifies VNeID-issued tokens in front of TTHC systems",
		Long: `vneid-gateway stands in front of TTHC systems (hệ thống giải quyết thủ tục
hành chính), as an edge proxy or a sidecar. Every request that reaches an
upstream carries a credential that was verified under keys held in memory and
that satisfied the site's policy at that moment.

Try it:            vneid-gateway demo
Write a config:    vneid-gateway demo --print-config > gateway.yaml
Check it:          vneid-gateway check gateway.yaml
Run it:            vneid-gateway serve --config gateway.yaml
Ask whether it is  vneid-gateway health
ready:
Revoke a token:    vneid-gateway revoke --help

Scalar fields of the file can be overridden by environment variables such as
VNEID_GATEWAY_ADMIN_ADDRESS, and those by --set admin.address=….`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		Version:           buildVersion().Version,
	}
	root.SetVersionTemplate(buildText())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(serveCommand(), checkCommand(), demoCommand(), healthCommand(), revokeCommand(), schemaCommand(), versionCommand())
	return root
}
