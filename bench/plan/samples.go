package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Sample is what a run of a load found of the process that it was sent to.
type Sample struct {
	Name string
	// PerSecond is the rate that was answered, with ColdPerSecond of it new tokens by the algorithm of their signature.
	PerSecond     float64
	ColdPerSecond map[string]float64
	// NewConnectionsPerSecond were opened.
	NewConnectionsPerSecond float64
	// BusyCores is the processor time that the process used each second, of Cores that it had (0: not known).
	BusyCores, Cores float64
	// MemoryBytes is what was resident at the end, and the rest what was held then; 0 where that is not known.
	MemoryBytes, CachedTokens, Connections, Revocations, Keys float64
}

// FitCost replaces the figures of a cost that the samples tell by what they tell, and marks those as measured; all
// others stay as they are. It errs with [ErrSamples] where the samples tell nothing.
func FitCost(c Cost, source string, samples []Sample) (Cost, error) {
	c.ColdRequest = maps.Clone(c.ColdRequest)
	var busy, memory []Sample
	for _, s := range samples {
		if s.BusyCores > 0 && s.PerSecond > 0 {
			busy = append(busy, s)
		}
		if s.MemoryBytes > 0 {
			memory = append(memory, s)
		}
	}
	if len(busy) == 0 {
		return c, fmt.Errorf("%w: none says how much of its processor the target used", ErrSamples)
	}
	c.Fit = &Fit{Runs: len(samples)}
	c.fitCPU(source, busy)
	c.fitMemory(source, memory)
	return c, c.Validate()
}

func column(samples []Sample, amount func(s *Sample) float64) []float64 {
	list := make([]float64, len(samples))
	for i := range samples {
		list[i] = amount(&samples[i])
	}
	return list
}

func fittedFigure(value float64, what, source string, runs int) Figure {
	return Figure{value, Measured, fmt.Sprintf("%s fitted to %d %s of %s", what, runs, plural(runs, "run"), source)}
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// apart is how much busier the busiest run must be than the idlest for the background to be told from requests.
const apart = 2

// fitCPU is a regression of the time used: cores = b + c_w·warm + Σ c_a·cold_a + c_n·connections. Times are those of a
// single core, so what more cores lose by the scaling curve is taken out first.
func (c *Cost) fitCPU(source string, samples []Sample) {
	amounts := map[string]float64{}
	for _, s := range samples {
		for algorithm, rate := range s.ColdPerSecond {
			if rate > 0 {
				amounts[algorithm] += rate
			}
		}
	}
	// Where the runs do not tell two of them apart, the one that they have more of is fitted.
	algorithms := sorted(amounts)
	slices.SortStableFunc(algorithms, func(a, b string) int { return cmp.Compare(amounts[b], amounts[a]) })
	cold := func(s *Sample) (sum float64) {
		for _, rate := range s.ColdPerSecond {
			sum += rate
		}
		return sum
	}
	terms := []term{{name: "warm", amount: column(samples, func(s *Sample) float64 { return math.Max(s.PerSecond-cold(s), 0) / 1e6 }), prior: c.WarmRequest.Value}}
	for _, a := range algorithms {
		terms = append(terms, term{name: a, amount: column(samples, func(s *Sample) float64 { return s.ColdPerSecond[a] / 1e6 }), prior: c.ColdRequest[a].Value})
	}
	totals := column(samples, func(s *Sample) float64 {
		cores := math.Max(s.Cores, 1)
		return s.BusyCores * c.Scaling.EffectiveCores(cores) / cores
	})
	terms = append(terms,
		term{
			name: "background", amount: column(samples, func(*Sample) float64 { return 1 }), prior: c.Background.Value,
			// Where the target was about as busy in all runs, at full speed say, a background that never ends would explain
			// it all, and requests would cost nothing.
			kept: slices.Max(totals) < apart*slices.Min(totals),
		},
		term{name: "connections", amount: column(samples, func(s *Sample) float64 { return s.NewConnectionsPerSecond / 1e6 }), prior: c.NewConnection.Value})
	fitted := regress(terms, totals)
	parameters := 0
	for _, t := range terms {
		if !t.fitted {
			continue
		}
		parameters++
		f := fittedFigure(t.prior, "regression of processor time,", source, len(samples))
		switch t.name {
		case "warm":
			f.Value = math.Max(f.Value, 0.01)
			c.WarmRequest = f
		case "background":
			c.Background = f
		case "connections":
			c.NewConnection = f
		default:
			c.ColdRequest[t.name] = f
		}
	}
	// Noise must not make a new token cheaper than one that is remembered.
	for algorithm, f := range c.ColdRequest {
		if f.Value < c.WarmRequest.Value {
			f.Value = c.WarmRequest.Value
			f.Source += "; no less than a warm request"
			c.ColdRequest[algorithm] = f
		}
	}
	c.Fit.CPURSquared, c.Fit.CPUErrorPercent = goodness(totals, fitted, parameters)
}

// fitMemory is a regression of resident memory: m_0 + m_t·tokens + m_b·connections + m_r·revocations + m_k·keys.
// Connections of a load are busy. What the heap has grown by before garbage is collected goes to whatever grew with it.
func (c *Cost) fitMemory(source string, samples []Sample) {
	if len(samples) == 0 {
		return
	}
	figures := []*Figure{&c.Base, &c.CachedToken, &c.BusyConnection, &c.Revocation, &c.Key}
	terms := []term{
		{name: "base", amount: column(samples, func(*Sample) float64 { return 1 })},
		{name: "tokens", amount: column(samples, func(s *Sample) float64 { return s.CachedTokens })},
		{name: "connections", amount: column(samples, func(s *Sample) float64 { return s.Connections })},
		{name: "revocations", amount: column(samples, func(s *Sample) float64 { return s.Revocations })},
		{name: "keys", amount: column(samples, func(s *Sample) float64 { return s.Keys })},
	}
	for i, f := range figures {
		terms[i].prior = f.Value
	}
	totals := column(samples, func(s *Sample) float64 { return s.MemoryBytes })
	fitted := regress(terms, totals)
	parameters := 0
	for i, t := range terms {
		if !t.fitted {
			continue
		}
		parameters++
		*figures[i] = fittedFigure(t.prior, "regression of resident memory,", source, len(samples))
	}
	c.CachedToken.Value = math.Max(c.CachedToken.Value, 1)
	if c.BusyConnection.Value < c.IdleConnection.Value {
		c.BusyConnection.Value = c.IdleConnection.Value
		c.BusyConnection.Source += "; no less than an idle one"
	}
	c.Fit.MemoryRSquared, c.Fit.MemoryErrorPercent = goodness(totals, fitted, parameters)
}
