package limit

// Verdict is what a trial says.
type Verdict uint8

// The verdicts.
const (
	// Kept: the objective was kept.
	Kept Verdict = iota
	// Broken: it was not.
	Broken
	// Unclaimed: the generator was the bottleneck, and the trial says nothing.
	Unclaimed
)

// Ended says why a search ended. It is a closed set.
type Ended string

// Why a search ends.
const (
	// EndedFound: both ends of the interval are proven.
	EndedFound Ended = "found"
	// EndedCeiling: the highest rate that may be asked for keeps the objective.
	EndedCeiling Ended = "ceiling"
	// EndedGenerator: the highest rate that the generator can make keeps the
	// objective.
	EndedGenerator Ended = "generator"
	// EndedFloor: the lowest rate that may be asked for does not keep it.
	EndedFloor Ended = "floor"
	// EndedTrials: there were as many trials as there may be.
	EndedTrials Ended = "trials"
	// EndedTime: there is no time for another trial.
	EndedTime Ended = "time"
	// EndedGone: the target could not be reached, or looked at, any more.
	EndedGone Ended = "target_gone"
	// EndedExhausted: there were no more requests to send.
	EndedExhausted Ended = "requests_used_up"
	// EndedInterrupted: whoever asked for it ended it.
	EndedInterrupted Ended = "interrupted"
	// EndedFailed: a trial failed, and not for the target's sake.
	EndedFailed Ended = "failed"
)
