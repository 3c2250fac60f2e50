package admin

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLS names the files of the listener's certificate and of whom it believes, all
// in PEM and at most 1 MiB each. Versions 1.2 and 1.3 are spoken, and HTTP/1.1.
type TLS struct {
	// CertFile holds the certificate, and behind it those between it and a
	// root; KeyFile its private key, not encrypted. Required.
	CertFile, KeyFile string
	// ClientCAFile holds the authorities whose client certificates let changes
	// through. Optional: without it none is asked for.
	ClientCAFile string
}

// Check reads the files and returns what is wrong with them, ErrCertificate or
// ErrClientCA; nil for the zero TLS.
func (t TLS) Check() error {
	if t == (TLS{}) {
		return nil
	}
	_, err := t.read()
	return err
}

// maxPEM bounds a file.
const maxPEM = 1 << 20

// generation is what the files held at one time. It is immutable.
type generation struct {
	config   *tls.Config
	notAfter time.Time
	roots    *x509.CertPool // nil: no client is asked for a certificate
	digest   [sha256.Size]byte
}

func (t TLS) read() (*generation, error) {
	cert, err := readPEM(t.CertFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	key, err := readPEM(t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	pair, err := tls.X509KeyPair(cert, key) // sets Leaf, and compares the keys
	if err != nil {
		return nil, fmt.Errorf("%w: %s, %s: %w", ErrCertificate, t.CertFile, t.KeyFile, err)
	}
	g := &generation{notAfter: pair.Leaf.NotAfter, config: &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		// Every handshake shows the certificates anew.
		SessionTicketsDisabled: true,
	}}
	var authorities []byte
	if t.ClientCAFile != "" {
		if authorities, err = readPEM(t.ClientCAFile); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrClientCA, err)
		}
		g.roots = x509.NewCertPool()
		if !g.roots.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("%w: %s: no certificate in it", ErrClientCA, t.ClientCAFile)
		}
		// Probes and scrapers have none; who shows one must be good.
		g.config.ClientAuth, g.config.ClientCAs = tls.VerifyClientCertIfGiven, g.roots
	}
	for _, part := range [][]byte{cert, key, authorities} {
		sum := sha256.Sum256(part)
		g.digest = sha256.Sum256(append(g.digest[:], sum[:]...))
	}
	return g, nil
}

func readPEM(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("cert_file and key_file are both needed")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = fmt.Errorf("%s: longer than %d bytes", name, maxPEM)
	}
	return data, err
}

// rereadAfter is how old what was read may be when it is used.
const rereadAfter = time.Second

// certificates follows the files: what is used was read at most rereadAfter ago.
// A handshake reads them, and no goroutine stands by: an admin listener has few.
type certificates struct {
	files    TLS
	log      *slog.Logger
	current  atomic.Pointer[generation]
	failures atomic.Uint64

	mu    sync.Mutex
	read  time.Time // by mu
	fault string    // by mu: of the last reading
}

func newCertificates(files TLS, log *slog.Logger) (*certificates, error) {
	first, err := files.read()
	if err != nil {
		return nil, err
	}
	c := &certificates{files: files, log: log, read: time.Now()}
	c.current.Store(first)
	return c, nil
}

// listening returns what a listener begins a handshake with.
func (c *certificates) listening() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.latest(time.Now()).config, nil
		},
	}
}

// latest returns what the files hold. Where they are of no use what they held
// before stays in force, and the log says so once a fault. While one caller reads
// the others go on with what there is.
func (c *certificates) latest(now time.Time) *generation {
	if !c.mu.TryLock() {
		return c.current.Load()
	}
	defer c.mu.Unlock()
	before := c.current.Load()
	// A clock that was set back is no reason to wait.
	if age := now.Sub(c.read); age >= 0 && age < rereadAfter {
		return before
	}
	c.read = now
	next, err := c.files.read()
	switch {
	case err != nil:
		if fault := err.Error(); fault != c.fault {
			c.fault = fault
			c.failures.Add(1)
			c.log.Warn("admin certificates: what was in force stays", slog.Any("error", err))
		}
		return before
	case next.digest == before.digest:
		c.fault = ""
		return before
	}
	c.fault = ""
	c.current.Store(next)
	c.log.Info("admin certificates read anew", slog.Time("not_after", next.notAfter))
	return next
}

func (c *certificates) stats() Stats {
	return Stats{NotAfter: c.current.Load().notAfter, Failures: c.failures.Load()}
}
