package population

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/go-json-experiment/json"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// Bounds of a corpus that is read.
const (
	MaxManifestBytes = 4 << 20
	MaxIssuers       = 16
)

// Corpus is one that was opened. It is immutable and safe for concurrent use.
type Corpus struct {
	// Manifest says what it holds; leave it as it is.
	Manifest Manifest

	dir string
}

// Open reads the manifest of the corpus in a directory. Errors wrap [ErrCorpus],
// or are the system's.
func Open(dir string) (*Corpus, error) {
	raw, err := readFile(filepath.Join(dir, ManifestFile), MaxManifestBytes)
	if err != nil {
		return nil, err
	}
	c := &Corpus{dir: dir}
	if err := json.Unmarshal(raw, &c.Manifest, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorpus, ManifestFile, err)
	}
	if err := c.Manifest.check(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorpus, ManifestFile, err)
	}
	return c, nil
}

// Dir is the directory of the corpus.
func (c *Corpus) Dir() string { return c.dir }

// MemoryBytes is about what the requests take in memory; see [Corpus.Source].
func (c *Corpus) MemoryBytes() int64 { return c.Manifest.leastBytes() + c.Manifest.RequestsBytes }

// Fresh says whether the tokens that must pass still do at a time; the error
// wraps [ErrExpired].
func (c *Corpus) Fresh(at time.Time) error {
	if left := c.Manifest.ExpiresAt.Sub(at); left <= 0 {
		return fmt.Errorf("%w: its tokens are valid until %s: mint another with vneid-bench tokens",
			ErrExpired, c.Manifest.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

// leastBytes is what the requests take besides their text.
func (m *Manifest) leastBytes() int64 {
	return (m.Pools.Warm+m.Pools.Cold)*int64(unsafe.Sizeof(attack.Request{})) + m.Pools.Warm*int64(unsafe.Sizeof(float64(0)))
}

// check refuses a manifest that nothing can be done with.
func (m *Manifest) check() error {
	switch {
	case m.Format != Format:
		return fmt.Errorf("format %q, want %q", m.Format, Format)
	case m.Pools.Warm < 0 || m.Pools.Cold < 0 || m.Pools.Warm > MaxPool || m.Pools.Cold > MaxPool || m.Pools.Warm+m.Pools.Cold == 0:
		return fmt.Errorf("pools must be 0 to %d, and not both 0", MaxPool)
	case len(m.Issuers) > MaxIssuers || len(m.Sites) > MaxSites:
		return fmt.Errorf("at most %d issuers and %d sites", MaxIssuers, MaxSites)
	}
	return nil
}

// Lines reads the requests one by one: warm ones, most popular first, then cold
// ones. It ends with the first error, which names the line and wraps [ErrCorpus].
func (c *Corpus) Lines() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		file, err := os.Open(filepath.Join(c.dir, RequestsFile))
		if err != nil {
			yield(Line{}, err)
			return
		}
		defer file.Close()
		for line, err := range readLines(file, c.Manifest.Pools) {
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// readLines reads as many lines as pools has.
func readLines(from io.Reader, pools Pools) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		lines := bufio.NewScanner(from)
		lines.Buffer(make([]byte, 0, 4<<10), MaxLineBytes+1)
		n := int64(0)
		fail := func(err error) { yield(Line{}, fmt.Errorf("%s:%d: %w", RequestsFile, n+1, err)) }
		for ; lines.Scan(); n++ {
			l, err := ParseLine(lines.Bytes())
			switch {
			case err != nil:
				fail(err)
				return
			case (l.Pool == Warm) != (n < pools.Warm) || n >= pools.Warm+pools.Cold:
				fail(fmt.Errorf("%w: the manifest has %d warm requests and then %d cold ones", ErrCorpus, pools.Warm, pools.Cold))
				return
			}
			if !yield(l, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			fail(fmt.Errorf("%w: longer than %d bytes", ErrCorpus, MaxLineBytes))
		case err != nil:
			fail(err)
		case n != pools.Warm+pools.Cold:
			fail(fmt.Errorf("%w: it ends here, and the manifest has %d requests", ErrCorpus, pools.Warm+pools.Cold))
		}
	}
}

// readFile reads a file of a bounded size.
func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%w: %s: longer than %d bytes", ErrCorpus, filepath.Base(name), limit)
	}
	return raw, err
}
