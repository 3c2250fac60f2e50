package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/plan"
)

// planFlags are those of vneid-bench plan.
type planFlags struct {
	population populationFlags

	cost, scaling, against          []string
	json, markdown, values, tier    string
	simulate                        float64
	seed                            uint64
	balance                         string
	maxError                        float64
	formulas                        bool
	printPopulation, printCostFiles bool
}

func planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Compute the replicas, cores and memory that a population takes",
		Long: `plan computes for each tier of load (a busy hour and surges) how many replicas keep
their limits while a whole zone and a spare replica in every other zone are away, and
what each of them needs: cores, memory, connections, files, network.

What it is for is a population and a deployment: the national ones, those of
--population FILE (YAML; --print-population writes one to start from), and flags,
which beat the file.

What a request costs is what the project measured of its own gateway, or --cost:
  costs.yaml                       figures, as --print-cost writes them
  run.json,cold=0.2                runs of attack with what the target used, to which
                                   figures are fitted; several, with different shares
                                   of new tokens, tell warm from cold requests
  plan.json                        the record of a plan: its costs
A record does not say what its load consisted of; attributes behind commas do:
  cold=0.2 share of new tokens               algorithm=ES256 of their signature (RS256)
  corpus=DIR says both                       (one of cold and corpus is required)
  cores=2 of the target (1)                  run=NAME of several runs, only that one
  tokens= revocations= keys= held at the end; with them memory is fitted, too
--scaling takes records of find-max with different numbers of cores, as in
--scaling one.json,cores=1 --scaling two.json,cores=2, and fits the scaling curve.

What was not measured is assumed, and listed. --formulas writes every formula with its
symbols, units and the values put in.

It checks itself. Each tier is played through by a simulation, one zone lost in the
middle, and --against takes records of find-max, or of attack at the highest rate;
objective=5ms says that p99 of the gateway's own time was below that, which find-max
says itself. Errors are printed, and how far the simulation may be off by chance.

Runs that were cut short, that the generator could not keep up with, or of whose
requests more than 1% failed say nothing of costs and rates, and are left out; of
costs, too, where the target was restarted or could not be looked at to the end.

The exit status is
  0   the plan was made, and no error exceeds --max-error
  1   no plan was made
  99  an error exceeds --max-error by more than chance, which is three standard errors`,
		Example: `  vneid-bench plan --formulas
  vneid-bench plan --population province.yaml --zones 2 --values values.yaml
  vneid-bench plan --logins-per-day 400000 --surge-accounts 0 --cores 2 --routing sticky
  vneid-bench plan --cost warm.json,cold=0 --cost cold.json,cold=1 --against max.json,cold=0
  vneid-bench plan --json plan.json --markdown plan.md --tier "payout surge"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *planFlags) define(cmd *cobra.Command) {
	f.population.define(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.cost, "cost", nil, "costs, a record of runs, or the record of a plan: FILE[,NAME=VALUE]...; may be repeated")
	flags.StringArrayVar(&f.scaling, "scaling", nil, "record of the highest rate of so many cores: FILE,cores=N; may be repeated")
	flags.StringArrayVar(&f.against, "against", nil, "record of a highest rate to compare with: FILE,cold=SHARE[,NAME=VALUE]...; may be repeated")
	flags.StringVar(&f.json, "json", "", "file to write a record to (- for standard output, without the text)")
	flags.StringVar(&f.markdown, "markdown", "", "file to write a document to (- as above)")
	flags.StringVar(&f.values, "values", "", "file to write values of a Kubernetes deployment to (- as above)")
	flags.StringVar(&f.tier, "tier", plan.BusyHour, "tier that --values is for")
	flags.BoolVar(&f.formulas, "formulas", false, "write every formula with its values put in")
	flags.Float64Var(&f.simulate, "simulate", 1e6, "requests to play through for each tier, 100,000 to 50,000,000; 0 for none")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the simulation")
	flags.StringVar(&f.balance, "balance", string(plan.Random), "how the simulation balances: random or least_loaded")
	flags.Float64Var(&f.maxError, "max-error", 10, "by how much the formulas may be off, in %, besides chance")
	flags.BoolVar(&f.printPopulation, "print-population", false, "write the built-in population file, and nothing else")
	flags.BoolVar(&f.printCostFiles, "print-cost", false, "write the built-in costs, and nothing else")
	for _, name := range []string{"simulate", "seed", "max-error"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = cmd.RegisterFlagCompletionFunc("balance", cobra.FixedCompletions([]string{string(plan.Random), string(plan.LeastLoaded)}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *planFlags) run(cmd *cobra.Command) error {
	started := time.Now()
	switch {
	case f.printPopulation:
		_, err := cmd.OutOrStdout().Write(plan.DefaultPopulationFile())
		return err
	case f.printCostFiles:
		_, err := cmd.OutOrStdout().Write(plan.DefaultCostFile())
		return err
	case !(f.maxError >= 0):
		return fmt.Errorf("--max-error: %v is not allowed; must be 0 or more", f.maxError)
	}
	input, err := f.population.input(cmd)
	if err != nil {
		return err
	}
	cost, err := readCosts(f.cost, f.scaling)
	if err != nil {
		return err
	}
	result, err := plan.Make(input, cost)
	if err != nil {
		return err
	}
	tier, err := result.Tier(f.tier)
	if err != nil {
		return fmt.Errorf("--tier: %w", err)
	}
	if f.simulate != 0 {
		if err := result.Simulate(f.seed, f.simulate, plan.Balance(f.balance)); err != nil {
			return fmt.Errorf("--simulate: %w", err)
		}
	}
	if result.Against, err = compareWith(&cost, f.against); err != nil {
		return err
	}
	if err := f.write(cmd, started, result, tier); err != nil {
		return err
	}
	return f.judge(result)
}

// write writes the plan in the forms that are wanted.
func (f *planFlags) write(cmd *cobra.Command, started time.Time, result *plan.Result, tier *plan.Tier) error {
	instead := false
	for _, form := range []struct {
		flag, name string
		write      func(io.Writer) error
	}{
		{"json", f.json, func(w io.Writer) error {
			r := newRecord(cmd, started, 1)
			r.Plan = result
			return r.Write(w)
		}},
		{"markdown", f.markdown, result.WriteMarkdown},
		{"values", f.values, func(w io.Writer) error { return result.WriteValues(w, tier) }},
	} {
		if form.name == "" {
			continue
		}
		instead = instead || form.name == "-"
		if err := writeTo(cmd, form.name, form.write); err != nil {
			return fmt.Errorf("--%s: %w", form.flag, err)
		}
	}
	if instead {
		return nil
	}
	if err := result.WriteText(cmd.OutOrStdout()); err != nil || !f.formulas {
		return err
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout()); err != nil {
		return err
	}
	return result.WriteFormulas(cmd.OutOrStdout())
}

// errorOf is an error of the formulas in words.
func errorOf(c *plan.Comparison) string {
	if c.ErrorPercent == nil {
		return fmt.Sprintf("%.3g %s by the formula, and none found", c.Predicted, c.Unit)
	}
	return c.ErrorText()
}

// judge decides what the exit status is.
func (f *planFlags) judge(result *plan.Result) error {
	var off []string
	add := func(where string, list []plan.Comparison) {
		for i := range list {
			if c := &list[i]; c.Exceeds(f.maxError) {
				off = append(off, fmt.Sprintf("%s%s: %s", where, c.What, errorOf(c)))
			}
		}
	}
	for i := range result.Tiers {
		if s := result.Tiers[i].Simulation; s != nil {
			add(result.Tiers[i].Name+": ", s.Comparisons)
		}
	}
	add("", result.Against)
	if len(off) == 0 {
		return nil
	}
	return exitError{exitThreshold, errors.New(fmt.Sprintf("the formulas are off by more than %v%%: ", f.maxError) + strings.Join(off, "; "))}
}
