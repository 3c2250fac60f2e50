package attack

// engines makes the engines of a run: TLS needs crypto/tls, which needs
// goroutines.
func (r *run) engines() ([]engine, string) {
	if r.TLS != nil {
		return []engine{newWorkers(r)}, kindGoroutines
	}
	all := make([]engine, r.Threads)
	for i := range all {
		all[i] = newLoop(r, i)
	}
	return all, kindEpoll
}
