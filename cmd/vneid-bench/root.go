package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X main.version=v1.2.3.
var version string

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "vneid-bench",
		Short: "Measures what load an HTTP gateway carries",
		Long: `vneid-bench measures a gateway from outside, over HTTP: any gateway, not only
VNeID Gateway. It counts a request's latency from when it was due, so that a target
that stalls cannot hide it, and refuses to claim a result that is its own.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		Version:           buildVersion(),
	}
	root.SetVersionTemplate(buildText())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(attackCommand(), findMaxCommand(), reportCommand(), compareCommand(), tokensCommand(), issuerCommand(), scenarioCommand(), peersCommand(), planCommand(), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print what was built",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), buildText())
			return err
		},
	}
}

// buildVersion tells what was built, as far as the build recorded it.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func buildText() string {
	return "vneid-bench " + buildVersion() + "\n" + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
}
