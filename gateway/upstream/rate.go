package upstream

import "time"

// Rate is the least rate at which a peer has to move a body. The zero value
// asks for none.
type Rate struct {
	// BytesPerSecond is the least mean; 0 is none.
	BytesPerSecond int64
	// Grace is over how much waiting the mean is taken: a body that is done
	// within it may be as slow as it likes. At least a millisecond where there is
	// a rate.
	Grace time.Duration
}

// pace holds a peer to a Rate. Only the time spent waiting for the peer counts,
// so that nobody is blamed for the slowness of the other side.
//
// The waiting is cut into windows: one ends with the first byte that comes after
// Grace of waiting, and has to have brought
//
//	bytes >= BytesPerSecond * waited
//
// where bytes moved and waited went by since the window began. What was quick in
// one window is no credit in the next, so a peer that falls to a drip is found
// out within the window in which it does and one more.
type pace struct {
	rate   Rate
	bytes  int64
	waited time.Duration
}

// patience returns how long the next wait may last until it is certain to be too
// slow, at most limit.
func (p *pace) patience(limit time.Duration) time.Duration {
	if p.rate.BytesPerSecond <= 0 {
		return limit
	}
	earned := p.worth()
	return min(limit, max(earned, p.rate.Grace)-p.waited)
}

// moved notes that n bytes moved after a wait of d. It reports false where that
// was too slow.
func (p *pace) moved(n int, d time.Duration) bool {
	if p.rate.BytesPerSecond <= 0 {
		return true
	}
	p.bytes += int64(n)
	p.waited += max(d, 0)
	if p.waited < p.rate.Grace {
		return true
	}
	enough := p.waited <= p.worth()
	p.bytes, p.waited = 0, 0
	return enough
}

// worth is how long what moved in this window may have taken.
func (p *pace) worth() time.Duration {
	const most = time.Duration(1<<63 - 1)
	seconds, rest := p.bytes/p.rate.BytesPerSecond, p.bytes%p.rate.BytesPerSecond
	if seconds >= int64(most/time.Second) {
		return most
	}
	return time.Duration(seconds)*time.Second +
		time.Duration(float64(rest)/float64(p.rate.BytesPerSecond)*float64(time.Second))
}
