package main

import (
	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

func schemaCommand() *cobra.Command {
	var reference bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration",
		Long: `Print the JSON Schema (draft 2020-12) of the configuration, made from the types
that decode it. An editor with a YAML language server completes and checks a
file by it: put "# yaml-language-server: $schema=gateway.schema.json" on top.`,
		Example: "  vneid-gateway schema > gateway.schema.json\n  vneid-gateway schema --markdown > CONFIGURATION.md",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reference {
				_, err := cmd.OutOrStdout().Write(config.Reference())
				return err
			}
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
	cmd.Flags().BoolVar(&reference, "markdown", false, "print the reference as Markdown instead")
	return cmd
}
