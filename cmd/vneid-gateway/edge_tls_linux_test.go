package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"slices"
	"strings"
	"testing"
)

// handshakeFailures returns how many handshakes of a listener failed for a
// reason; of any for "".
func (e *edge) handshakeFailures(t *testing.T, listener, reason string) float64 {
	t.Helper()
	return e.sum(t, "vneid_gateway_tls_handshake_failures_total", `listener="`+listener+`"`, `reason="`+reason)
}

func TestAListenerServesHTTPSAsItIsConfigured(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	exact, wildcard := newEdgePair(t, ours, testHost), newEdgePair(t, ours, "*.hue.gov.vn")
	const plain, modern, request, require = "127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0", "127.0.0.4:0"
	g := startEdge(t, edgeConfig{
		listen: strings.NewReplacer("EXACT", exact.yaml(), "WILDCARD", wildcard.yaml(), "ROOTS", ours.file).Replace(`
  - { address: "127.0.0.1:0", tls: { certificates: [EXACT, WILDCARD] } }
  - { address: "127.0.0.2:0", tls: { certificates: [EXACT], min_version: TLSv1.3 } }
  - { address: "127.0.0.3:0", tls: { certificates: [EXACT], client_auth: request, client_ca_file: ROOTS } }
  - { address: "127.0.0.4:0", tls: { certificates: [EXACT], client_auth: require, client_ca_file: ROOTS } }`),
		more: "limits: { header_timeout: 1s }",
	})
	at := map[string]string{plain: g.addresses[0], modern: g.addresses[1], request: g.addresses[2], require: g.addresses[3]}
	failed := func(t *testing.T, listener, reason string, want float64) {
		t.Helper()
		g.awaitThat(t, reason, func() bool { return g.handshakeFailures(t, at[listener], reason) >= want })
		if n := g.handshakeFailures(t, at[listener], ""); n != want {
			t.Errorf("%v failed handshakes, want %v for %s", n, want, reason)
		}
	}

	t.Run("a certificate is chosen by the name that the client asks for", func(t *testing.T) {
		for name, want := range map[string]string{
			testHost: testHost, "DichVuCong.HaNoi.gov.vn": testHost,
			"mot-cua.hue.gov.vn": "*.hue.gov.vn", "a.b.hue.gov.vn": testHost, "hue.gov.vn": testHost,
			"elsewhere.example": testHost, "": testHost,
		} {
			config := ours.trusting(name)
			// Whom it serves without a certificate of that name is the client's to judge.
			config.InsecureSkipVerify = true
			c := mustSecure(t, at[plain], config)
			if got := c.tls.ConnectionState().PeerCertificates[0].DNSNames; !slices.Equal(got, []string{want}) {
				t.Errorf("%q: got the certificate of %v, want that of %s", name, got, want)
			}
			_ = c.serves().Close()
		}
	})
	t.Run("the upstream learns that the client came by https", func(t *testing.T) {
		c := mustSecure(t, at[plain], ours.trusting(testHost))
		saw := c.send(edgeGet).answer().echo(t)
		if got := saw.Values("X-Forwarded-Proto"); !slices.Equal(got, []string{"https"}) {
			t.Errorf("X-Forwarded-Proto %q", got)
		}
		_ = c.Close()
	})
	t.Run("versions", func(t *testing.T) {
		for listener, least := range map[string]uint16{plain: tls.VersionTLS12, modern: tls.VersionTLS13} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				config := ours.trusting(testHost)
				config.MinVersion, config.MaxVersion = version, version
				c, err := secure(t, at[listener], "", config)
				if good := version >= least; (err == nil) != good {
					t.Errorf("%s with %s: %v", tls.VersionName(version), listener, err)
				}
				if err == nil {
					_ = c.serves().Close()
				}
			}
		}
		failed(t, modern, "protocol", 1)
		config := ours.trusting(testHost)
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if _, err := secure(t, at[plain], "", config); err == nil {
			t.Error("TLS 1.1 was good enough")
		}
		failed(t, plain, "protocol", 1)
	})
	t.Run("HTTP/1.1 by ALPN, and nothing else", func(t *testing.T) {
		config := ours.trusting(testHost)
		config.NextProtos = []string{"h2", "http/1.1"}
		c := mustSecure(t, at[plain], config)
		if got := c.tls.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
			t.Errorf("negotiated %q", got)
		}
		_ = c.serves().Close()
		config.NextProtos = []string{"h2"}
		if _, err := secure(t, at[plain], "", config); err == nil {
			t.Error("a client that speaks HTTP/2 only was taken")
		}
		failed(t, plain, "protocol", 2)
	})
	t.Run("client certificates", func(t *testing.T) {
		show := func(by authority) *tls.Config {
			config := ours.trusting(testHost)
			shown := by.sign(t, x509.ExtKeyUsageClientAuth).pair
			// Whatever authorities the gateway names.
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
			return config
		}
		for name, c := range map[string]struct {
			listener string
			config   *tls.Config
			good     bool
		}{
			"requested, none shown":       {request, ours.trusting(testHost), true},
			"requested, a good one shown": {request, show(ours), true},
			"requested, a stranger's":     {request, show(theirs), false},
			"required, none shown":        {require, ours.trusting(testHost), false},
			"required, a good one shown":  {require, show(ours), true},
			"required, a stranger's":      {require, show(theirs), false},
		} {
			if err := refuses(t, at[c.listener], c.config); (err == nil) != c.good {
				t.Errorf("%s: %v", name, err)
			}
		}
		failed(t, request, "client_certificate", 1)
		failed(t, require, "client_certificate", 2)
	})
	t.Run("plain HTTP is not answered", func(t *testing.T) {
		c := dialEdge(t, at[plain], "").send(edgeGet)
		if rest, _ := io.ReadAll(c.in); len(rest) > 0 && rest[0] != 21 { // an alert (RFC 8446 section 5.1)
			t.Errorf("%q", rest)
		}
		_ = c.Close()
		g.awaitMetric(t, `vneid_gateway_tls_handshake_failures_total{listener="`+at[plain]+`",reason="not_tls"}`, 1)
	})
	t.Run("a handshake that drips is cut", func(t *testing.T) {
		c := dialEdge(t, at[plain], "").send("\x16\x03\x01\x02\x00") // the start of a long record
		n := c.drips("x")
		c.ended()
		g.awaitMetric(t, `vneid_gateway_tls_handshake_failures_total{listener="`+at[plain]+`",reason="timeout"}`, 1)
		t.Logf("cut after %d pieces", n)
	})
	if n := g.sum(t, "vneid_gateway_requests_total", `outcome="refused"`); n != 0 {
		t.Errorf("%v requests that nobody made", n)
	}
	g.finish(t)
}
