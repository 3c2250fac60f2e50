package identity

import (
	"errors"
	"time"
)

// Restore begins with the last good key set of an earlier run, where there is
// one that is not as old as the hard limit, and with what was purged then. It
// is called before Run. Whatever is wrong with the store is logged: the gateway
// then starts without it, and waits for the backend.
func (r *Refresher) Restore(now time.Time) {
	if r.cfg.Store == nil {
		return
	}
	unused := func(why string, more ...any) {
		r.cfg.Log.Warn("stored key set not used", append([]any{"issuer", r.cfg.Issuer, "error", why}, more...)...)
	}
	restored, err := r.cfg.Store.Load(now)
	// Whatever its age: a purge ends by being allowed.
	r.cfg.Keys.Remember(restored.Purged)
	if err != nil {
		unused(err.Error(), "purges", len(restored.Purged))
		return
	}
	if restored.Document == nil {
		return
	}
	at := restored.FetchedAt
	if at.After(now) {
		at = now // Clocks differ; no set is younger than new.
	}
	age := now.Sub(at)
	if age >= r.cfg.HardStale {
		unused("older than hard_stale", "age", age.String())
		return
	}
	if _, _, err := r.install(restored.Document, at); err != nil {
		unused(err.Error())
		return
	}
	r.cfg.Log.Info("key set restored", "issuer", r.cfg.Issuer, "age", age.String())
}

// ErrNotKept means that a purge is in force, and that a restart would forget
// it: there is no store, or it could not be written.
var ErrNotKept = errors.New("identity: not kept over a restart")

// save writes the current set and what is purged, each as it is by then:
// whichever save comes last has the last word. It waits for no fetch. Keys that
// cannot be written are used all the same.
func (r *Refresher) save() error {
	if r.cfg.Store == nil {
		return ErrNotKept
	}
	r.saving.Lock()
	defer r.saving.Unlock()
	if err := r.cfg.Store.Save(r.cfg.Keys.Snapshot(), r.cfg.Keys.Purged()); err != nil {
		r.stats.unsaved.Add(1)
		r.cfg.Log.Warn("key set not stored", "issuer", r.cfg.Issuer, "error", err.Error())
		return ErrNotKept
	}
	return nil
}

// Purge takes the keys called kid out of use at once, with every verdict that
// rests on them, and keeps them out until they are allowed. It returns how many
// keys that were; with ErrNotKept a restart would bring them back. Where no more
// purges can be remembered the error is cache.ErrPurgesFull, and nothing changed.
func (r *Refresher) Purge(kid string, now time.Time) (int, error) {
	n, err := r.cfg.Keys.Purge(kid, now)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, r.save()
}

// Allow ends a purge: the next fetch may bring the keys back. It returns how
// many purges there were; with ErrNotKept a restart would purge them again.
func (r *Refresher) Allow(kid string) (int, error) {
	n := r.cfg.Keys.Allow(kid)
	if n == 0 || r.cfg.Store == nil {
		return n, nil
	}
	return n, r.save()
}
