package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// progress shows how a run goes: a bar on a terminal, else a line for every
// interval.
type progress struct {
	to      io.Writer
	seconds float64
	bar     *progressbar.ProgressBar // nil: lines
}

func newProgress(to io.Writer, seconds float64) *progress {
	p := &progress{to: to, seconds: seconds}
	if file, ok := to.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(int64(seconds*1e3),
			progressbar.OptionSetWriter(to), progressbar.OptionSetWidth(20), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// interval shows the last interval.
func (p *progress) interval(i attack.Interval) {
	line := p.line(i)
	if p.bar == nil {
		_, _ = fmt.Fprintln(p.to, line) // Nobody else can be told.
		return
	}
	p.bar.Describe(line)
	// A bar that is full is finished: what is answered after the last request was
	// due still comes.
	_ = p.bar.Set64(min(int64(i.EndSeconds*1e3), int64(p.seconds*1e3)-1))
}

// line tells of an interval, with rates a second and times in ms.
func (p *progress) line(i attack.Interval) string {
	span := max(i.EndSeconds-i.StartSeconds, 1e-9)
	s := fmt.Sprintf("%5.1f/%.0f s  asked %7.0f/s  answered %7.0f/s  failed %d  p50 %.2f ms  p99 %.2f ms  max %.2f ms",
		i.EndSeconds, p.seconds, float64(i.Due)/span, float64(i.Answered)/span, i.Failed,
		i.P50Microseconds/1e3, i.P99Microseconds/1e3, i.MaxMicroseconds/1e3)
	if i.GeneratorBusyShare != nil {
		s += fmt.Sprintf("  generator %.0f%% busy", *i.GeneratorBusyShare*100)
	}
	return s
}

// end takes the bar away.
func (p *progress) end() {
	if p != nil && p.bar != nil {
		_ = p.bar.Finish()
	}
}
