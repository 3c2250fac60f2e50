package population

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// Check says how closely an answer is looked at.
type Check string

// The checks.
const (
	// CheckCode wants the status and the code of vneid-gateway's problem document.
	CheckCode Check = "code"
	// CheckStatus wants the status.
	CheckStatus Check = "status"
	// CheckOutcome wants the status of what must pass, and 400, 401 or 403 for
	// whatever must not: gateways differ there.
	CheckOutcome Check = "outcome"
)

// DefaultMaxBytes is what a [SourceConfig] allows where it says nothing.
const DefaultMaxBytes = 1 << 30

// SourceConfig says how a corpus is sent. The zero value is usable.
type SourceConfig struct {
	// Host is sent in every request; "" sends each line's.
	Host string
	// Check says what an answer must be. Optional. Defaults to [CheckCode].
	Check Check
	// ColdShare replaces the manifest's; nil keeps that.
	ColdShare *float64
	// First is the number of the first request of the load: whoever has sent some
	// before goes on behind them, so that cold tokens stay cold.
	First int64
	// Part and Parts divide a load among machines: this one sends every Parts-th
	// request, the first of them First + Part. Optional. Defaults to 0 of 1.
	Part, Parts int64
	// MaxBytes bounds the memory of the requests. Optional. Defaults to
	// [DefaultMaxBytes].
	MaxBytes int64
}

// refusals are the statuses of a refusal, for [CheckOutcome].
var refusals = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} //nolint:gochecknoglobals // a constant, if Go had them

var (
	_ attack.Classified = (*Source)(nil)
	_ attack.Finite     = (*Source)(nil)
)

// Source sends a corpus. It is immutable and safe for concurrent use; it
// implements [attack.Source], [attack.Classified] and [attack.Finite].
type Source struct {
	requests []attack.Request // warm ones, then cold ones
	warm     int64
	picker   *Picker
	classes  []attack.Class
	first    int64
	parts    int64
	bytes    int64
	codes    bool // the answers' codes are looked at
}

// Source reads the requests into memory, ready to be sent. Errors wrap
// [ErrCorpus], [ErrMemory] and [ErrConfig].
func (c *Corpus) Source(config SourceConfig) (*Source, error) {
	b, err := c.builder(config)
	if err != nil {
		return nil, err
	}
	for line, err := range c.Lines() {
		if err != nil {
			return nil, err
		}
		if err := b.add(&line); err != nil {
			return nil, err
		}
	}
	return b.source, nil
}

// Request implements [attack.Source]: nil where no cold token is left.
func (s *Source) Request(n int64) *attack.Request {
	i, cold := s.picker.Pick(s.first + n*s.parts)
	if cold {
		i += s.warm
	}
	if i >= int64(len(s.requests)) {
		return nil
	}
	return &s.requests[i]
}

// From returns the source that begins with the n-th request of this one: what
// measures many times does so, lest cold tokens become warm.
func (s *Source) From(n int64) *Source {
	from := *s
	from.first += n * s.parts
	return &from
}

// Warm returns the source of the warm requests alone, from the first on, as popular
// as they are; it takes no memory of its own. The corpus must have some.
func (s *Source) Warm() *Source {
	warm := *s
	warm.picker, warm.first, warm.parts = s.picker.warm(), 0, 1
	return &warm
}

// Enough implements [attack.Finite]: the error wraps [ErrCold] where a load of
// that many requests needs more cold tokens than there are, and says how many.
func (s *Source) Enough(requests int64) error {
	if requests <= 0 {
		return nil
	}
	need := s.picker.Cold(s.first + (requests-1)*s.parts + 1)
	if need > s.picker.cold {
		return fmt.Errorf("%w: the load needs %d, and the corpus has %d: mint more (vneid-bench tokens --cold), or send fewer (attack --cold-share)",
			ErrCold, need, s.picker.cold)
	}
	return nil
}

// Classes implements [attack.Classified].
func (s *Source) Classes() []attack.Class { return s.classes }

// Bytes is the memory that the requests take.
func (s *Source) Bytes() int64 { return s.bytes }

// Judge implements [attack.Classified]. What was put off (408, 429, 503) was not
// judged, nor was what should have passed and met a broken upstream. Where a token
// should have been refused, [Source.LetThrough] tells which answers are a wrong
// verdict all the same.
func (s *Source) Judge(r *attack.Request, a *attack.Response) (attack.Failure, []byte) {
	code := codeOf(a.Body)
	passes := len(r.Expect.Statuses) == 0 || r.Expect.Statuses[0] < 400
	switch {
	case !passes && s.LetThrough(r, a):
		return attack.FailureVerdict, code
	case putOff(a.Status):
		return attack.FailureOverload, code
	case a.Status >= 500 && passes:
		return attack.FailureStatus, code
	}
	return attack.FailureVerdict, code
}

// LetThrough says of a request that must be refused whether its answer tells that
// it was not, though it has a status by which a target says that it cannot decide:
// it came as far as an upstream. With [CheckCode], such a status counts only with a
// code that is given before the verdict; with the other checks, whose targets have
// codes of their own or none, with any but an upstream's.
func (s *Source) LetThrough(r *attack.Request, a *attack.Response) bool {
	if !putOff(a.Status) && a.Status < 500 {
		return false
	}
	code := codeOf(a.Body)
	if s.codes && !r.NoBody {
		return !withheld(code)
	}
	return bytes.HasPrefix(code, []byte("upstream_"))
}

// putOff says that a status is of an answer that is no verdict. RFC 9110 section
// 15.5.9, RFC 6585 section 4, RFC 9110 section 15.6.4: the request did not come in
// time, there are too many, or the server cannot serve now.
func putOff(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// withheld says that a code is one that vneid-gateway gives before its verdict: a
// closed list, so that a new code counts as a verdict until it is known to be none.
func withheld(code []byte) bool {
	switch string(code) {
	case "overloaded", "rate_limited", "request_timeout", "keys_unavailable", "keys_stale", "introspection_unavailable", "revocations_stale", "token_status_unavailable":
		return true
	}
	return false
}

// codeOf finds "code":"…" in a problem document.
func codeOf(body []byte) []byte {
	_, rest, found := bytes.Cut(body, []byte(`"code":`))
	if !found {
		return nil
	}
	rest, quoted := bytes.CutPrefix(bytes.TrimLeft(rest, " "), []byte{'"'})
	end := bytes.IndexByte(rest[:min(len(rest), MaxCodeBytes+1)], '"')
	if !quoted || end < 0 {
		return nil
	}
	for _, c := range rest[:end] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return nil
		}
	}
	return rest[:end]
}
