package scenario

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// newKeyClass is what tokens under a new key count for.
const newKeyClass = "valid_new_key"

// source sends a corpus in the course of a scenario: what must be the answer to a request is decided when it comes. It
// implements [attack.Source], [attack.Classified] and [attack.Finite].
type source struct {
	*population.Source
	classes []attack.Class
	course  *course
	codes   bool        // the answers' codes are looked at
	expect  []*ruling   // in the order of the file
	allow   []*ruling   // likewise
	rules   [][]*ruling // by class, as attack counts them from 1

	picker   *population.Picker
	revoked  map[int64]*ruling // warm requests whose tokens an action revokes
	rotation *rotation         // nil: there is none
	valid    uint8             // the class of valid tokens, 0: there is none

	warming bool          // it is before the load: rules are not counted
	spared  *atomic.Int64 // answers to requests that must be refused which only a rule of "allow" takes
}

// rotation is tokens under a key that is published in the course of a run.
type rotation struct {
	requests  []attack.Request
	millionth int64 // the part of the valid requests that come with them, in millionths
	published func() span
	sent      atomic.Int64
}

// Request implements [attack.Source].
func (s *source) Request(n int64) *attack.Request {
	now := s.course.now()
	r := s.Source.Request(n)
	if r == nil {
		return nil
	}
	if s.rotation != nil && r.Class == s.valid {
		if other := s.rotation.instead(n, now); other != nil {
			r = other
		}
	}
	rules := s.rules[r.Class]
	if len(s.revoked) > 0 && r.Class == s.valid {
		if i, cold := s.picker.Pick(n); !cold && s.revoked[i] != nil {
			rules = append(slices.Clip(rules), s.revoked[i])
		}
	}
	if len(rules) == 0 {
		return r
	}
	return s.ruled(r, rules, now)
}

// ruled is a request of which rules say what its answer must be. It is made anew each time, since that depends on when it
// is sent.
func (s *source) ruled(r *attack.Request, rules []*ruling, sent time.Duration) *attack.Request {
	class := r.Expect
	one := &attack.Request{Message: r.Message, NoBody: r.NoBody, Class: r.Class}
	one.Expect = attack.Expect{AnyStatus: true, Statuses: class.Statuses, Accept: func(a *attack.Response) bool {
		expected := slices.Contains(class.Statuses, a.Status) && (class.Accept == nil || class.Accept(a))
		_, code := s.Judge(r, a)
		now := s.course.now()
		refuse := refuses(class.Statuses[0] < 400, rules, sent, now)
		taken, by := judge(expected, refuse && s.LetThrough(r, a), rules, sent, now, a.Status, code)
		if by != nil && !s.warming {
			by.taken.Add(1)
			if !by.instead && refuse {
				s.spared.Add(1)
			}
		}
		return taken
	}}
	// What Judge takes for expected is what a rule says that holds now.
	for _, rule := range rules {
		if rule.instead && rule.window().touches(sent, sent) {
			one.Expect.Statuses = rule.statuses
		}
	}
	return one
}

// instead returns a request with a token under the new key, where one is to be sent in place of the n-th.
func (r *rotation) instead(n int64, now time.Duration) *attack.Request {
	if now < r.published().hi || spread(n)%1_000_000 >= r.millionth {
		return nil
	}
	return &r.requests[r.sent.Add(1)%int64(len(r.requests))]
}

// warmUp returns the first so many requests of the warm pool alone. Their answers are judged as those of the beginning of
// the load, which must not have begun.
func (s *source) warmUp(many int64) first {
	warm := *s
	warm.Source, warm.warming, warm.revoked, warm.rotation = s.Warm(), true, nil, nil
	return first{&warm, many}
}

// spread draws a number that looks random from a request's.
func spread(n int64) int64 {
	x := uint64(n) * 0x9e3779b97f4a7c15
	return int64(x >> 33)
}

// Classes implements [attack.Classified].
func (s *source) Classes() []attack.Class { return s.classes }

// allowed is how many answers were taken by rules of "allow" alone.
func (s *source) allowed() (n int64) {
	for _, r := range s.allow {
		n += r.taken.Load()
	}
	return n
}
