//go:build !linux

package attack

// engines makes the engines of a run.
func (r *run) engines() ([]engine, string) { return []engine{newWorkers(r)}, kindGoroutines }
