package limit

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// near is the share of the limit from which on a trial is about it.
const near = 0.9

// Cost is what the target used about the limit: means over trials.
type Cost struct {
	// Trials is how many of those about the limit that kept the objective say.
	Trials int `json:"trials"`
	// RatePerSecond is the mean of the rates that were asked.
	RatePerSecond float64 `json:"rate_per_second"`
	// CPUMicrosecondsPerRequest has an interval of the result's confidence, of
	// Student's t distribution: it takes trials for alike and their noise for normal.
	// Nil where there are less than two.
	CPUMicrosecondsPerRequest     float64  `json:"cpu_microseconds_per_request"`
	CPUMicrosecondsPerRequestLow  *float64 `json:"cpu_microseconds_per_request_low"`
	CPUMicrosecondsPerRequestHigh *float64 `json:"cpu_microseconds_per_request_high"`
	CPUCores                      float64  `json:"cpu_cores"`
	// PeakRSSBytes is the most of all of them.
	PeakRSSBytes *int64 `json:"peak_rss_bytes"`
}

// cost sums up the trials that kept the objective at no less than 0.9 of the limit or,
// where that is less, of the lower end of its interval.
func cost(limit, low float64, trials []Trial, confidence float64) *Cost {
	if low > 0 {
		limit = min(limit, low)
	}
	c := &Cost{}
	var each, cores, rates []float64
	for _, t := range trials {
		if t.Outcome != OutcomeKept || t.RatePerSecond < near*limit || t.CPUMicrosecondsPerRequest == nil || t.CPUCores == nil {
			continue
		}
		each = append(each, *t.CPUMicrosecondsPerRequest)
		cores = append(cores, *t.CPUCores)
		rates = append(rates, t.RatePerSecond)
		if t.PeakRSSBytes != nil && (c.PeakRSSBytes == nil || *t.PeakRSSBytes > *c.PeakRSSBytes) {
			most := *t.PeakRSSBytes
			c.PeakRSSBytes = &most
		}
	}
	if c.Trials = len(each); c.Trials == 0 {
		return nil
	}
	c.RatePerSecond, c.CPUCores = stat.Mean(rates, nil), stat.Mean(cores, nil)
	if c.Trials == 1 {
		c.CPUMicrosecondsPerRequest = each[0]
		return c
	}
	mean, deviation := stat.MeanStdDev(each, nil)
	n := float64(c.Trials)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.5+confidence/2) * deviation / math.Sqrt(n)
	low, high := max(0, mean-half), mean+half
	c.CPUMicrosecondsPerRequest, c.CPUMicrosecondsPerRequestLow, c.CPUMicrosecondsPerRequestHigh = mean, &low, &high
	return c
}
