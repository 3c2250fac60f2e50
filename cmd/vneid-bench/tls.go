package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"

	"github.com/spf13/cobra"
)

// tlsFlags say how a target of https:// is known.
type tlsFlags struct{ ca, cert, key, name string }

func (f *tlsFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.ca, "ca-file", "", "authorities, in PEM, that vouch for the target (default those of the system)")
	flags.StringVar(&f.cert, "cert-file", "", "client certificate, in PEM")
	flags.StringVar(&f.key, "key-file", "", "private key of the client certificate, in PEM")
	flags.StringVar(&f.name, "server-name", "", "name that the target's certificate must have (default the URL's host)")
	cmd.MarkFlagsRequiredTogether("cert-file", "key-file")
	for _, name := range []string{"ca-file", "cert-file", "key-file"} {
		_ = cmd.MarkFlagFilename(name, "pem", "crt", "key")
	}
	_ = cmd.RegisterFlagCompletionFunc("server-name", cobra.NoFileCompletions)
}

// config returns nil for a target in the clear. The flags are for others, too: URLs that are
// asked besides it.
func (f *tlsFlags) config(target *url.URL, others ...string) (*tls.Config, error) {
	if target.Scheme != "https" {
		if *f != (tlsFlags{}) && !slices.ContainsFunc(others, secure) {
			return nil, errors.New("--ca-file, --cert-file, --key-file and --server-name go with https:// only")
		}
		return nil, nil
	}
	return f.settings(target.Hostname())
}

func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https"
}

// settings are for a server whose certificate has a name, unless --server-name says another.
// Where neither does, whoever uses them takes the URL's host.
func (f *tlsFlags) settings(name string) (*tls.Config, error) {
	c := &tls.Config{ServerName: cmp.Or(f.name, name), NextProtos: []string{"http/1.1"}}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca-file: %s has no certificate", f.ca)
		}
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("--cert-file, --key-file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
