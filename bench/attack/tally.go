package attack

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold nanoseconds, 1 µs to 1 h, to three significant digits.
const (
	lowestNanoseconds  = int64(time.Microsecond)
	highestNanoseconds = int64(time.Hour)
	significantDigits  = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(lowestNanoseconds, highestNanoseconds, significantDigits)
}

// record adds a time; one out of range counts as the nearest that is in it.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	// A value within the bounds is always taken.
	_ = h.RecordValue(min(max(int64(d), 0), highestNanoseconds))
}

// tally is what happened in some stretch of a run.
type tally struct {
	latency  *hdrhistogram.Histogram // answered or timed out, since due
	service  *hdrhistogram.Histogram // answered, since sent
	lateness *hdrhistogram.Histogram // of the generator
	connect  *hdrhistogram.Histogram // opening a connection, handshake included

	due, sent, answered, waited         int64
	statuses                            [600]int64
	failed                              [failures]int64
	opened, connectFailed, lost         int64
	sentBytes, receivedBytes, bodyBytes int64
	idle                                time.Duration // waiting, and nothing to do

	classes    [MaxClasses + 1]classTally // of requests without a class the first
	unexpected map[unexpected]int64
}

func newTally() *tally {
	return &tally{
		latency: newHistogram(), service: newHistogram(), lateness: newHistogram(), connect: newHistogram(),
		unexpected: map[unexpected]int64{},
	}
}

func (t *tally) clear() {
	l, s, g, c := t.latency, t.service, t.lateness, t.connect
	for _, h := range []*hdrhistogram.Histogram{l, s, g, c} {
		h.Reset()
	}
	clear(t.unexpected)
	*t = tally{latency: l, service: s, lateness: g, connect: c, unexpected: t.unexpected}
}

func (t *tally) add(o *tally) {
	t.latency.Merge(o.latency)
	t.service.Merge(o.service)
	t.lateness.Merge(o.lateness)
	t.connect.Merge(o.connect)
	t.due += o.due
	t.sent += o.sent
	t.answered += o.answered
	t.waited += o.waited
	for i, n := range o.statuses {
		t.statuses[i] += n
	}
	for i, n := range o.failed {
		t.failed[i] += n
	}
	t.opened += o.opened
	t.connectFailed += o.connectFailed
	t.lost += o.lost
	t.sentBytes += o.sentBytes
	t.receivedBytes += o.receivedBytes
	t.bodyBytes += o.bodyBytes
	t.idle += o.idle
	for i := range o.classes {
		c, more := &t.classes[i], &o.classes[i]
		c.due += more.due
		c.answered += more.answered
		c.right += more.right
		c.wrong += more.wrong
		c.overload += more.overload
		c.otherwise += more.otherwise
	}
	for u, n := range o.unexpected {
		t.noted(u, n)
	}
}

func (t *tally) failures() (n int64) {
	for _, f := range t.failed {
		n += f
	}
	return n
}

// answer counts an answer that came whole. Judge is that of a classified source,
// else nil.
func (t *tally) answer(r *Request, a *Response, judge judge, sinceDue, sinceSent time.Duration) {
	t.answered++
	t.statuses[a.Status]++
	t.bodyBytes += a.BodyBytes
	record(t.latency, sinceDue)
	record(t.service, sinceSent)
	t.classes[r.Class].answered++
	var f Failure
	switch {
	case !r.Expect.status(a.Status):
		f = FailureStatus
	case r.Expect.Accept != nil && !r.Expect.Accept(a):
		f = FailureContent
	default:
		t.classes[r.Class].right++
		return
	}
	if r.Class > 0 && judge != nil {
		var reason []byte
		f, reason = judge(r, a)
		t.note(r.Class, a.Status, reason)
	}
	t.failed[f]++
	t.classified(r.Class, f)
}

// judge is that of [Classified].
type judge func(*Request, *Response) (Failure, []byte)

// fail counts a request that was not answered.
func (t *tally) fail(f Failure, r *Request, sinceDue time.Duration) {
	t.failed[f]++
	t.classified(r.Class, f)
	// A request that was given up counts with the time that it took to be, so
	// that no answer that never came can make a percentile better.
	if f == FailureTimeout || f == FailureNoConnection {
		record(t.latency, sinceDue)
	}
}

// ledger is a tally that is written by one loop, or by the goroutines of one
// engine, and taken away by the collector once in an interval. A loop holds the
// lock while it works, not while it waits, so that it takes it once for many
// requests.
type ledger struct {
	sync.Mutex
	now, spare *tally
}

func newLedger() *ledger { return &ledger{now: newTally(), spare: newTally()} }

// take returns what was written since it was last called; it is good until it is
// called again.
func (l *ledger) take() *tally {
	l.spare.clear()
	l.Lock()
	defer l.Unlock()
	l.now, l.spare = l.spare, l.now
	return l.spare
}
