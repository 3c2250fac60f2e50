package gateway

import (
	"os"
	"slices"
	"time"
)

const (
	// watchTick is how often the configuration's files are looked at.
	watchTick = time.Second
	// settleTime is how long they must have stayed the same: whoever writes
	// one is not read half-way.
	settleTime = 2 * time.Second
)

// stamp tells one version of a file from another without reading it.
type stamp struct {
	info os.FileInfo // nil: it is not there
}

func (s stamp) equal(o stamp) bool {
	switch {
	case s.info == nil || o.info == nil:
		return s.info == nil && o.info == nil
	case !os.SameFile(s.info, o.info):
		return false
	}
	return s.info.Size() == o.info.Size() && s.info.ModTime().Equal(o.info.ModTime())
}

// watcher decides when files that changed have settled.
type watcher struct {
	applied []stamp   // as of the last reload
	pending []stamp   // as last seen, where that is something else
	since   time.Time // when pending was first seen
}

// settled takes what the files are now and reports whether they changed and then
// stayed the same for settleTime.
func (w *watcher) settled(now time.Time, files []stamp) bool {
	switch {
	case slices.EqualFunc(files, w.applied, stamp.equal):
		w.pending = nil
		return false
	case w.pending == nil || !slices.EqualFunc(files, w.pending, stamp.equal):
		w.pending, w.since = files, now
		return false
	case now.Sub(w.since) < settleTime:
		return false
	}
	w.applied, w.pending = files, nil
	return true
}

// watch reloads when the configuration, or what it names, has changed on disk,
// as long as the configuration in force says so.
func (g *Gateway) watch() {
	w := watcher{applied: g.stamps()}
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-g.base.Done():
			return
		case <-tick.C:
		}
		if !g.state.Load().cfg.Reload.Watch || g.draining.Load() {
			continue
		}
		if w.settled(time.Now(), g.stamps()) {
			_ = g.Reload("file changed") // it is logged, and counted
			// Another configuration names other files.
			w.applied = g.stamps()
		}
	}
}

// stamps looks at the configuration file and what the configuration in force
// names.
func (g *Gateway) stamps() []stamp {
	names := append([]string{g.file}, g.state.Load().cfg.Files()...)
	list := make([]stamp, len(names))
	for i, name := range names {
		list[i].info, _ = os.Stat(name)
	}
	return list
}
