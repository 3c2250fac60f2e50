package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultAdmin    = "127.0.0.1:9080"
	maxHealthAnswer = 64 << 10
)

func healthCommand() *cobra.Command {
	var url, ca string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running gateway whether it is ready",
		Long: `Ask a running gateway whether it is ready, as a container's probe does. The exit
status is 0 when it is; otherwise 1, with what is missing on standard error.

With --ca-file the admin listener is asked over https (admin.tls), by the name or
address in its certificate.`,
		Example: "  vneid-gateway health\n  vneid-gateway health --url http://127.0.0.1:9080/livez\n" +
			"  vneid-gateway health --ca-file admin-ca.pem --url https://localhost:9080/readyz",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				scheme := "http://"
				if ca != "" {
					scheme = "https://"
				}
				url = scheme + probeAddress(os.Getenv(adminVariable)) + "/readyz"
			}
			secure, err := trusting(ca)
			if err != nil {
				return err
			}
			answer, err := askHealth(cmd.Context(), url, secure, timeout)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), answer)
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "address of the probe (default /readyz on $"+adminVariable+" or "+defaultAdmin+")")
	cmd.Flags().StringVar(&ca, "ca-file", "", "PEM roots of the admin listener's certificate (default: the system's, and plain http where --url is not given)")
	_ = cmd.MarkFlagFilename("ca-file", "pem", "crt")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Second, "how long to wait for the answer")
	return cmd
}

// probeAddress turns the admin listener's address into one to connect to: an
// unspecified host is asked on loopback.
func probeAddress(admin string) string {
	host, port, err := net.SplitHostPort(admin)
	if err != nil {
		return defaultAdmin
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func askHealth(ctx context.Context, url string, secure *tls.Config, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	// The probe is never to leave by a proxy of the environment.
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DialContext: (&net.Dialer{}).DialContext, TLSClientConfig: secure}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("not reachable: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHealthAnswer))
	if err != nil {
		return "", err
	}
	answer := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return answer, nil
}
