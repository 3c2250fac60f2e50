package population

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// batch is how many requests a worker makes at a time.
const batch = 64

// Mint writes a corpus into a directory, which is made, for nobody else to look
// into, where it does not exist. It
// uses every processor, and holds no more than some requests for each in memory,
// and the opaque tokens. Errors wrap [ErrConfig], or are the system's or that of
// ctx; then no corpus is left.
func Mint(ctx context.Context, dir string, config Config) (*Corpus, error) {
	now := time.Now
	if config.Now != nil {
		now = config.Now
	}
	created := now().UTC().Truncate(time.Second)
	c, err := config.complete(created)
	if err != nil {
		return nil, err
	}
	if err := prepare(dir, c.Replace); err != nil {
		return nil, err
	}
	m, err := newMinter(&c, created)
	if err != nil {
		return nil, err
	}
	s := &scribe{minter: m, dir: dir}
	if err := s.write(ctx); err != nil {
		return nil, errors.Join(err, clean(dir))
	}
	return Open(dir)
}

// files are those of a corpus; the manifest is the last to be written and the
// first to go, so that a directory without it is none.
var files = [...]string{ManifestFile, RequestsFile, IssuerFile, GatewayFile, RevokedFile, AdminToken, ClientSecret} //nolint:gochecknoglobals // a constant, if Go had them

// prepare makes room for a corpus.
func prepare(dir string, replace bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range files {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil && !replace {
			return fmt.Errorf("%w: %s has a file %s already: name another directory, or let it be replaced", ErrConfig, dir, name)
		}
	}
	return clean(dir)
}

// clean removes the files of a corpus.
func clean(dir string) error {
	for _, name := range files {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// scribe writes a corpus down. Its methods but work are for one goroutine.
type scribe struct {
	*minter

	dir        string
	requests   *file
	revoked    *file
	opaque     []opaqueAccount
	classes    map[Class]*ClassCount
	weights    map[Class]float64 // of warm requests
	algorithms []int64
	sizes      []int64
}

// write writes all files, the manifest last.
func (s *scribe) write(ctx context.Context) error {
	s.classes, s.weights = map[Class]*ClassCount{}, map[Class]float64{}
	s.algorithms, s.sizes = make([]int64, len(s.config.Algorithms)), make([]int64, len(s.config.Sizes))
	for _, p := range s.config.Classes {
		s.classes[p.Of] = &ClassCount{Class: p.Of}
	}
	var err error
	if s.requests, err = create(filepath.Join(s.dir, RequestsFile)); err != nil {
		return err
	}
	if s.revoked, err = create(filepath.Join(s.dir, RevokedFile)); err != nil {
		return errors.Join(err, s.requests.close())
	}
	err = s.writeRequests(ctx)
	if err := errors.Join(err, s.requests.close(), s.revoked.close()); err != nil {
		return err
	}
	secret, err := s.writeSecrets()
	if err != nil {
		return err
	}
	m := s.manifest()
	if err := s.writeGateway(m, secret); err != nil {
		return err
	}
	raw, err := json.Marshal(m, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, ManifestFile), append(raw, '\n'), 0o644) //nolint:gosec // it holds no secret
}

// job is some requests of a pool, in their order.
type job struct {
	pool   Pool
	drafts []draft
	weight []float64
	done   chan struct{} // closed when the rest is there
	made   []minted
	lines  []byte
	err    error
}

// writeRequests drafts in one goroutine, mints in many, and writes in the order of
// the drafts. The jobs that are under way are bounded.
func (s *scribe) writeRequests(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	todo, ordered := make(chan *job, workers), make(chan *job, 4*workers)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		defer close(todo)
		defer close(ordered)
		for j := range s.jobs() {
			select {
			case ordered <- j:
			case <-ctx.Done():
				return
			}
			select {
			case todo <- j:
			case <-ctx.Done():
				return
			}
		}
	})
	for range workers {
		running.Go(func() {
			for j := range todo {
				s.work(j)
			}
		})
	}
	all, done := s.config.Warm+s.config.Cold, int64(0)
	for j := range ordered {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.take(j); err != nil {
			return err
		}
		if done += int64(len(j.made)); s.config.Progress != nil {
			s.config.Progress(done, all)
		}
	}
	return ctx.Err()
}

// jobs drafts all requests.
func (s *scribe) jobs() func(yield func(*job) bool) {
	return func(yield func(*job) bool) {
		for _, pool := range []struct {
			name Pool
			many int64
		}{{Warm, s.config.Warm}, {Cold, s.config.Cold}} {
			exponent := 0.0
			if pool.name == Warm {
				exponent = s.config.Reuse.ZipfExponent
			}
			total := 0.0
			for i := range pool.many {
				total += math.Pow(float64(i+1), -exponent)
			}
			d := newDrafter(s.config, pool.name, total)
			var j *job
			for i := range pool.many {
				weight := math.Pow(float64(i+1), -exponent)
				if j == nil {
					j = &job{pool: pool.name, done: make(chan struct{})}
				}
				j.drafts, j.weight = append(j.drafts, d.next(weight)), append(j.weight, weight)
				if len(j.drafts) == batch || i == pool.many-1 {
					if !yield(j) {
						return
					}
					j = nil
				}
			}
		}
	}
}

// work mints the requests of a job.
func (s *scribe) work(j *job) {
	defer close(j.done)
	for i := range j.drafts {
		made, err := s.mint(&j.drafts[i], j.pool)
		if err == nil {
			j.lines, err = AppendLine(j.lines, &made.line)
		}
		if err != nil {
			j.err = err
			return
		}
		j.made = append(j.made, made)
	}
}

// take writes and counts the requests of a job.
func (s *scribe) take(j *job) error {
	if j.err != nil {
		return j.err
	}
	for i := range j.made {
		d, made := &j.drafts[i], &j.made[i]
		count := s.classes[d.class]
		if j.pool == Warm {
			count.Warm++
			s.weights[d.class] += j.weight[i]
		} else {
			count.Cold++
		}
		if kind := d.class.trait().kind; kind == kindJWT || kind == kindLegacy {
			s.algorithms[d.algorithm]++
			s.sizes[d.size]++
		}
		if made.revoked != "" {
			s.revoked.writeString(made.revoked + "\n")
		}
		if made.opaque != nil {
			s.opaque = append(s.opaque, *made.opaque)
		}
	}
	s.requests.write(j.lines)
	return errors.Join(s.requests.err, s.revoked.err)
}

// writeSecrets writes what only the issuers know, and returns the secret by which
// the gateway introspects, "" where it does not.
func (s *scribe) writeSecrets() (secret string, err error) {
	keys := func(of []*corpus.Key) (all []secretKey) {
		for _, k := range of {
			all = append(all, secretKey{ID: k.ID(), Algorithm: k.Algorithm(), Private: string(k.PrivatePEM())})
		}
		return all
	}
	audience := s.config.Sites[0].Audience
	all := &secrets{Format: issuerFormat, Opaque: s.opaque, Issuers: []secretIssuer{
		{issuerVNeID, s.config.IssuerURL, audience, keys(s.vneid)},
		{issuerLegacy, s.config.IssuerURL + legacyPath, audience, keys(s.legacy)},
	}}
	if len(s.opaque) > 0 {
		secret = rand.Text()
		all.Secret = secret
		all.Issuers = append(all.Issuers, secretIssuer{issuerOpaque, s.config.IssuerURL + opaquePath, audience, []secretKey{}})
	}
	return secret, writeSecrets(s.dir, all)
}
