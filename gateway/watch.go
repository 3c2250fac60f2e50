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
	w := watcher{applied: stamps(g.watched())}
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
		names := g.watched()
		if seen := stamps(names); w.settled(time.Now(), seen) {
			_ = g.Reload("file changed") // it is logged, and counted
			w.follow(names, seen, g.watched())
		}
	}
}

// follow goes on with the files of another configuration. One that was watched
// before may have changed while it was read: what counts is what was seen then.
func (w *watcher) follow(names []string, seen []stamp, next []string) {
	w.applied = stamps(next)
	for i, name := range next {
		if at := slices.Index(names, name); at >= 0 {
			w.applied[i] = seen[at]
		}
	}
}

// watched names the configuration file and what the configuration in force
// names.
func (g *Gateway) watched() []string {
	return append([]string{g.file}, g.state.Load().cfg.Files()...)
}

func stamps(names []string) []stamp {
	list := make([]stamp, len(names))
	for i, name := range names {
		list[i].info, _ = os.Stat(name)
	}
	return list
}
