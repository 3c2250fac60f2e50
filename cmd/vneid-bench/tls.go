package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"

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

// config returns nil for a target in the clear.
func (f *tlsFlags) config(target *url.URL) (*tls.Config, error) {
	if target.Scheme != "https" {
		if *f != (tlsFlags{}) {
			return nil, errors.New("--ca-file, --cert-file, --key-file and --server-name go with https:// only")
		}
		return nil, nil
	}
	c := &tls.Config{ServerName: f.name, NextProtos: []string{"http/1.1"}}
	if c.ServerName == "" {
		c.ServerName = target.Hostname()
	}
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
