package gateway

import "sync/atomic"

// userStripes spreads the count of a state's users, so that no cache line is
// written by all requests.
const userStripes = 32

// users counts the handlers that use a state: what a reload leaves behind is
// closed when the last one has returned. A streamed response needs nothing of
// it any more.
type users [userStripes]struct {
	n atomic.Int64
	_ [56]byte // a cache line of its own
}

func (u *users) enter(connection uint64) { u[connection%userStripes].n.Add(1) }
func (u *users) leave(connection uint64) { u[connection%userStripes].n.Add(-1) }

// gone reports that nobody uses the state. It is asked after the state was
// replaced: nobody new comes then but who leaves at once.
func (u *users) gone() bool {
	for i := range u {
		if u[i].n.Load() != 0 {
			return false
		}
	}
	return true
}

// enter takes the state that is in force for the handler of one request, which
// gives it up by leave.
func (g *Gateway) enter(connection uint64) *state {
	for {
		st := g.state.Load()
		st.users.enter(connection)
		// It may have been replaced before it was entered.
		if g.state.Load() == st {
			return st
		}
		st.users.leave(connection)
	}
}
