package stand

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// maxRevoked bounds the tokens that a corpus says are revoked.
const maxRevoked = 1_000_000

// Controls returns where the issuers of a corpus take orders, by the names that they have in its manifest, when the first
// of them is reached at base, "http://host:port": the others are below it.
func Controls(corpus *population.Corpus, base string) (map[string]Control, error) {
	controls := map[string]Control{}
	for _, issuer := range corpus.Manifest.Issuers {
		u, err := url.Parse(issuer.URL)
		if err != nil {
			return nil, fmt.Errorf("%w: issuer %s: %w", population.ErrCorpus, issuer.Name, err)
		}
		controls[issuer.Name] = Control{URL: strings.TrimSuffix(base, "/") + strings.TrimSuffix(u.Path, "/")}
	}
	return controls, nil
}

// Revoked reads what a corpus says is revoked.
func Revoked(corpus *population.Corpus) ([]Revocation, error) {
	file, err := os.Open(filepath.Join(corpus.Dir(), population.RevokedFile))
	if errors.Is(err, fs.ErrNotExist) || len(corpus.Manifest.Issuers) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var revoked []Revocation
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if len(revoked) == maxRevoked {
			return nil, fmt.Errorf("%w: %s: more than %d lines", population.ErrCorpus, population.RevokedFile, maxRevoked)
		}
		if id := strings.TrimSpace(lines.Text()); id != "" {
			revoked = append(revoked, Revocation{Issuer: corpus.Manifest.Issuers[0].URL, ID: id})
		}
	}
	return revoked, lines.Err()
}

// startIssuers serves what the corpus' tokens are verified with, where its tokens say.
func (s *Stand) startIssuers(ctx context.Context) (err error) {
	s.issuers, err = population.ServeIssuers(ctx, s.config.Corpus, population.IssuersConfig{Control: true, CacheControl: s.config.CacheControl})
	if err != nil {
		return fmt.Errorf("starting the issuers: %w", err)
	}
	s.controls, err = Controls(s.corpus, s.issuers.URL())
	return err
}

// revokeCorpus revokes what the corpus says is revoked.
func (s *Stand) revokeCorpus(ctx context.Context) error {
	revoked, err := Revoked(s.corpus)
	if err != nil || len(revoked) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Patience)
	defer cancel()
	return s.Revoke(ctx, revoked...)
}
