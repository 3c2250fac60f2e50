package upstream

// Idle counts the connections that are kept for another exchange.
func (g *Group) Idle() int64 {
	n := 0
	for _, p := range *g.pools.Load() {
		for i := range p.shards {
			s := &p.shards[i]
			s.mu.Lock()
			n += len(s.idle)
			s.mu.Unlock()
		}
	}
	return int64(n)
}

// Open counts all connections.
func (g *Group) Open() int64 {
	n := int64(0)
	for _, s := range g.Stats() {
		n += s.Open
	}
	return n
}

// Age makes every idle connection look as if it had been kept for longer than
// is allowed.
func (g *Group) Age() {
	for _, p := range *g.pools.Load() {
		for i := range p.shards {
			s := &p.shards[i]
			s.mu.Lock()
			for j := range s.idle {
				s.idle[j].since = s.idle[j].since.Add(-2 * idleTimeout)
			}
			s.mu.Unlock()
		}
	}
}
