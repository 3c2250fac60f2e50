package plan

import "math"

// Queue is one replica as a queue M/G/k: requests arrive independently of each other, k servers take them in turn.
type Queue struct {
	// Servers is k.
	Servers int
	// ServiceSeconds is the mean time that one server needs for a request, E[s].
	ServiceSeconds float64
	// Variability is the squared coefficient of variation of that time, cs² = Var[s]/E[s]²: 0 for a constant, 1 for
	// an exponential distribution.
	Variability float64
}

// Utilisation is the share of the servers that are busy at a rate, ρ = λ·E[s]/k.
func (q Queue) Utilisation(perSecond float64) float64 {
	return perSecond * q.ServiceSeconds / float64(q.Servers)
}

// WaitShare is the share of requests that wait at a rate, by Erlang's C formula. It is 1 where the servers are too few.
func (q Queue) WaitShare(perSecond float64) float64 {
	rho := q.Utilisation(perSecond)
	if rho >= 1 {
		return 1
	}
	// Erlang's B by its recurrence over the servers, B(i) = aB(i-1)/(i + aB(i-1)), which neither overflows nor cancels;
	// C = B/(1 - ρ(1 - B)).
	load, lost := rho*float64(q.Servers), 1.0
	for i := 1; i <= q.Servers; i++ {
		lost = load * lost / (float64(i) + load*lost)
	}
	return lost / (1 - rho*(1-lost))
}

// MeanWait is the mean time in seconds that requests wait: Erlang C, times (1 + cs²)/2 for service times that are not
// exponential (Lee and Longton; exact for one server, by Pollaczek and Khinchine).
func (q Queue) MeanWait(perSecond float64) float64 {
	rho := q.Utilisation(perSecond)
	if rho >= 1 {
		return math.Inf(1)
	}
	spare := float64(q.Servers) * (1 - rho) / q.ServiceSeconds // requests a second that could come besides
	return q.WaitShare(perSecond) / spare * (1 + q.Variability) / 2
}

// WaitQuantile is the time in seconds that the share p of requests waits at most. Those that wait are taken to wait
// exponentially long, which is exact for exponential service times and a good bound of the tail for others.
func (q Queue) WaitQuantile(perSecond, p float64) float64 {
	waiting := q.WaitShare(perSecond)
	if waiting >= 1 {
		return math.Inf(1)
	}
	if waiting <= 1-p {
		return 0
	}
	return q.MeanWait(perSecond) / waiting * math.Log(waiting/(1-p))
}

// HighestRate is the highest rate at which the share p of requests waits and is served within so many seconds, the
// service taking its mean time; 0 where even a single request takes longer.
func (q Queue) HighestRate(withinSeconds, p float64) float64 {
	if q.ServiceSeconds > withinSeconds {
		return 0
	}
	low, high := 0.0, float64(q.Servers)/q.ServiceSeconds
	for range 60 {
		if middle := (low + high) / 2; q.WaitQuantile(middle, p)+q.ServiceSeconds <= withinSeconds {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
