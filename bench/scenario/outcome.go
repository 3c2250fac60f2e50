package scenario

// What a run came to.
const (
	Passed   = "passed"    // Every check was passed, and the figures are the target's.
	Failed   = "failed"    // A check was not, or a verdict was wrong.
	NoResult = "no result" // The figures are not the target's, and nothing that was wrong is certain to be.
)

// Add adds a check that is made after the run, and judges anew.
func (r *Result) Add(c Check) {
	r.Checks = append(r.Checks, c)
	r.judge()
}

// judge decides what the run came to: text, JUnit and exit status say what it says. A wrong verdict is one whoever was too
// slow; any other check may fail because the generator was.
func (r *Result) judge() {
	r.Verdict, r.Why = Passed, ""
	switch {
	case r.wrongVerdicts() > 0:
		r.Verdict = Failed
	case r.Attack != nil && !r.Attack.Claimed:
		r.Verdict, r.Why = NoResult, "the generator was the bottleneck"
		if r.Attack.Exhausted {
			r.Why = "the corpus has no cold token left"
		}
	case r.failed() > 0:
		r.Verdict = Failed
	}
	r.Passed = r.Verdict == Passed
}

func (r *Result) wrongVerdicts() int64 {
	if r.Attack == nil {
		return r.WarmUpWrongVerdicts
	}
	return r.Attack.WrongVerdicts + r.WarmUpWrongVerdicts
}

// failed is how many checks were not passed.
func (r *Result) failed() (n int) {
	for _, c := range r.Checks {
		if !c.Passed {
			n++
		}
	}
	return n
}
