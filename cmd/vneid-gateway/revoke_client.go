package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

// maxAdminAnswer bounds an answer of the admin listener, in bytes.
const maxAdminAnswer = 64 << 10

// adminClient asks the admin listener as an operator.
type adminClient struct {
	base  *url.URL
	token string
	http  *http.Client
}

// client finds the admin listener, and what an operator shows it.
func (f *revocationFlags) client(warnings io.Writer) (*adminClient, error) {
	address, tokenFile, err := f.findAdmin()
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil ||
		strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("--admin %s: write http://host:port or https://host:port", address)
	}
	secure, err := f.tls()
	if err != nil {
		return nil, err
	}
	c := &adminClient{base: base.JoinPath("/revocations"), http: &http.Client{
		Timeout: f.timeout,
		// It never leaves by a proxy of the environment, and what it carries is
		// for this address only.
		Transport:     &http.Transport{Proxy: nil, DialContext: (&net.Dialer{}).DialContext, TLSClientConfig: secure},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	switch {
	case tokenFile != "":
		token, err := (&config.Admin{TokenFile: tokenFile}).Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tokenFile, err)
		}
		c.token = string(token)
	case f.cert == "":
		return nil, errors.New("nothing to show that you are an operator: name --token-file, --cert-file and --key-file, or a --config with admin.token_file")
	}
	if base.Scheme == "http" {
		if f.cert != "" || f.ca != "" {
			return nil, fmt.Errorf("--admin %s: a certificate goes with https", address)
		}
		if !isLoopbackHost(base.Hostname()) {
			_, _ = fmt.Fprintf(warnings, "warning: %s is asked without TLS: who can listen in learns the token and what is revoked\n", base.Host)
		}
	}
	return c, nil
}

// findAdmin returns where the admin listener is and which file holds its token,
// "" where none was named. The configuration is read only where flags leave out
// either: they work where it cannot be read.
func (f *revocationFlags) findAdmin() (address, tokenFile string, err error) {
	address, tokenFile = f.admin, f.token
	named := f.file != "" || os.Getenv(configVariable) != ""
	if named && (address == "" || tokenFile == "" && f.cert == "") {
		cfg, err := f.load()
		if err != nil {
			return "", "", err
		}
		if address == "" {
			scheme := "http://"
			if cfg.Admin.TLS.CertFile != "" {
				scheme = "https://"
			}
			address = scheme + probeAddress(cfg.Admin.Address)
		}
		if tokenFile == "" && f.cert == "" {
			tokenFile = cfg.Admin.TokenFile
		}
	}
	if address == "" {
		scheme := "http://"
		if f.cert != "" || f.ca != "" {
			scheme = "https://"
		}
		address = scheme + probeAddress(os.Getenv(adminVariable))
	}
	return address, tokenFile, nil
}

// trusting believes a listener that has a certificate of the roots in the file
// ca; of the system's where that is "".
func trusting(ca string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return c, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca-file: %s: no certificate in it", ca)
	}
	return c, nil
}

func (f *revocationFlags) tls() (*tls.Config, error) {
	c, err := trusting(f.ca)
	if err != nil {
		return nil, err
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("--cert-file, --key-file: %w", err)
		}
		// One of other authorities than the listener names would be left out
		// without a word.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c, nil
}

func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// revoke sends a call for n entries.
func (c *adminClient) revoke(ctx context.Context, body []byte, n int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("nothing is known to be revoked: %w", err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAdminAnswer))
	if err != nil {
		return fmt.Errorf("nothing is known to be revoked: %w", err)
	}
	var answer struct {
		Revoked int    `json:"revoked"`
		Error   string `json:"error"`
		Code    string `json:"code"`
	}
	malformed := json.Unmarshal(said, &answer) != nil
	switch {
	case resp.StatusCode == http.StatusOK && answer.Revoked == n:
		return nil
	case resp.StatusCode == http.StatusOK, malformed:
		return fmt.Errorf("nothing is known to be revoked: %s is no admin listener of this version (%s)", c.base.Host, resp.Status)
	case answer.Code != "":
		return fmt.Errorf("refused: %s: %s (%s)%s", resp.Status, answer.Error, answer.Code, again(resp))
	}
	return fmt.Errorf("refused: %s: %s", resp.Status, answer.Error)
}

// again says when to try again, where the answer does.
func again(resp *http.Response) string {
	if after, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s"); err == nil {
		return "; try again in " + after.String()
	}
	return ""
}
