package upstream

import (
	"testing"
	"time"
)

// wait is one wait for a peer, in milliseconds, and the bytes that ended it.
type wait struct {
	ms int
	n  int
}

func TestAPeerHasToKeepItsRateOverEachWindow(t *testing.T) {
	t.Parallel()
	slow := Rate{BytesPerSecond: 100, Grace: time.Second}
	for name, c := range map[string]struct {
		rate  Rate
		waits []wait
		// tooSlow is the wait that is too slow, -1 for none.
		tooSlow int
	}{
		"no rate":                      {Rate{Grace: time.Second}, []wait{{1e6, 0}, {1e6, 1}}, -1},
		"within the grace":             {slow, []wait{{999, 0}}, -1},
		"nothing at its end":           {slow, []wait{{1000, 0}}, 0},
		"exactly the rate":             {slow, []wait{{1000, 100}}, -1},
		"one byte less":                {slow, []wait{{1000, 99}}, 0},
		"long wait, worth it":          {slow, []wait{{10_000, 1000}}, -1},
		"long wait, one byte less":     {slow, []wait{{10_000, 999}}, 0},
		"early bytes pay for the wait": {slow, []wait{{0, 1000}, {9999, 1}}, -1},
		"and for no longer":            {slow, []wait{{0, 1000}, {10_020, 1}}, 1},
		"a drip":                       {slow, []wait{{500, 10}, {400, 10}, {100, 10}}, 2},
		"no credit in the next window": {slow, []wait{{1000, 1_000_000}, {500, 1}, {500, 1}}, 2},
		"each window anew":             {slow, []wait{{1000, 100}, {1000, 100}, {1000, 99}}, 2},
		"no wait is no slowness":       {slow, []wait{{0, 1}, {0, 1}, {0, 1}, {999, 0}}, -1},
		"a clock that went back":       {slow, []wait{{-5000, 0}, {999, 0}}, -1},
		"huge":                         {Rate{1, time.Second}, []wait{{0, 1 << 62}, {1000, 1}, {1000, 0}}, 2},
		"fractions":                    {Rate{3, time.Second}, []wait{{1666, 5}, {1667, 5}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pace{rate: c.rate}
			for i, w := range c.waits {
				if ok := p.moved(w.n, time.Duration(w.ms)*time.Millisecond); ok == (i == c.tooSlow) {
					t.Errorf("wait %d: %v", i, ok)
				}
			}
		})
	}
}

func TestPatienceEndsWhenItIsCertainToBeTooSlow(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, c := range map[string]struct {
		rate  Rate
		waits []wait
		want  time.Duration
	}{
		"no rate":               {Rate{}, nil, limit},
		"at the start":          {Rate{100, 10 * time.Second}, nil, 10 * time.Second},
		"later in the window":   {Rate{100, 10 * time.Second}, []wait{{4000, 5}}, 6 * time.Second},
		"earned more":           {Rate{100, 10 * time.Second}, []wait{{4000, 2000}}, 16 * time.Second},
		"earned beyond":         {Rate{100, 10 * time.Second}, []wait{{0, 1 << 40}}, limit},
		"in the next window":    {Rate{100, 10 * time.Second}, []wait{{10_000, 1000}}, 10 * time.Second},
		"grace above the limit": {Rate{100, time.Hour}, nil, limit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pace{rate: c.rate}
			for _, w := range c.waits {
				if !p.moved(w.n, time.Duration(w.ms)*time.Millisecond) {
					t.Fatal("too slow")
				}
			}
			got := p.patience(limit)
			if got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if c.rate.BytesPerSecond > 0 && got < limit {
				earlier, later := p, p
				if !earlier.moved(0, got-1) {
					t.Error("too long")
				}
				if later.moved(0, got+1) {
					t.Error("too short")
				}
			}
		})
	}
}

func FuzzPaceNeverOverflows(f *testing.F) {
	f.Add(int64(240), int64(1e10), 1<<62, int64(1<<62), 1<<62, int64(1))
	f.Fuzz(func(t *testing.T, rate, grace int64, n1 int, d1 int64, n2 int, d2 int64) {
		p := pace{rate: Rate{rate & (1<<40 - 1), time.Duration(max(grace&(1<<50-1), 1))}}
		p.moved(n1&(1<<60-1), time.Duration(d1&(1<<60-1)))
		if got := p.patience(time.Hour); got <= 0 || got > time.Hour {
			t.Errorf("patience %v", got)
		}
		p.moved(n2&(1<<60-1), time.Duration(d2&(1<<60-1)))
		if got := p.patience(time.Hour); got <= 0 || got > time.Hour {
			t.Errorf("patience %v", got)
		}
	})
}

func TestATunnelLastsAsLongAsItMay(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Unix(1000+int64(seconds), 0) }
	const s = time.Second
	for name, c := range map[string]struct {
		idle        time.Duration
		until       time.Time
		now, active int
		half        bool
		left        time.Duration
		err         error
	}{
		"new":                    {idle: 60 * s, left: 60 * s},
		"silent for a while":     {idle: 60 * s, now: 59, left: s},
		"idle":                   {idle: 60 * s, now: 60, err: ErrTunnelIdle},
		"active":                 {idle: 60 * s, now: 600, active: 590, left: 50 * s},
		"before until":           {idle: 60 * s, until: at(10), now: 3, left: 7 * s},
		"until":                  {idle: 60 * s, until: at(10), now: 10, active: 10, err: ErrExpired},
		"idle first":             {idle: 60 * s, until: at(100), now: 5, left: 55 * s},
		"both":                   {idle: 60 * s, until: at(60), now: 60, err: ErrExpired},
		"half closed":            {idle: 600 * s, half: true, left: 30 * s},
		"half closed, silent":    {idle: 600 * s, half: true, now: 30, err: ErrTunnelIdle},
		"half closed, less":      {idle: 10 * s, half: true, left: 10 * s},
		"a clock that went back": {idle: 60 * s, now: -5, left: 65 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left, err := lifetime{c.idle, c.until}.left(at(c.now), at(c.active), c.half)
			if left != c.left || err != c.err { //nolint:errorlint // the sentinels themselves
				t.Errorf("%v %v, want %v %v", left, err, c.left, c.err)
			}
		})
	}
}

// RFC 6455 section 1.3.
func TestTheAcceptFieldIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	if got := webSocketAccept([]byte("dGhlIHNhbXBsZSBub25jZQ==")); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Error(got)
	}
}

func TestNoSpellingOfHTTPIsAProtocolToChangeTo(t *testing.T) {
	t.Parallel()
	for protocol, want := range map[string]bool{
		"h2c": true, "H2C": true, "h2": true, "h2c/1": true, "h3": true, "HTTP/2.0": true, "http/1.1": true, "HTTP": true, "https": true, "TLS/1.0": true,
		"tls": true, "": true, "/2": true, "websocket": false, "WebSocket": false, "echo/2": false, "irc": false, "connect-udp": false,
	} {
		if got := isHTTP(protocol); got != want {
			t.Errorf("%q: %v", protocol, got)
		}
	}
}
