package identity

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// stage is where a refresher is in its life.
type stage uint8

const (
	inForce stage = iota // what is fetched is used and stored
	onTrial              // it is used, and stored from Commit on
	retired              // it is not used any more
)

// take installs and stores a document, as the stage has it.
func (r *Refresher) take(document []byte) (cache.Change, []token.SkippedKey, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.stage == retired {
		return cache.Change{}, nil, ErrRetired
	}
	change, skipped, err := r.install(document, time.Now())
	if err == nil && r.stage == inForce {
		_ = r.save() // it is counted, and logged
	}
	return change, skipped, err
}

// Try puts a new refresher on trial: it stores nothing before Commit, so that
// nothing is left of it where there is none.
func (r *Refresher) Try() {
	r.changing.Lock()
	defer r.changing.Unlock()
	r.stage = onTrial
}

// Commit ends a trial: what was fetched is stored.
func (r *Refresher) Commit() {
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.stage != onTrial {
		return
	}
	r.stage = inForce
	if !r.cfg.Keys.Snapshot().FetchedAt().IsZero() {
		_ = r.save() // it is counted, and logged
	}
}

func (r *Refresher) retired() bool {
	r.changing.Lock()
	defer r.changing.Unlock()
	return r.stage == retired
}

// Retire makes the refresher use and store nothing any more: a successor does,
// with the same keys or under the same name.
func (r *Refresher) Retire() {
	r.changing.Lock()
	defer r.changing.Unlock()
	r.stage = retired
}
