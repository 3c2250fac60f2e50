package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/gateway"
)

// version is set by the linker: -X main.version=v1.2.3.
var version string

// buildVersion tells what was built, as far as the build recorded it.
func buildVersion() gateway.Version {
	v := gateway.Version{Version: version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v.Version == "" {
			v.Version = info.Main.Version
		}
		modified := false
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				modified = s.Value == "true"
			}
		}
		if modified {
			v.Revision += "+changes"
		}
	}
	if v.Version == "" {
		v.Version = "unknown"
	}
	return v
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

// buildText tells what was built, for people.
func buildText() string {
	v := buildVersion()
	text := "vneid-gateway " + v.Version + "\n"
	if v.Revision != "" {
		text += "revision " + v.Revision + "\n"
	}
	return text + v.Go + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
}
