package pace

import (
	"fmt"
	"math"
	"sort"
	"time"
)

const (
	// MaxPerSecond is the highest rate of a profile, in requests a second.
	MaxPerSecond = 10_000_000
	// MaxDuration is how long a profile can be.
	MaxDuration = 7 * 24 * time.Hour
)

// Piece is a stretch of a profile in which the rate goes from one value to
// another in a straight line.
type Piece struct {
	// Duration is how long it takes; more than 0.
	Duration time.Duration
	// FromPerSecond and ToPerSecond are the rates at its start and end, in
	// requests a second, 0 to [MaxPerSecond].
	FromPerSecond, ToPerSecond float64
}

// Profile is a rate over time. It does not change once made and may be shared.
// The zero value lasts no time.
type Profile struct {
	pieces []Piece
	// starts and befores hold, for each piece, when it begins, in seconds, and
	// how many requests are due before that.
	starts, befores []float64
	duration        time.Duration
	due             float64
}

// New joins pieces, one after the other. It keeps a copy of them.
func New(pieces ...Piece) (Profile, error) {
	p := Profile{
		pieces:  append([]Piece(nil), pieces...),
		starts:  make([]float64, len(pieces)),
		befores: make([]float64, len(pieces)),
	}
	for i, piece := range pieces {
		for _, rate := range []float64{piece.FromPerSecond, piece.ToPerSecond} {
			// A NaN is refused by what it is not.
			if !(rate >= 0 && rate <= MaxPerSecond) {
				return Profile{}, fmt.Errorf("%w: %v a second (0 to %d)", ErrRate, rate, MaxPerSecond)
			}
		}
		if piece.Duration <= 0 || piece.Duration > MaxDuration-p.duration {
			return Profile{}, fmt.Errorf("%w: %v (more than 0, %v in all)", ErrDuration, piece.Duration, MaxDuration)
		}
		p.starts[i], p.befores[i] = p.duration.Seconds(), p.due
		p.duration += piece.Duration
		p.due += piece.Duration.Seconds() * (piece.FromPerSecond + piece.ToPerSecond) / 2
	}
	if p.due == 0 {
		return Profile{}, ErrEmpty
	}
	return p, nil
}

// Constant is one rate, in requests a second, throughout.
func Constant(perSecond float64, d time.Duration) (Profile, error) {
	return New(Piece{d, perSecond, perSecond})
}

// Ramp goes from one rate to another, in requests a second, in a straight line.
func Ramp(fromPerSecond, toPerSecond float64, d time.Duration) (Profile, error) {
	return New(Piece{d, fromPerSecond, toPerSecond})
}

// Steps holds each rate, in requests a second, for as long as each says.
func Steps(each time.Duration, perSecond ...float64) (Profile, error) {
	pieces := make([]Piece, len(perSecond))
	for i, rate := range perSecond {
		pieces[i] = Piece{each, rate, rate}
	}
	return New(pieces...)
}

// Spike is a rate that leaps to a peak, both in requests a second, at a time
// after the start, stays there for a while, and leaps back for the rest of d. The
// spike must lie within d.
func Spike(perSecond, peakPerSecond float64, at, length, d time.Duration) (Profile, error) {
	if at < 0 || length <= 0 || at > d || length > d-at {
		return Profile{}, fmt.Errorf("%w: a spike of %v that begins at %v within %v", ErrDuration, length, at, d)
	}
	var pieces []Piece
	for _, piece := range []Piece{
		{at, perSecond, perSecond}, {length, peakPerSecond, peakPerSecond}, {d - at - length, perSecond, perSecond},
	} {
		if piece.Duration > 0 {
			pieces = append(pieces, piece)
		}
	}
	return New(pieces...)
}

// Scale multiplies every rate by a factor of 0 or more.
func (p Profile) Scale(factor float64) (Profile, error) {
	pieces := append([]Piece(nil), p.pieces...)
	for i := range pieces {
		pieces[i].FromPerSecond *= factor
		pieces[i].ToPerSecond *= factor
	}
	return New(pieces...)
}

// Duration is how long the profile lasts.
func (p Profile) Duration() time.Duration { return p.duration }

// PeakPerSecond is the highest rate that the profile reaches, in requests a second.
func (p Profile) PeakPerSecond() float64 {
	peak := 0.0
	for _, piece := range p.pieces {
		peak = max(peak, piece.FromPerSecond, piece.ToPerSecond)
	}
	return peak
}

// PerSecond is the rate at a time since the start, in requests a second; where
// two pieces meet it is that of the later one. Outside of the profile it is 0.
func (p Profile) PerSecond(at time.Duration) float64 {
	if at < 0 || at >= p.duration {
		return 0
	}
	t := at.Seconds()
	i := sort.SearchFloat64s(p.starts, math.Nextafter(t, math.Inf(1))) - 1
	return p.pieces[i].rate(t - p.starts[i])
}

// Due is Λ: how many requests are due by a time since the start, on average where
// they are random.
func (p Profile) Due(at time.Duration) float64 {
	if at <= 0 || len(p.pieces) == 0 {
		return 0
	}
	if at >= p.duration {
		return p.due
	}
	t := at.Seconds()
	i := sort.SearchFloat64s(p.starts, math.Nextafter(t, math.Inf(1))) - 1
	t -= p.starts[i]
	return p.befores[i] + t*(p.pieces[i].FromPerSecond+p.pieces[i].rate(t))/2
}

// rate is r(t) at t seconds after the piece began.
func (p *Piece) rate(t float64) float64 {
	return p.FromPerSecond + (p.ToPerSecond-p.FromPerSecond)*min(1, t/p.Duration.Seconds())
}

// after is how many seconds of the piece pass until y requests are due.
//
// With a the rate at the start and s its slope, in requests a second and a second
// squared, y = a·t + s·t²/2. Of the forms of its root this one divides by no slope
// of 0 and subtracts no two numbers of nearly one size:
//
//	t = 2y / (a + √(a² + 2·s·y))
func (p *Piece) after(y float64) float64 {
	a, d := p.FromPerSecond, p.Duration.Seconds()
	s := (p.ToPerSecond - a) / d
	// Rounding may take what is under the root below 0 where a ramp ends at 0.
	root := a + math.Sqrt(max(0, a*a+2*s*y))
	if root == 0 {
		return 0
	}
	return min(2*y/root, d)
}
