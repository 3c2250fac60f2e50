// Package pace says when each request of a load is due.
//
// A [Profile] is a rate over time, r(t) in requests a second, made of straight
// pieces: [Constant], [Ramp], [Steps], [Spike], or read from a file by [ReadCSV].
// With t in seconds since the start, the number of requests due by then is
//
//	Λ(t) = ∫₀ᵗ r(u) du
//
// A [Schedule] places requests along it. Evenly: request k = 0, 1, 2, … is due
// when Λ(t) = k + 1/2, so that a constant rate of 10 a second sends at 50 ms,
// 150 ms and so on, ten in every second. As a Poisson process: request k is due
// when Λ(t) is the sum of k + 1 draws from the exponential distribution with mean
// 1, which makes arrivals independent of each other at the rate r(t) (the
// time-change theorem). The draws come from a seed, so that the same seed gives
// the same arrivals on every machine.
//
// The package looks at no clock and starts no goroutine. A Profile and a Schedule
// do not change once made and may be shared; an [Arrivals] belongs to one
// goroutine. Nothing is held for a request: a schedule of a billion of them takes
// the memory of its pieces.
package pace
