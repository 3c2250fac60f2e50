package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
	"github.com/vneid-gateway/vneid-gateway/bench/scenarios"
)

func scenarioCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "Run loads that stand for something, and judge what comes of them",
		Long: `scenario runs loads that stand for something: the busy hour of a nation, a cutover at
midnight, an outage of the identity backend. Each is a file, which says who comes, what
happens meanwhile, what each answer must be, and what it all may cost.

A file has
  load         shape (constant, ramp, steps, spike), rates a second, duration, arrivals
  population   warm tokens and how they are re-used, the cold share, shares of classes,
               algorithms and sizes, sites: as vneid-bench tokens has them
  actions      what happens at which time: cutover, issuer_fault, rotate_key,
               revoke_tokens, revoke_flood, slow_upstream, rolling_restart
  expect       what is right of some classes in place of what they expect, and
  allow        what is taken besides: from one moment until another, which are times of
               the load, or NAME, NAME.end and NAME.end+5s of an action
  thresholds   failed requests, latencies from when requests were due, the rate that
               was answered; a wrong verdict fails the run whatever they say
Begin one of your own with "vneid-bench scenario show NAME"; "check" names each fault.`,
	}
	cmd.AddCommand(scenarioRunCommand(), scenarioListCommand(), scenarioShowCommand(), scenarioCheckCommand())
	return cmd
}

func scenarioListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the scenarios that are built in",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tab := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			_, _ = fmt.Fprintln(tab, "name\tpeak/s\tlasts\twhat it is") // Flush tells.
			for _, name := range scenarios.Names() {
				s, err := readScenario(name)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(tab, "%s\t%.0f\t%v\t%s\n", s.Name, s.Load.Peak(), s.Load.Duration, s.Title)
			}
			return tab.Flush()
		},
	}
}

func scenarioShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print the file of a scenario that is built in, to begin one's own with",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, known := scenarios.Read(args[0])
			if !known {
				return noScenario(args[0])
			}
			_, err := cmd.OutOrStdout().Write(raw)
			return err
		},
		ValidArgsFunction: completeScenarios,
	}
}

func scenarioCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME|FILE...",
		Short: "Check files of scenarios: a line for each fault",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []error
			for _, arg := range args {
				s, err := readScenario(arg)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: %s, up to %.0f requests/s for %v\n", arg, s.Name, s.Load.Peak(), s.Load.Duration); err != nil {
					return err
				}
			}
			return errors.Join(faults...)
		},
		ValidArgsFunction: completeScenarios,
	}
}

// readScenario reads a scenario that is built in, or a file, which has a dot or a slash in its name.
func readScenario(name string) (*scenario.Scenario, error) {
	if raw, known := scenarios.Read(name); known {
		return scenario.Parse(name+scenarios.Extension, raw)
	}
	if !strings.ContainsAny(name, `./\`) {
		return nil, noScenario(name)
	}
	return scenario.ReadFile(name)
}

func noScenario(name string) error {
	return fmt.Errorf("no scenario %q is built in; there are: %s; a file is named with its path or ending, as ./%[1]s", name, strings.Join(scenarios.Names(), ", "))
}

func completeScenarios(_ *cobra.Command, _ []string, begins string) ([]string, cobra.ShellCompDirective) {
	var found []string
	for _, name := range scenarios.Names() {
		if strings.HasPrefix(name, begins) {
			found = append(found, name)
		}
	}
	return found, cobra.ShellCompDirectiveDefault
}
