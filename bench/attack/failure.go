package attack

// Failure is a reason why a request failed.
type Failure uint8

// The failures, each of one request.
const (
	// FailureNoConnection: no connection was free until the timeout had passed;
	// it was never sent.
	FailureNoConnection Failure = iota
	// FailureTimeout: it was sent, and no whole answer came in time.
	FailureTimeout
	// FailureClosed: the connection was closed or reset before any of the answer.
	FailureClosed
	// FailureCut: the connection was closed or reset within the answer.
	FailureCut
	// FailureMalformed: what came is not HTTP/1.1; see [ErrResponse].
	FailureMalformed
	// FailureStatus: the answer has a status that was not expected.
	FailureStatus
	// FailureContent: the answer has the expected status, and [Expect.Accept]
	// did not accept it.
	FailureContent
	// FailureVerdict: the answer to a request of a class is not what the class must
	// get.
	FailureVerdict
	// FailureOverload: the target refused a request of a class for want of capacity,
	// whatever its class.
	FailureOverload
	failures
)

var failureNames = [failures]string{
	"no_connection", "timeout", "closed_before_answer", "closed_within_answer", "malformed_answer",
	"unexpected_status", "unexpected_content", "wrong_verdict", "refused_by_overload",
}

// String returns the name of the failure in reports.
func (f Failure) String() string {
	if f < failures {
		return failureNames[f]
	}
	return "unknown"
}
