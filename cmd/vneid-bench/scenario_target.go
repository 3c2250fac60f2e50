package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
	"github.com/vneid-gateway/vneid-gateway/bench/stand"
)

// standFlags say what a stand is made of.
type standFlags struct {
	gateway              string
	replicas, processors int
	set                  []string
}

// ofStand are the flags that go without --target only.
var ofStand = []string{"gateway", "replicas", "gateway-processors", "gateway-set"} //nolint:gochecknoglobals // a constant, if Go had them

func (f *standFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.gateway, "gateway", "", "binary of the gateway that a stand runs (default vneid-gateway beside this one, or on the PATH)")
	flags.IntVar(&f.replicas, "replicas", 0, "gateways of a stand (default: what the scenario says)")
	flags.IntVar(&f.processors, "gateway-processors", 0, "processors that each gateway of a stand may use (default all)")
	flags.StringArrayVar(&f.set, "gateway-set", nil, "override a field of the gateways' configuration, as verdicts.max_bytes=64MiB; may be repeated")
	_ = cmd.MarkFlagFilename("gateway")
	for _, name := range []string{"replicas", "gateway-processors", "gateway-set"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// find finds the gateway's binary.
func (f *standFlags) find() error {
	if f.gateway != "" {
		return nil
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "vneid-gateway")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			f.gateway = beside
			return nil
		}
	}
	found, err := exec.LookPath("vneid-gateway")
	if err != nil {
		return errors.New("there is no vneid-gateway beside this command or on the PATH: name it with --gateway, or a target with --target")
	}
	f.gateway = found
	return nil
}

// cutoverMargins are how long before a cutover a stand is started, besides what comes before it in the load: the first
// that is enough for the stand to be there and warm.
var cutoverMargins = []time.Duration{1500 * time.Millisecond, 6 * time.Second, 40 * time.Second} //nolint:gochecknoglobals // a constant, if Go had them

// run runs a scenario on a stand of its own.
func (f *standFlags) run(ctx context.Context, s *scenario.Scenario, o scenario.Options, tell func(string, ...any)) (*scenario.Result, error) {
	if f.replicas > 0 {
		s.Replicas = f.replicas
	}
	before, switches := s.Cutover()
	for i, margin := range cutoverMargins {
		if switches {
			// The clock of a date has whole milliseconds.
			o.Hands.Cutover = time.Now().Add(margin + before).Truncate(time.Millisecond)
		}
		result, err := f.try(ctx, s, o, tell)
		if !switches || i == len(cutoverMargins)-1 || !errors.Is(err, scenario.ErrTooLate) {
			return result, err
		}
	}
	panic("BUG: there is a last margin")
}

func (f *standFlags) try(ctx context.Context, s *scenario.Scenario, o scenario.Options, tell func(string, ...any)) (*scenario.Result, error) {
	made, err := stand.Start(ctx, stand.Config{
		Gateway: f.gateway, Corpus: o.Corpus.Dir(), Replicas: s.Replicas, Processors: f.processors,
		Cutover: o.Hands.Cutover, Set: append(append([]string(nil), s.Gateway...), f.set...),
	})
	if err != nil {
		return nil, err
	}
	o.Address = made.Address()
	o.Hands.Issuers, o.Hands.Admins, o.Hands.Machines = made.Controls(), made.Admins, made
	result, err := s.Run(ctx, o)
	return ended(result, err, made.Close(), tell)
}

// ended is what a run came to whose stand ended with an error, or none. What was measured is not lost by it.
func ended(result *scenario.Result, err, closed error, tell func(string, ...any)) (*scenario.Result, error) {
	if result == nil || closed == nil {
		return result, errors.Join(err, closed)
	}
	tell("%v", closed) // It has the end of a gateway's log.
	first, _, _ := strings.Cut(closed.Error(), "\n")
	result.Add(scenario.Check{Name: "stand ended", Want: "as it should", Got: first})
	return result, err
}

// targetFlags say what runs already, and how it can be told things.
type targetFlags struct {
	url, issuer, adminToken, cutover string
	admins                           []string
	tls                              tlsFlags

	cmd   *cobra.Command
	hands scenario.Hands
	at    *url.URL
}

// ofTarget are the flags that go with --target only.
var ofTarget = []string{"issuer-control", "admin", "admin-token-file", "cutover"} //nolint:gochecknoglobals // a constant, if Go had them

func (f *targetFlags) define(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVar(&f.url, "target", "", "URL of a gateway that runs already, without a path")
	flags.StringVar(&f.issuer, "issuer-control", "", "URL of the target's issuers, where they take orders")
	flags.StringArrayVar(&f.admins, "admin", nil, "URL of the target's admin listener; once for each gateway")
	flags.StringVar(&f.adminToken, "admin-token-file", "", "file with the bearer token of the admin listeners")
	flags.StringVar(&f.cutover, "cutover", "", "when the target's rule for citizens begins to hold, as 2024-07-01T00:00:00+07:00")
	f.tls.define(cmd)
	_ = cmd.MarkFlagFilename("admin-token-file")
	for _, name := range []string{"target", "issuer-control", "admin", "cutover"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	for _, name := range ofStand {
		cmd.MarkFlagsMutuallyExclusive("target", name)
	}
}

// can reads the flags, and finds what the target cannot be told.
func (f *targetFlags) can(all []*scenario.Scenario) (err error) {
	if f.at, err = baseURL(f.url); err != nil {
		return named("target", err)
	}
	if f.issuer != "" {
		if _, err := baseURL(f.issuer); err != nil {
			return named("issuer-control", err)
		}
		f.hands.Issuers = map[string]stand.Control{"": {URL: f.issuer}} // aim knows the corpus, and their names.
	}
	if len(f.admins) > 0 {
		if f.hands.Admins, err = f.operators(); err != nil {
			return err
		}
	}
	if f.cutover != "" {
		if f.hands.Cutover, err = time.Parse(time.RFC3339, f.cutover); err != nil {
			return errors.New("--cutover: write it as 2024-07-01T00:00:00+07:00")
		}
	}
	for _, s := range all {
		if err := f.hands.Can(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *targetFlags) operators() (func() []stand.Admin, error) {
	if f.adminToken == "" {
		return nil, errors.New("--admin needs --admin-token-file")
	}
	token, err := os.ReadFile(f.adminToken)
	if err != nil {
		return nil, named("admin-token-file", err)
	}
	admins := make([]stand.Admin, len(f.admins))
	for i, admin := range f.admins {
		if _, err := baseURL(admin); err != nil {
			return nil, named("admin", err)
		}
		admins[i] = stand.Admin{URL: admin, Token: strings.TrimRight(string(token), "\r\n")}
	}
	return func() []stand.Admin { return admins }, nil
}

// aim puts the target into the options of a run, and has it refuse what the corpus says is revoked.
func (f *targetFlags) aim(o *scenario.Options) (err error) {
	o.Address, o.Hands = hostPort(f.at), f.hands
	if o.TLS, err = f.tls.config(f.at); err != nil {
		return err
	}
	if f.issuer != "" {
		if o.Hands.Issuers, err = stand.Controls(o.Corpus, f.issuer); err != nil {
			return err
		}
	}
	revoked, err := stand.Revoked(o.Corpus)
	if err != nil || f.hands.Admins == nil {
		return err
	}
	for _, admin := range f.hands.Admins() {
		if err := admin.Revoke(f.cmd.Context(), revoked...); err != nil {
			return fmt.Errorf("revoking what %s lists: %w", population.RevokedFile, err)
		}
	}
	return nil
}

// baseURL reads the URL of a server.
func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("write it as http://127.0.0.1:8080, without a path")
	}
	return u, nil
}
