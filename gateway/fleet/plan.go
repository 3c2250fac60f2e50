package fleet

// Cause is why a node and the state in Redis were compared in full, from a closed set: fit for metric labels.
type Cause int

// The causes.
const (
	// CauseNone is no full comparison.
	CauseNone Cause = iota
	// CauseNew is a node without a position: new, or its position or outbox was damaged. It reads and offers everything.
	CauseNew
	// CauseEpoch is a Redis that lost its data. The node reads and offers everything.
	CauseEpoch
	// CauseLost is a Redis that lost the last of its entries, as after a power cut or a failover. The node reads and
	// offers everything.
	CauseLost
	// CauseRestart is a node and a Redis that both started anew: the entries that this node appended last may be gone
	// without its knowing. It offers everything.
	CauseRestart
	// CauseGap is a stream that no longer has what comes after the position: the node was away for longer than the
	// stream remembers. It reads everything.
	CauseGap
	// CauseDamaged is an entry that could not be read. The node reads everything.
	CauseDamaged

	// NumCauses is the number of causes.
	NumCauses
)

var causeNames = [NumCauses]string{"none", "new", "epoch", "lost", "restart", "gap", "damaged"}

// String returns the cause's name.
func (c Cause) String() string {
	if c < 0 || c >= NumCauses {
		return causeNames[CauseNone]
	}
	return causeNames[c]
}

// Causes returns all causes but CauseNone, in their order.
func Causes() []Cause {
	all := make([]Cause, 0, NumCauses-1)
	for c := CauseNew; c < NumCauses; c++ {
		all = append(all, c)
	}
	return all
}

// position is how far a node has come: everything up to at is applied here, and in that epoch everything that it held
// has been offered. The zero position is none.
type position struct {
	epoch string
	life  generation
	at    mark
}

// found is what a node finds when it connects.
type found struct {
	epoch string
	life  generation
	end   mark
	// first says that the process has not been connected before.
	first bool
	// anchored says that the latest entry that this node knows of, its own included, is on the stream. What is there
	// was there in that order, so then all that it ever knew of is. It is of no account where the generation is the same.
	anchored bool
}

// plan is what a node does before it follows.
type plan struct {
	read, offer bool
	cause       Cause
}

// decide tells what has to be compared so that nothing that was ever acknowledged is missing here or in Redis.
func decide(p position, f found) plan {
	switch {
	case p.epoch == "":
		return plan{read: true, offer: true, cause: CauseNew}
	case p.epoch != f.epoch:
		return plan{read: true, offer: true, cause: CauseEpoch}
	case p.at.seq > f.end.seq:
		return plan{read: true, offer: true, cause: CauseLost}
	case p.life == f.life:
		return plan{}
	case !f.anchored:
		return plan{read: true, offer: true, cause: CauseLost}
	case f.first:
		return plan{offer: true, cause: CauseRestart}
	}
	return plan{}
}
