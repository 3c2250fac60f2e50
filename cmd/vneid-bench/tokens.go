package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// tokensFlags are those of vneid-bench tokens.
type tokensFlags struct {
	config                    population.Config
	out                       string
	shares, algorithms, sizes string
	sites                     []string
	audience                  string
	organisationCutover       string
	quiet                     bool
}

func tokensCommand() *cobra.Command {
	f := tokensFlags{config: population.DefaultConfig()}
	cmd := &cobra.Command{
		Use:   "tokens --out DIR",
		Short: "Mint a population of tokens, with what each must get",
		Long: `tokens writes a corpus: requests with credentials, each with the answer that it
must get, the keys of the issuers that vneid-bench issuer serves, and a configuration
of vneid-gateway that verifies them. vneid-bench attack --corpus sends it.

Pools. Requests of the warm pool come again and again, as those of people who are
logged in: the k-th most popular with weight 1/k^--zipf. Those of the cold pool come
once each, as after a login: --cold-share of all requests. A load needs a cold token
for each of them, counted for each 1,000 requests that it begins.

Classes, with --share CLASS=SHARE of the requests; what is left is of class valid:
` + classHelp() + `
Sites. Each --site is a list of name=, host=, path= (may be repeated), audience=,
share= and upstream= (may be repeated). Without one there are two, dvcqg and hanoi, at
127.0.0.1:9201 and :9202.

Revoked tokens are revoked by whoever runs the gateway, before the load:
  vneid-gateway revoke --config DIR/gateway.yaml --issuer vneid --jti - \
    --from-file DIR/revoked.txt --reason corpus

The files in DIR
  requests.jsonl  a request a line, warm ones first, most popular first
  corpus.json     what they are, key sets, and until when they are valid
  issuer.json     private keys, for vneid-bench issuer
  gateway.yaml    for vneid-gateway serve; it names admin-token and gateway.secret,
                  and keeps revocations in DIR/revocations
  revoked.txt     identifiers (jti) of the tokens to be revoked`,
		Example: `  vneid-bench tokens --out corpus
  vneid-bench tokens --out corpus --warm 100000 --cold 500000 --cold-share 0.1 \
    --algorithms ES256 --share expired=1%,forged=0.5%,opaque=2%
  vneid-bench tokens --out corpus --site name=hue,host=dichvucong.hue.example.vn,path=/api/x,upstream=http://10.0.0.7:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *tokensFlags) define(cmd *cobra.Command) {
	flags, c := cmd.Flags(), &f.config
	flags.StringVarP(&f.out, "out", "o", "", "directory of the corpus")
	flags.Int64Var(&c.Warm, "warm", c.Warm, "requests that come again and again")
	flags.Int64Var(&c.Cold, "cold", c.Cold, "requests that come once")
	flags.Float64Var(&c.Reuse.ColdShare, "cold-share", c.Reuse.ColdShare, "share of the requests that are cold, 0 to 1")
	flags.Float64Var(&c.Reuse.ZipfExponent, "zipf", c.Reuse.ZipfExponent, "exponent of the warm requests' popularity; 0 is all alike")
	flags.Uint32Var(&c.Seed, "seed", c.Seed, "what the order of requests is drawn from: the same seed draws the same")
	flags.DurationVar(&c.Lifetime, "lifetime", c.Lifetime, "how long the tokens are valid")
	flags.StringVar(&f.shares, "share", shareText(c.Classes, func(c population.Class) string { return string(c) }), "share of each class, as expired=1%,forged=0.5%")
	flags.StringVar(&f.algorithms, "algorithms", shareText(c.Algorithms, func(a string) string { return a }), "algorithms of signatures, with their parts: of "+strings.Join(corpus.Algorithms(), ", "))
	flags.StringVar(&f.sizes, "sizes", shareText(c.Sizes, strconv.Itoa), "lengths of JWTs in bytes, with their parts")
	flags.StringArrayVar(&f.sites, "site", nil, "a system behind the gateway; may be repeated, see above")
	flags.StringVar(&f.audience, "audience", c.Sites[0].Audience, "\"aud\" of the tokens for sites that name none")
	flags.StringVar(&c.IssuerURL, "issuer", c.IssuerURL, "URL that vneid-bench issuer is to listen on")
	flags.StringVar(&f.organisationCutover, "organisation-cutover", c.OrganisationCutover.Format(time.DateOnly), "day from which on organisations must not come with an old portal's login, or never")
	flags.StringVar(&c.Listen, "listen", c.Listen, "address of the gateway, for gateway.yaml")
	flags.StringVar(&c.Admin, "admin", c.Admin, "address of its admin listener, for gateway.yaml")
	flags.BoolVar(&c.Replace, "replace", false, "write over the corpus in the directory")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagRequired("out")
	_ = cmd.MarkFlagDirname("out")
	for _, name := range []string{
		"warm", "cold", "cold-share", "zipf", "seed", "lifetime", "share", "algorithms", "sizes", "site", "audience", "issuer", "organisation-cutover", "listen", "admin",
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

func (f *tokensFlags) run(cmd *cobra.Command) error {
	c := &f.config
	if err := f.read(cmd); err != nil {
		return err
	}
	if !f.quiet {
		c.Progress = mintProgress(cmd.ErrOrStderr())
	}
	made, err := population.Mint(cmd.Context(), f.out, *c)
	if err != nil {
		return err
	}
	return writeManifest(cmd.OutOrStdout(), made)
}

// read reads the flags that are more than a number.
func (f *tokensFlags) read(cmd *cobra.Command) (err error) {
	c := &f.config
	if cmd.Flags().Changed("share") {
		if c.Classes, err = parts(f.shares, func(name string) (population.Class, error) { return population.Class(name), nil }); err != nil {
			return named("share", err)
		}
	}
	if c.Algorithms, err = parts(f.algorithms, func(name string) (string, error) { return name, nil }); err != nil {
		return named("algorithms", err)
	}
	if c.Sizes, err = parts(f.sizes, strconv.Atoi); err != nil {
		return named("sizes", err)
	}
	if len(f.sites) > 0 {
		c.Sites = nil
	}
	for i := range c.Sites {
		c.Sites[i].Audience = f.audience
	}
	for _, text := range f.sites {
		site, err := parseSite(text, f.audience)
		if err != nil {
			return named("site", err)
		}
		c.Sites = append(c.Sites, site)
	}
	if f.organisationCutover == "never" {
		c.OrganisationCutover = time.Time{}
		return nil
	}
	// Vietnamese law means Vietnamese days.
	c.OrganisationCutover, err = time.ParseInLocation(time.DateOnly, f.organisationCutover, time.FixedZone("+07:00", 7*60*60))
	if err != nil {
		return errors.New("--organisation-cutover: write it as 2025-07-01, or never")
	}
	return nil
}

// parts reads a=1%,b=0.5: without a share each counts 1.
func parts[T any](list string, read func(string) (T, error)) (all []population.Part[T], err error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	for item := range strings.SplitSeq(list, ",") {
		name, text, given := strings.Cut(strings.TrimSpace(item), "=")
		p := population.Part[T]{Share: 1}
		if p.Of, err = read(name); err != nil {
			return nil, fmt.Errorf("%q: not a number", name)
		}
		if given {
			number, percent := strings.CutSuffix(text, "%")
			if p.Share, err = strconv.ParseFloat(number, 64); err != nil {
				return nil, fmt.Errorf("%q: write it as NAME=1%% or NAME=0.01", item)
			}
			if percent {
				p.Share /= 100
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// shareText writes parts as parts reads them.
func shareText[T any](all []population.Part[T], name func(T) string) string {
	items := make([]string, len(all))
	for i, p := range all {
		items[i] = name(p.Of) + "=" + strconv.FormatFloat(p.Share*100, 'g', 6, 64) + "%"
	}
	return strings.Join(items, ",")
}

// parseSite reads name=…,host=….
func parseSite(text, audience string) (s population.Site, err error) {
	s = population.Site{Audience: audience, Share: 1}
	for item := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(item, "=")
		switch key {
		case "name":
			s.Name = value
		case "host":
			s.Host = value
		case "path":
			s.Paths = append(s.Paths, value)
		case "audience":
			s.Audience = value
		case "upstream":
			s.Upstreams = append(s.Upstreams, value)
		case "share":
			number, percent := strings.CutSuffix(value, "%")
			if s.Share, err = strconv.ParseFloat(number, 64); err != nil {
				return s, fmt.Errorf("share %q: write it as share=40%%", value)
			}
			if percent {
				s.Share /= 100
			}
		default:
			return s, fmt.Errorf("%q: not one of name=, host=, path=, audience=, share=, upstream=", item)
		}
	}
	return s, nil
}

// classHelp lists the classes for people.
func classHelp() string {
	var b strings.Builder
	tab := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, c := range population.Classes() {
		_, _ = fmt.Fprintf(tab, "  %s\t%s\n", c, c.Says()) // A strings.Builder takes it all.
	}
	_ = tab.Flush()
	return b.String()
}

// mintProgress shows how far minting is: a bar on a terminal, else a line every
// few seconds.
func mintProgress(to io.Writer) func(done, all int64) {
	if file, ok := to.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		var bar *progressbar.ProgressBar
		return func(done, all int64) {
			if bar == nil {
				bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(to), progressbar.OptionSetWidth(20),
					progressbar.OptionSetDescription("minting"), progressbar.OptionShowCount(), progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish())
			}
			_ = bar.Set64(done) // Nobody else can be told.
		}
	}
	const every = 5 * time.Second
	next := time.Now().Add(every)
	return func(done, all int64) {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(every)
			_, _ = fmt.Fprintf(to, "minted %d of %d requests\n", done, all)
		}
	}
}

// writeManifest tells what was minted.
func writeManifest(w io.Writer, c *population.Corpus) error {
	m := &c.Manifest
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(format string, values ...any) { _, _ = fmt.Fprintf(tab, format+"\n", values...) } // Flush tells.
	row("corpus\t%s", c.Dir())
	row("requests\t%d warm, Zipf exponent %v; %d cold, %.4g%% of a load", m.Pools.Warm, m.Reuse.ZipfExponent, m.Pools.Cold, m.Reuse.ColdShare*100)
	row("valid until\t%s", m.ExpiresAt.Format(time.RFC3339))
	row("memory\t%d MiB in attack", c.MemoryBytes()>>20+1)
	if err := tab.Flush(); err != nil {
		return err
	}
	tab = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row("\nclass\twarm\tcold\tof requests\tit is")
	for _, class := range m.Classes {
		row("%s\t%d\t%d\t%.3g%%\t%s", class.Class, class.Warm, class.Cold, class.RequestShare*100, class.Class.Says())
	}
	return tab.Flush()
}
