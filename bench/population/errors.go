package population

import "errors"

var (
	// ErrConfig is a [Config] that nothing can be minted of; the error names the
	// field and what is allowed.
	ErrConfig = errors.New("population cannot be minted")
	// ErrCorpus is a directory that holds no corpus, or a broken one; the error
	// names file and line.
	ErrCorpus = errors.New("not a corpus")
	// ErrExpired is a corpus whose tokens expire before they would have been sent.
	ErrExpired = errors.New("corpus is too old")
	// ErrMemory is a corpus that takes more memory than it may.
	ErrMemory = errors.New("corpus takes too much memory")
	// ErrCold is a load that needs more cold tokens than the corpus has.
	ErrCold = errors.New("too few cold tokens")
)
