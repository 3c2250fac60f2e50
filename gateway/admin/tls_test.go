package admin

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// ask sends a request under TLS and returns the status and what was answered.
func ask(t *testing.T, address, method, path string, config *tls.Config, fields ...string) (int, string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// client is one that believes the authority and shows the certificates.
func (a authority) client(shown ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: a.pool(), ServerName: "admin.example", Certificates: shown, MinVersion: tls.VersionTLS12}
}

func TestOperatorsShowACertificateOrTheTokenAndProbesNeither(t *testing.T) {
	t.Parallel()
	ca, operators, strangers := newAuthority(t), newAuthority(t), newAuthority(t)
	const change, path = http.MethodDelete, "/keys/vneid/k"
	withToken := []string{"Authorization", "Bearer " + operatorToken}
	for _, tc := range []struct {
		name    string
		token   bool // one is configured
		clients []authority
		shown   []tls.Certificate
		method  string
		path    string
		fields  []string
		status  int // 0: there is no connection
		by      string
	}{
		{"a kubelet", true, []authority{operators}, nil, "GET", "/livez", nil, 200, ""},
		{"a kubelet asks for readiness", true, []authority{operators}, nil, "GET", "/readyz", nil, 200, ""},
		{"Prometheus", true, []authority{operators}, nil, "GET", "/metrics", nil, 404, ""}, // the test has none
		{"who reads", true, []authority{operators}, nil, "GET", "/keys", nil, 200, ""},
		{"token", true, []authority{operators}, nil, change, path, withToken, 200, "token"},
		{"token without authorities", true, nil, nil, change, path, withToken, 200, "token"},
		{"certificate", true, []authority{operators}, []tls.Certificate{operators.issue(t)}, change, path, nil, 200, "cn:an.nguyen"},
		{"certificate, no token configured", false, []authority{operators}, []tls.Certificate{operators.issue(t)}, change, path, nil, 200, "cn:an.nguyen"},
		{"certificate and token", true, []authority{operators}, []tls.Certificate{operators.issue(t)}, change, path, withToken, 200, "cn:an.nguyen"},
		{"certificate and a wrong token", true, []authority{operators}, []tls.Certificate{operators.issue(t)}, change, path, []string{"Authorization", "Bearer x"}, 200, "cn:an.nguyen"},
		{"second authority", true, []authority{ca, operators}, []tls.Certificate{operators.issue(t)}, change, path, nil, 200, "cn:an.nguyen"},
		{"a page in a browser that has the certificate", true, []authority{operators}, []tls.Certificate{operators.issue(t)}, change, path, []string{"Origin", "https://evil.example"}, 403, "nobody"},
		{"neither", true, []authority{operators}, nil, change, path, nil, 401, "nobody"},
		{"neither, no token configured", false, []authority{operators}, nil, change, path, nil, 403, "nobody"},
		{"token, none configured", false, []authority{operators}, nil, change, path, withToken, 403, "nobody"},
		{"nothing is configured", false, nil, nil, change, path, withToken, 403, "nobody"},
		{"certificate, no authorities", true, nil, []tls.Certificate{operators.issue(t)}, change, path, nil, 401, "nobody"},

		{"certificate of a server", true, []authority{operators}, []tls.Certificate{operators.issue(t, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})}, change, path, nil, 0, ""},
		{"certificate that ran out", true, []authority{operators}, []tls.Certificate{operators.issue(t, func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-time.Minute)
		})}, change, path, withToken, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			log, lines := logged()
			cfg := withKeys(&fakeKeys{n: 1}, log)
			if cfg.TLS = ca.files(t, tc.clients...); !tc.token {
				cfg.Token = nil
			}
			status, body, err := ask(t, serve(t, cfg), tc.method, tc.path, ca.client(tc.shown...), tc.fields...)
			if status != tc.status || (err != nil) != (tc.status == 0) {
				t.Errorf("%d %s, %v, want %d", status, body, err, tc.status)
			}
			if tc.by != "" && !strings.Contains(lines.String(), " by="+tc.by+" ") {
				t.Errorf("log %q, want by=%s", lines, tc.by)
			}
		})
	}
	// Clients leave out a certificate that no authority asked for has signed.
	t.Run("certificate of strangers", func(t *testing.T) {
		t.Parallel()
		cfg := withKeys(&fakeKeys{n: 1}, discard())
		cfg.TLS = ca.files(t, operators)
		stranger := strangers.issue(t)
		config := ca.client()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
		if status, body, err := ask(t, serve(t, cfg), change, path, config, withToken...); err == nil {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestTLSIsNotSpokenBelow12NorPlain(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cfg := withKeys(&fakeKeys{}, discard())
	cfg.TLS = ca.files(t)
	address := serve(t, cfg)
	old := ca.client()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if status, _, err := ask(t, address, "GET", "/livez", old); err == nil {
		t.Errorf("TLS 1.1: %d", status)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("plain: %d", response.StatusCode)
	}
}

func TestChangedCertificateIsShownAndAUselessOneChangesNothing(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	files := ca.files(t)
	log, lines := logged()
	c, err := newCertificates(files, log)
	if err != nil {
		t.Fatal(err)
	}
	serial := func(g *generation) int64 { return g.config.Certificates[0].Leaf.SerialNumber.Int64() }
	files.write(t, ca.issue(t, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(2) }))
	now := c.read
	if got := serial(c.latest(now.Add(rereadAfter - 1))); got != 0xbeef {
		t.Errorf("within the second: %d", got)
	}
	if now = now.Add(rereadAfter); serial(c.latest(now)) != 2 {
		t.Error("behind it: the old one")
	}
	lines.Reset()
	put(t, files.CertFile, ca.pem()) // of another key
	for range 3 {
		now = now.Add(rereadAfter)
		if got := serial(c.latest(now)); got != 2 {
			t.Errorf("useless: %d", got)
		}
	}
	if got := strings.Count(lines.String(), "level=WARN"); got != 1 || c.stats().Failures != 1 {
		t.Errorf("told %d times: %s", got, lines)
	}
	files.write(t, ca.issue(t, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(3) }))
	if now = now.Add(rereadAfter); serial(c.latest(now)) != 3 {
		t.Error("mended: the old one")
	}
	if want := c.current.Load().config.Certificates[0].Leaf.NotAfter; !c.stats().NotAfter.Equal(want) {
		t.Errorf("expires %v, want %v", c.stats().NotAfter, want)
	}
}

func TestCertificateCountsNoLongerThanItsAuthorityAndItself(t *testing.T) {
	t.Parallel()
	ca, operator, next := newAuthority(t), newAuthority(t), newAuthority(t)
	files := ca.files(t, operator)
	c, err := newCertificates(files, discard())
	if err != nil {
		t.Fatal(err)
	}
	who := newOperators(nil, c)
	leaf := operator.issue(t).Leaf
	// A connection of long ago.
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, operator.cert}}}
	now := c.read
	if name, ok := who.certified(state, now); !ok || name != "cn:an.nguyen" {
		t.Errorf("%q %v", name, ok)
	}
	if _, ok := who.certified(&tls.ConnectionState{PeerCertificates: state.PeerCertificates}, now); ok {
		t.Error("not verified by the handshake, and taken")
	}
	if _, ok := who.certified(state, leaf.NotAfter.Add(time.Second)); ok {
		t.Error("ran out, and taken")
	}
	put(t, files.ClientCAFile, next.pem())
	if _, ok := who.certified(state, leaf.NotAfter.Add(-time.Second)); ok {
		t.Error("its authority was withdrawn, and taken")
	}
}

func TestCertificateIsNamedSoThatItPassesForNoOther(t *testing.T) {
	t.Parallel()
	uri, err := url.Parse("spiffe://example/ops")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		cert x509.Certificate
		want string
	}{
		{x509.Certificate{Subject: pkix.Name{CommonName: "token"}, URIs: []*url.URL{uri}}, "cn:token"},
		{x509.Certificate{URIs: []*url.URL{uri}, DNSNames: []string{"a.example"}}, "uri:spiffe://example/ops"},
		{x509.Certificate{DNSNames: []string{"a.example"}, EmailAddresses: []string{"a@example"}}, "dns:a.example"},
		{x509.Certificate{EmailAddresses: []string{"a@example"}}, "email:a@example"},
		{x509.Certificate{SerialNumber: big.NewInt(0xbeef)}, "serial:beef"},
		{x509.Certificate{Subject: pkix.Name{CommonName: "a\nb\u202e"}}, "cn:a\ufffdb\ufffd"},
		{x509.Certificate{Subject: pkix.Name{CommonName: strings.Repeat("ă", 2*maxOperatorName)}}, "cn:" + strings.Repeat("ă", maxOperatorName-3)},
	} {
		if got := certificateName(&tc.cert); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestCheckSaysWhichFileIsOfNoUse(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for name, tc := range map[string]struct {
		spoil func(*TLS)
		want  error
		says  string
	}{
		"none is asked for":   {func(f *TLS) { *f = TLS{} }, nil, ""},
		"all are good":        {func(*TLS) {}, nil, ""},
		"no certificate":      {func(f *TLS) { f.CertFile = "" }, ErrCertificate, "both needed"},
		"no key":              {func(f *TLS) { f.KeyFile = "" }, ErrCertificate, "both needed"},
		"certificate missing": {func(f *TLS) { f.CertFile += "x" }, ErrCertificate, "cert.pemx"},
		"key missing":         {func(f *TLS) { f.KeyFile += "x" }, ErrCertificate, "key.pemx"},
		"no pair":             {func(f *TLS) { put(t, f.CertFile, ca.pem()) }, ErrCertificate, "cert.pem"},
		"no PEM":              {func(f *TLS) { put(t, f.CertFile, nil) }, ErrCertificate, "cert.pem"},
		"too long":            {func(f *TLS) { put(t, f.KeyFile, make([]byte, maxPEM+1)) }, ErrCertificate, "longer than"},
		"authorities missing": {func(f *TLS) { f.ClientCAFile += "x" }, ErrClientCA, "clients.pemx"},
		"no authority":        {func(f *TLS) { put(t, f.ClientCAFile, []byte("x")) }, ErrClientCA, "no certificate in it"},
		"authorities alone":   {func(f *TLS) { *f = TLS{ClientCAFile: f.ClientCAFile} }, ErrCertificate, "both needed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := ca.files(t, ca)
			tc.spoil(&files)
			err := files.Check()
			if !errors.Is(err, tc.want) || (err != nil) != (tc.want != nil) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.says)
			}
			cfg := withKeys(&fakeKeys{}, discard())
			cfg.TLS = files
			_, started := New(cfg)
			if (started != nil) != (tc.want != nil) {
				t.Errorf("New: %v", started)
			}
		})
	}
}
