package plan

import (
	"math"
	"math/rand/v2"
)

// tokens are those in use. Each arrival is, with the probability of one use in all of a token's, the first of a new
// one, and else one of a token drawn from those in use: so arrivals know nothing of each other.
type tokens struct {
	fresh     float64 // probability that a request is a token's first
	uses      float64
	homes     int // replicas that a token is bound to; 0 where each request is dealt anew
	forgotten float64
	replicas  int // all of them, lost ones included
	words     int // of a set of them
	live      []liveToken
}

// liveToken is a token in use.
type liveToken struct {
	left int
	seen []uint64 // set of the replicas that have verified it
	home []uint16
}

func newTokens(w *World, draw *rand.Rand) *tokens {
	t := &tokens{uses: math.Max(w.UsesPerToken, 1), forgotten: w.ForgottenShare, replicas: w.Zones * w.ReplicasPerZone}
	t.fresh, t.words = 1/t.uses, (t.replicas+63)/64
	if w.Draws < t.uses {
		t.homes = max(int(math.Round(w.Draws)), 1)
	}
	if t.uses <= 1 {
		return t
	}
	// Those that are in use at the start have some of their uses behind them, at replicas that know them.
	for range w.LiveTokens {
		token := t.mint(0, t.replicas, draw)
		for range 1 + draw.IntN(max(token.left, 1)) {
			token.see(t.deal(&token, 0, t.replicas, draw))
			token.left--
		}
		if token.left > 0 {
			t.live = append(t.live, token)
		}
	}
	return t
}

// mint makes a token with all its uses before it, for replicas first to first+count.
func (t *tokens) mint(first, count int, draw *rand.Rand) liveToken {
	token := liveToken{left: int(t.uses), seen: make([]uint64, t.words)}
	if draw.Float64() < t.uses-math.Trunc(t.uses) {
		token.left++
	}
	for range t.homes {
		token.home = append(token.home, uint16(first+draw.IntN(count))) //nolint:gosec // MaxReplicas is less
	}
	return token
}

// deal picks one of the replicas for a request.
func (t *tokens) deal(token *liveToken, first, count int, draw *rand.Rand) int {
	if len(token.home) > 0 {
		return int(token.home[draw.IntN(len(token.home))])
	}
	return first + draw.IntN(count)
}

func (token *liveToken) knows(replica int) bool {
	return token.seen[replica/64]&(1<<(replica%64)) != 0
}

func (token *liveToken) see(replica int) { token.seen[replica/64] |= 1 << (replica % 64) }

// next is the next request: the replica that gets it, and whether the token has to be verified there.
func (t *tokens) next(f *floor, draw *rand.Rand) (replica int, cold bool) {
	if t.uses <= 1 {
		return f.choose(draw), true
	}
	if len(t.live) == 0 || draw.Float64() < t.fresh {
		token := t.mint(f.first, f.alive(), draw)
		replica = t.pick(&token, f, draw)
		token.see(replica)
		if token.left--; token.left > 0 {
			t.live = append(t.live, token)
		}
		return replica, true
	}
	i := draw.IntN(len(t.live))
	token := &t.live[i]
	replica = t.pick(token, f, draw)
	cold = !token.knows(replica) || t.forgotten > 0 && draw.Float64() < t.forgotten
	token.see(replica)
	if token.left--; token.left <= 0 {
		last := len(t.live) - 1
		t.live[i] = t.live[last]
		t.live = t.live[:last]
	}
	return replica, cold
}

func (t *tokens) pick(token *liveToken, f *floor, draw *rand.Rand) int {
	if len(token.home) > 0 {
		return t.deal(token, f.first, f.alive(), draw)
	}
	return f.choose(draw)
}

// lose moves what was bound to the first replicas, so many of them, to others.
func (t *tokens) lose(gone int, draw *rand.Rand) {
	for i := range t.live {
		for j, home := range t.live[i].home {
			if int(home) < gone {
				t.live[i].home[j] = uint16(gone + draw.IntN(t.replicas-gone)) //nolint:gosec // as above
			}
		}
	}
}
