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
		tally.answer(r, &p.answer, time.Millisecond, time.Millisecond)
	})
	if n != 0 || tally.failures() != 0 {
		t.Errorf("%v allocations an answer, %d failures", n, tally.failures())
	}
}
