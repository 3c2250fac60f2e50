package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// corpusFlags say which corpus is sent, and how.
type corpusFlags struct {
	dir, check, memory, part string
	hostByLine               bool
	coldShare                float64
	first                    int64
	cmd                      *cobra.Command
	tell                     io.Writer // how much it takes; nil tells nobody
}

// ofCorpus are the flags that go with --corpus only, and ofRequest those that do
// not.
var (
	ofCorpus  = []string{"check", "host-by-line", "cold-share", "first", "part", "corpus-memory"}                                 //nolint:gochecknoglobals // a constant, if Go had them
	ofRequest = []string{"method", "header", "header-file", "body", "body-file", "expect-status", "expect-header", "expect-body"} //nolint:gochecknoglobals // a constant, if Go had them
)

func (f *corpusFlags) define(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "corpus", "", "directory of requests of vneid-bench tokens, each with the answer that it must get")
	flags.StringVar(&f.check, "check", string(population.CheckCode), "what an answer must have: its status and the gateway's code, its status, or the outcome alone: a pass, or any of 400, 401, 403")
	flags.BoolVar(&f.hostByLine, "host-by-line", true, "send each request's own Host to the URL; false sends the URL's")
	flags.Float64Var(&f.coldShare, "cold-share", 0, "share of the requests that are cold, 0 to 1 (default that of the corpus)")
	flags.Int64Var(&f.first, "first", 0, "number of the first request: as many as were sent before, lest their cold tokens come again")
	flags.StringVar(&f.part, "part", "0/1", "which of several machines this is that share a load, as 2/8: 0/8 to 7/8")
	flags.StringVar(&f.memory, "corpus-memory", "1GiB", "most memory that the requests may take")
	for _, name := range ofCorpus {
		if name != "host-by-line" {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
		}
	}
	_ = cmd.RegisterFlagCompletionFunc("check", cobra.FixedCompletions([]cobra.Completion{
		string(population.CheckCode), string(population.CheckStatus), string(population.CheckOutcome),
	}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("corpus")
	for _, name := range ofRequest {
		cmd.MarkFlagsMutuallyExclusive("corpus", name)
	}
}

// given says whether a corpus is to be sent; the error is that flags go with one
// and none is.
func (f *corpusFlags) given() (bool, error) {
	if f.dir != "" {
		return true, nil
	}
	for _, name := range ofCorpus {
		if f.cmd.Flags().Changed(name) {
			return false, fmt.Errorf("--%s goes with --corpus only", name)
		}
	}
	return false, nil
}

// source reads the corpus, and says where it goes. Until is when the load ends.
func (f *corpusFlags) source(urls []string, until time.Time) (*population.Source, *url.URL, error) {
	target, err := url.Parse(urls[0])
	if err != nil || len(urls) != 1 || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" || target.User != nil ||
		target.Path != "" && target.Path != "/" || target.RawQuery != "" {
		return nil, nil, errors.New("with --corpus, one URL without a path is needed: http://127.0.0.1:8080")
	}
	config := population.SourceConfig{Check: population.Check(f.check), First: f.first}
	if !f.hostByLine {
		config.Host = target.Host
	}
	if f.cmd.Flags().Changed("cold-share") {
		config.ColdShare = &f.coldShare
	}
	if config.Part, config.Parts, err = f.parts(); err != nil {
		return nil, nil, err
	}
	if config.MaxBytes, err = size(f.memory); err != nil {
		return nil, nil, named("corpus-memory", err)
	}
	c, err := population.Open(f.dir)
	if err != nil {
		return nil, nil, named("corpus", err)
	}
	if err := c.Fresh(until); err != nil {
		return nil, nil, named("corpus", err)
	}
	// What reading leaves behind would else take as much memory as what is read.
	percent := debug.SetGCPercent(20)
	source, err := c.Source(config)
	debug.SetGCPercent(percent)
	debug.FreeOSMemory()
	if err != nil {
		return nil, nil, named("corpus", err)
	}
	if f.tell != nil {
		p := c.Manifest.Pools
		_, _ = fmt.Fprintf(f.tell, "corpus: %d warm and %d cold requests take %d MiB of memory\n", p.Warm, p.Cold, source.Bytes()>>20+1) // Nobody else can be told.
	}
	return source, target, nil
}

func (f *corpusFlags) parts() (part, parts int64, err error) {
	which, of, ok := strings.Cut(f.part, "/")
	part, err = strconv.ParseInt(which, 10, 32)
	parts, also := strconv.ParseInt(of, 10, 32)
	if !ok || err != nil || also != nil || part < 0 || part >= parts {
		return 0, 0, fmt.Errorf("--part %q: write it as 2/8, of 0/8 to 7/8", f.part)
	}
	return part, parts, nil
}

// size reads a number of bytes.
func size(text string) (int64, error) {
	for _, unit := range []struct {
		name string
		bits int
	}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"B", 0}} {
		digits, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && n > 0 && n <= 1<<40>>unit.bits {
			return n << unit.bits, nil
		}
	}
	return 0, fmt.Errorf("%q: write it as 512MiB or 2GiB, up to 1024GiB", text)
}
