package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// revocable are the things that can be revoked, one flag each.
var revocable = [...]struct{ flag, member, kind, usage string }{
	{"jti", "jti", "token", "revoke one token, by its jti"},
	{"sid", "sid", "session", "revoke the tokens of one session, by their sid"},
	{"subject", "sub", "subject", "revoke what a subject was issued until --before, by sub"},
	{"client", "client", "client", "revoke what a client was issued until --before, by azp or client_id"},
	{"kid", "kid", "kid", "revoke whatever keys of that id have signed"},
	{"thumbprint", "thumbprint", "key", "revoke whatever the key of that thumbprint (RFC 7638, SHA-256) has signed"},
}

// revocationFlags is what was asked for on the command line.
type revocationFlags struct {
	settings

	ids                           [len(revocable)]string
	issuer, reason, before, until string
	all                           bool
	from                          string
	admin, token, ca, cert, key   string
	timeout                       time.Duration
}

func revokeCommand() *cobra.Command {
	var f revocationFlags
	cmd := &cobra.Command{
		Use:   "revoke --issuer NAME|URL (--jti|--sid|--subject|--client|--kid|--thumbprint) VALUE|- --reason TEXT",
		Short: "Revoke tokens, sessions, subjects, clients or keys at a running gateway",
		Long: `Revoke tokens, sessions, all that a subject or client was issued, or what a key
has signed, at a running gateway. When the command ends with "revoked", the
gateway lets no covered token through any more, nor after a restart, nor does any
other node of its fleet once it has caught up.

What is revoked, one of:
  --jti         one token
  --sid         the tokens of one session
  --subject     what the subject was issued at --before (default: now) or earlier;
                with --all, also what it will be issued
  --client      the same of a client
  --kid         what keys of that id have signed
  --thumbprint  what one key has signed

A revocation ends at --until (default: of a key never, else when the issuer's
longest-lived token, if it was issued now, has expired). What a subject of --all is
issued passes again afterwards. Nothing takes a revocation back; DELETE
/keys/ISSUER/KID on the admin listener keeps a key out, too, and can be.

A subject may be a personal number, and the command line is kept in the shell's
history and shown in the list of processes: write - for the value, and identifiers
are read one a line, any number of them, from standard input or --from-file. The
reason is kept in the gateway's audit log, next to digests of the identifiers: name
a ticket, not a person.

Where the admin listener is, and which file holds the token that it wants, is said
by --admin and --token-file, else by the configuration (--config, or
$` + configVariable + `). Without one, $` + adminVariable + ` says where,
else it is ` + defaultAdmin + `. A client certificate of admin.tls.client_ca_file (--cert-file, --key-file)
does in place of the token. Secrets are read from files only.

The exit status is 0 when all was revoked. Otherwise it is 1, and what failed is
told on standard error; to revoke twice is to revoke once, so try all of it again.`,
		Example: `  vneid-gateway revoke --issuer vneid --jti 5c3f… --reason "ticket 4711: phone stolen" --config gateway.yaml
  vneid-gateway revoke --issuer vneid --subject - --reason "ticket 4712" <subject.txt
  vneid-gateway revoke --issuer vneid --client portal --before 2025-07-01T09:00:00+07:00 \
    --reason "ticket 4713: secret leaked" --admin https://gateway.example.vn:9080 \
    --ca-file ca.pem --cert-file operator.pem --key-file operator.key
  vneid-gateway revoke --issuer vneid --sid - --from-file sessions.txt --reason "ticket 4714"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *revocationFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.issuer, "issuer", "", "issuer of the tokens: its configured name, or iss (required)")
	names := make([]string, len(revocable))
	for i, r := range revocable {
		names[i] = r.flag
		flags.StringVar(&f.ids[i], r.flag, "", r.usage+"; - reads identifiers, one a line")
	}
	flags.StringVar(&f.before, "before", "", "of a subject or client: revoke what was issued then or earlier, as 2025-07-01T09:00:00+07:00 (default now)")
	flags.BoolVar(&f.all, "all", false, "of a subject or client: revoke what is issued later, too, until --until")
	flags.StringVar(&f.until, "until", "", "end of the revocation, as 2025-07-01T09:00:00+07:00 (default when the issuer's tokens of now have expired; of a key never)")
	flags.StringVar(&f.reason, "reason", "", "why, for the audit log: up to 200 characters, no personal data (required)")
	flags.StringVar(&f.from, "from-file", "", "where - reads identifiers from (default standard input)")
	flags.StringVar(&f.admin, "admin", "", "address of the admin listener, as http://127.0.0.1:9080")
	flags.StringVarP(&f.file, "config", "c", "", "configuration file that says where admin listener and token are (default $"+configVariable+")")
	flags.StringVar(&f.token, "token-file", "", "file of the bearer token (admin.token_file)")
	flags.StringVar(&f.ca, "ca-file", "", "authorities, in PEM, that vouch for the admin listener (default those of the system)")
	flags.StringVar(&f.cert, "cert-file", "", "client certificate, in PEM")
	flags.StringVar(&f.key, "key-file", "", "private key of the client certificate, in PEM")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait for each answer")
	f.flags(cmd)

	_ = cmd.MarkFlagRequired("issuer")
	_ = cmd.MarkFlagRequired("reason")
	cmd.MarkFlagsOneRequired(names...)
	cmd.MarkFlagsMutuallyExclusive(names...)
	cmd.MarkFlagsMutuallyExclusive("before", "all")
	cmd.MarkFlagsRequiredTogether("cert-file", "key-file")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	for _, name := range append(names, "before", "until", "reason", "admin", "timeout", "set") {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = cmd.RegisterFlagCompletionFunc("issuer", f.completeIssuer)
}

// completeIssuer offers the names that the configuration has.
func (f *revocationFlags) completeIssuer(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	cfg, err := f.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for i := range cfg.Issuers {
		names = append(names, cobra.CompletionWithDesc(cfg.Issuers[i].Name, cfg.Issuers[i].Issuer))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (f *revocationFlags) run(cmd *cobra.Command) error {
	at := 0
	for i, r := range revocable {
		if cmd.Flags().Changed(r.flag) {
			at = i
		}
	}
	what := revocable[at]
	if err := f.check(what.flag, f.ids[at]); err != nil {
		return err
	}
	client, err := f.client(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer client.http.CloseIdleConnections()
	order := revocationOrder{Reason: f.reason, stated: statedRevocation{
		Issuer: f.issuer, member: what.member, Before: f.before, Until: f.until, All: f.all,
	}}
	var n int
	if f.ids[at] != "-" {
		n, err = order.send(cmd.Context(), client, []string{f.ids[at]})
	} else {
		n, err = f.sendAll(cmd, client, &order)
	}
	if err != nil {
		if n > 0 {
			return fmt.Errorf("%w\nthe first %d are revoked; to try all of it again does no harm", err, n)
		}
		return err
	}
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "revoked %d (%s) at issuer %s\n", n, what.kind, f.issuer)
	if f.until == "" && f.all {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(),
			"note: what is issued from now on passes again once the issuer's tokens of now have expired; --until sets a later end")
	}
	return nil
}

// check finds what the gateway would refuse, before anything is read or sent.
func (f *revocationFlags) check(flag, id string) error {
	dated := flag == "subject" || flag == "client"
	switch {
	case id == "":
		return fmt.Errorf("--%s: must not be empty", flag)
	case f.from != "" && id != "-":
		return fmt.Errorf("--from-file: write --%s - to have identifiers read from it", flag)
	case !dated && (f.before != "" || f.all):
		return errors.New("--before and --all go with --subject and --client only")
	}
	for _, t := range []struct{ flag, value string }{{"before", f.before}, {"until", f.until}} {
		if t.value == "" {
			continue
		}
		var parsed time.Time
		if parsed.UnmarshalText([]byte(t.value)) != nil {
			return fmt.Errorf("--%s %s: write a time as 2025-07-01T09:00:00+07:00 (RFC 3339)", t.flag, t.value)
		}
	}
	return nil
}

// sendAll sends the identifiers of a file or of standard input.
func (f *revocationFlags) sendAll(cmd *cobra.Command, client *adminClient, order *revocationOrder) (int, error) {
	if f.from == "" || f.from == "-" {
		return order.sendLines(cmd.Context(), client, "standard input", cmd.InOrStdin())
	}
	file, err := os.Open(f.from)
	if err != nil {
		return 0, fmt.Errorf("--from-file: %w", err)
	}
	defer file.Close()
	return order.sendLines(cmd.Context(), client, f.from, file)
}
