package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// newRecord begins the record of a command: what it was told, where it runs, and by
// how much the load is less than the one that is meant.
func newRecord(cmd *cobra.Command, started time.Time, scale float64) *record.File {
	return &record.File{
		Format: record.Format, Command: commandLine(cmd, os.Args[1:]), StartedAt: started.UTC(),
		Machine: record.ThisMachine(version), Scale: scale,
	}
}

// writeTo writes to the file that --json or its like names; - is the command's output.
func writeTo(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	var all bytes.Buffer
	if err := write(&all); err != nil {
		return err
	}
	if name == "-" {
		_, err := all.WriteTo(cmd.OutOrStdout())
		return err
	}
	return os.WriteFile(name, all.Bytes(), 0o644) //nolint:gosec // it holds no secret
}

// secretFlags are those whose values may be secrets.
var secretFlags = map[string]bool{"header": true, "expect-header": true, "body": true, "expect-body": true} //nolint:gochecknoglobals // a constant, if Go had them

// commandLine repeats what was typed, without what may be secret: the values of headers
// and bodies, what in URLs is neither host nor path, also where they are values of flags,
// and whatever is no flag of the command.
func commandLine(cmd *cobra.Command, args []string) []string {
	line := []string{cmd.Root().Name()}
	var takes *pflag.Flag // the flag whose value is the next argument
	for i, arg := range args {
		switch {
		case takes != nil:
			line = append(line, withoutSecret(takes.Name, arg))
			takes = nil
		case arg == "--":
			for _, rest := range args[i:] {
				line = append(line, withoutURLSecrets(rest))
			}
			return line
		case strings.HasPrefix(arg, "--"):
			name, value, given := strings.Cut(arg[2:], "=")
			flag := cmd.Flags().Lookup(name)
			switch {
			case given:
				arg = fmt.Sprintf("--%s=%s", name, withoutSecret(name, value))
			case flag != nil && flag.NoOptDefVal == "":
				takes = flag
			}
			line = append(line, arg)
		case len(arg) > 1 && arg[0] == '-':
			arg, takes = withoutShortSecret(cmd, arg)
			line = append(line, arg)
		default:
			line = append(line, withoutURLSecrets(arg))
		}
	}
	return line
}

// withoutShortSecret goes through flags of one letter, as in -qd10s, of which the
// last may have its value right behind it.
func withoutShortSecret(cmd *cobra.Command, arg string) (line string, takes *pflag.Flag) {
	for i := 1; i < len(arg); i++ {
		flag := cmd.Flags().ShorthandLookup(arg[i : i+1])
		switch {
		case flag == nil:
			return arg[:i] + "…", nil
		case flag.NoOptDefVal != "":
			continue
		case i+1 == len(arg):
			return arg, flag
		}
		return arg[:i+1] + withoutSecret(flag.Name, arg[i+1:]), nil
	}
	return arg, nil
}

// withoutSecret keeps a header's name and takes other secrets away whole. Flags whose values
// are no secrets may still have URLs in them.
func withoutSecret(flag, value string) string {
	switch {
	case !secretFlags[flag] && strings.Contains(value, "://"):
		return withoutURLSecrets(value)
	case !secretFlags[flag]:
		return value
	}
	if name, _, ok := strings.Cut(value, ":"); ok && strings.HasSuffix(flag, "header") {
		return name + ": …"
	}
	return "…"
}

// withoutURLSecrets takes the userinfo, the query and the fragment out of a URL, wherever in a
// value it stands, as in name=https://user:password@host/?token. Of what is no URL, as far as
// can be seen, it takes what follows a question mark.
func withoutURLSecrets(value string) string {
	value, cut := beforeQuery(value)
	var kept strings.Builder
	for {
		scheme, rest, ok := strings.Cut(value, "://")
		if !ok {
			break
		}
		kept.WriteString(scheme + "://")
		// RFC 3986 section 3.2: the authority ends at the next slash, and its userinfo at an @.
		authority, _, _ := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			kept.WriteString("…")
			rest = rest[at:]
		}
		value = rest
	}
	return kept.String() + value + cut
}

// beforeQuery cuts a value where a query or, in a URL, a fragment begins.
func beforeQuery(value string) (before, cut string) {
	if at := strings.IndexByte(value, '?'); at >= 0 {
		value, cut = value[:at], "?…"
	}
	if scheme := strings.Index(value, "://"); scheme >= 0 {
		if at := strings.IndexByte(value[scheme:], '#'); at >= 0 {
			return value[:scheme+at], "#…"
		}
	}
	return value, cut
}
