package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// generation is what the files held at one time. It is immutable: a handshake
// that began with it ends with it.
type generation struct {
	pairs  []*tls.Certificate
	byName map[string][]*tls.Certificate
	roots  *x509.CertPool
	config *tls.Config
	// digests tell whether a file has changed: of each pair, and of the
	// authorities last.
	digests [][sha256.Size]byte
}

// load reads the files. Where one is of no use, what before has in its place
// stays, and the error says so; without a before there is no generation then.
func (t *TLS) load(before *generation) (*generation, error) {
	n := len(t.Certificates)
	g := &generation{pairs: make([]*tls.Certificate, n), digests: make([][sha256.Size]byte, n+1)}
	var faults []error
	for i, files := range t.Certificates {
		pair, digest, err := loadPair(files)
		if err != nil {
			faults = append(faults, fmt.Errorf("%w: certificates[%d]: %w", ErrCertificate, i, err))
			if before != nil {
				pair, digest = before.pairs[i], before.digests[i]
			}
		}
		g.pairs[i], g.digests[i] = pair, digest
	}
	if t.ClientAuth != NoClientCertificate {
		roots, digest, err := loadRoots(t.ClientCAFile)
		if err != nil {
			faults = append(faults, fmt.Errorf("%w: %w", ErrClientCA, err))
			if before != nil {
				roots, digest = before.roots, before.digests[n]
			}
		}
		g.roots, g.digests[n] = roots, digest
	}
	if err := errors.Join(faults...); err != nil && before == nil {
		return nil, err
	}
	g.index()
	g.config = &tls.Config{
		GetCertificate: g.choose,
		MinVersion:     t.MinVersion,
		NextProtos:     []string{"http/1.1"},
		ClientAuth:     clientAuthTypes[t.ClientAuth],
		ClientCAs:      g.roots,
	}
	return g, errors.Join(faults...)
}

// maxPEM bounds a file of certificates or a key.
const maxPEM = 1 << 20

func readPEM(name string) ([]byte, error) {
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

func loadPair(files CertificateFiles) (*tls.Certificate, [sha256.Size]byte, error) {
	cert, err := readPEM(files.Cert)
	if err != nil {
		return nil, [sha256.Size]byte{}, err
	}
	key, err := readPEM(files.Key)
	if err != nil {
		return nil, [sha256.Size]byte{}, err
	}
	pair, err := tls.X509KeyPair(cert, key) // sets Leaf, and compares the keys
	if err != nil {
		return nil, [sha256.Size]byte{}, fmt.Errorf("%s, %s: %w", files.Cert, files.Key, err)
	}
	h := sha256.New()
	h.Write(cert)
	h.Write(key)
	return &pair, [sha256.Size]byte(h.Sum(nil)), nil
}

func loadRoots(name string) (*x509.CertPool, [sha256.Size]byte, error) {
	data, err := readPEM(name)
	if err != nil {
		return nil, [sha256.Size]byte{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, [sha256.Size]byte{}, fmt.Errorf("%s: no certificate in it", name)
	}
	return roots, sha256.Sum256(data), nil
}

func (g *generation) index() {
	g.byName = make(map[string][]*tls.Certificate)
	for _, pair := range g.pairs {
		for _, name := range pair.Leaf.DNSNames {
			name = strings.ToLower(name)
			g.byName[name] = append(g.byName[name], pair)
		}
	}
}

// choose implements tls.Config.GetCertificate.
func (g *generation) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	candidates := g.byName[name]
	if len(candidates) == 0 {
		// RFC 9525 section 6.3: a wildcard stands for the leftmost label whole.
		if _, parent, found := strings.Cut(name, "."); found {
			candidates = g.byName["*."+parent]
		}
	}
	if len(candidates) == 0 {
		candidates = g.pairs
	}
	for _, pair := range candidates {
		if hello.SupportsCertificate(pair) == nil {
			return pair, nil
		}
	}
	return candidates[0], nil
}

// notAfter returns when each certificate expires.
func (g *generation) notAfter() []time.Time {
	times := make([]time.Time, len(g.pairs))
	for i, pair := range g.pairs {
		times[i] = pair.Leaf.NotAfter
	}
	return times
}
