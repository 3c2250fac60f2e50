//go:build !race

package attack

import (
	"testing"
	"time"
)

func TestAnswerIsReadAndCountedWithoutAllocating(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nX-Verdict: allow\r\nContent-Length: 2\r\n\r\nok")
	r := &Request{Expect: Expect{Statuses: []int{200}, Accept: All(HeaderIs("x-verdict", "allow"), BodyContains("ok"))}}
	p := parser{limit: DefaultMaxBodyBytes}
	tally := newTally()
	n := testing.AllocsPerRun(100, func() {
		p.reset(r)
		if whole, err := p.feed(text); !whole || err != nil {
			t.Fatal(whole, err)
		}
		tally.answer(r, &p.answer, nil, time.Millisecond, time.Millisecond)
	})
	if n != 0 || tally.failures() != 0 {
		t.Errorf("%v allocations an answer, %d failures", n, tally.failures())
	}
}

func TestVerdictIsCountedWithoutAllocating(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	source := &verdicts{requests: Cycle{{Expect: Expect{Statuses: []int{401}}, Class: 3}}}
	p := parser{limit: DefaultMaxBodyBytes}
	tally := newTally()
	// The bound method is made once a run.
	judge := source.Judge
	n := testing.AllocsPerRun(100, func() {
		r := source.Request(0)
		p.reset(r)
		if whole, err := p.feed(text); !whole || err != nil {
			t.Fatal(whole, err)
		}
		tally.answer(r, &p.answer, judge, time.Millisecond, time.Millisecond)
	})
	if n != 0 || tally.failed[FailureVerdict] != 101 {
		t.Errorf("%v allocations an answer, %d wrong verdicts", n, tally.failed[FailureVerdict])
	}
}
