package pace_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func TestCSVIsReplayedBetweenItsRows(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"plain":         "0,100\n10,100\n10,2000\n20,0\n",
		"heading":       "seconds,rate\n# the evening\n0,100\n10,100\n10,2000\n20,0\n",
		"of a day":      "68400,100\r\n68410,100\r\n68410,2000\r\n68420,0\r\n",
		"with fraction": "0.0, 100\n10.0, 1e2\n10, 2000.0\n20, 0",
	} {
		p, err := pace.ReadCSV(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Duration() != 20*time.Second {
			t.Errorf("%s: lasts %v", name, p.Duration())
		}
		for at, want := range map[time.Duration]float64{0: 100, 9 * time.Second: 100, 10 * time.Second: 2000, 15 * time.Second: 1000} {
			if got := p.PerSecond(at); math.Abs(got-want) > 1e-6 {
				t.Errorf("%s: at %v %v a second, want %v", name, at, got, want)
			}
		}
	}
}

func TestCSVThatIsNoProfileIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"empty":             {"", "two rows"},
		"heading only":      {"seconds,rate\n", "two rows"},
		"one row":           {"0,1\n", "two rows"},
		"one second":        {"5,1\n5,2\n", "two rows"},
		"three columns":     {"0,1,2\n", "line 1"},
		"words":             {"0,1\nsoon,2\n", "line 2, seconds"},
		"negative":          {"0,1\n\n1,-2\n", "line 3, rate"},
		"no number":         {"0,NaN\n1,1\n", "line 1, rate"},
		"endless":           {"0,1\n1,Inf\n", "line 2, rate"},
		"back in time":      {"0,1\n2,1\n1,1\n", "line 3: seconds go back"},
		"too long":          {"0,1\n1000000,1\n", "duration out of range"},
		"nothing due":       {"0,0\n1,0\n", "no request is ever due"},
		"second heading":    {"0,1\nseconds,rate\n", "line 2, seconds"},
		"too many rows":     {strings.Repeat("0,1\n", pace.MaxCSVRows+1), "more than"},
		"too many bytes":    {"0,1\n#" + strings.Repeat("x", pace.MaxCSVBytes) + "\n1,1\n", "larger than"},
		"a quote left open": {"0,1\n\"1,1\n", "line"},
	} {
		_, err := pace.ReadCSV(strings.NewReader(c.text))
		if !errors.Is(err, pace.ErrCSV) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// FuzzReadCSV holds that whatever is read can be replayed: in order, within its
// duration, and as many requests as it says.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{
		"seconds,rate\n0,100\n60,100\n60,2000\n120,0\n", "0,1\n1,0\n", "5,0\n5,1\n6,0\n7,3\n", "0,1e3\n1e-3,0\n", "0,1\n0.0000000001,1\n1,1",
		"# x\n 1 , 2 \n3,4", "\"0\",\"1\"\n1,1\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pace.ReadCSV(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, pace.ErrCSV) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if p.Duration() <= 0 || p.Duration() > pace.MaxDuration || p.PeakPerSecond() > pace.MaxPerSecond {
			t.Fatalf("out of bounds: %v at %v a second", p.Duration(), p.PeakPerSecond())
		}
		const enough = 10_000
		count, last := 0, time.Duration(0)
		for a := p.Even().Arrivals(); count < enough; count++ {
			_, due, ok := a.Next()
			if !ok {
				break
			}
			if due < last || due > p.Duration() {
				t.Fatalf("request %d is due at %v, after %v, of %v", count, due, last, p.Duration())
			}
			last = due
		}
		if want := p.Due(p.Duration()); count < enough && math.Abs(float64(count)-want) > 1 {
			t.Fatalf("%d requests, want %v", count, want)
		}
	})
}
