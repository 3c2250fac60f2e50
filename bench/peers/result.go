package peers

import (
	"slices"
	"time"
)

// Result is what a run found, and the form of its JSON.
type Result struct {
	// Rounds is how often everything was measured.
	Rounds int `json:"rounds"`
	// Requests is how many one load measures at most, and LongestSeconds how long.
	Requests       int     `json:"requests"`
	LongestSeconds float64 `json:"longest_seconds"`
	// WarmTokens is how many different ones a warm load uses.
	WarmTokens  int `json:"warm_tokens"`
	Connections int `json:"connections"`
	// TokenBytes is how long a token is, and BodyBytes an answer's body.
	TokenBytes int `json:"token_bytes"`
	BodyBytes  int `json:"body_bytes"`
	// ProxyProcessor and LoadProcessor are the processors' numbers.
	ProxyProcessor int `json:"proxy_processor"`
	LoadProcessor  int `json:"load_processor"`
	// MintSeconds is how long it took to make the tokens.
	MintSeconds    float64   `json:"mint_seconds"`
	StartedAt      time.Time `json:"started_at"`
	ElapsedSeconds float64   `json:"elapsed_seconds"`

	Proxies []Proxy `json:"proxies"`
	// Algorithms are those that were asked for.
	Algorithms []string `json:"algorithms"`
	// Verdicts are what each proxy did with each kind of token.
	Verdicts []Verdict `json:"verdicts"`
	// Figures are what was measured.
	Figures []Figure `json:"figures"`
}

// Proxy is one that took part.
type Proxy struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Versions are those of its packages.
	Versions []string `json:"versions"`
	// Unsupported says, by algorithm, why it was not measured.
	Unsupported map[string]string `json:"unsupported,omitzero"`
	// Unfit says, by algorithm, which kinds of token it judged otherwise than the job demands: it was not measured.
	Unfit map[string][]string `json:"unfit,omitzero"`
}

// The loads of a [Figure].
const (
	Open = "open" // no token is looked at
	Warm = "warm" // some tokens, over and over
	Cold = "cold" // each token once
)

// Figure is what one load cost one proxy.
type Figure struct {
	Proxy string `json:"proxy"`
	// Algorithm is empty where no token is looked at.
	Algorithm string `json:"algorithm"`
	Load      string `json:"load"`
	// CPU is the processor time of the proxy's worker, in µs a request.
	CPU Spread `json:"cpu_microseconds_per_request"`
	// Answered is how many requests it answered a second; the generator's processor may have bounded that.
	Answered Spread `json:"answered_per_second"`
	// BusyShare is how much of the time the proxy's processor worked for it, 0 to 1.
	BusyShare Spread `json:"busy_share"`
	// Requests is how many were measured, in all rounds together.
	Requests int64 `json:"requests"`
}

// Spread is what the rounds had.
type Spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	// Rounds are the values, in order.
	Rounds []float64 `json:"rounds"`
}

// spread sums up values. There must be some. Of an even number, the median is the mean of the two in the middle.
func spread(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Least: sorted[0], Most: sorted[n-1], Rounds: values}
}

// Figure returns what one load cost, and whether it was measured.
func (r *Result) Figure(proxy, algorithm, load string) (Figure, bool) {
	for _, f := range r.Figures {
		if f.Proxy == proxy && f.Algorithm == algorithm && f.Load == load {
			return f, true
		}
	}
	return Figure{}, false
}

// judge notes which of its verdicts are not what the job demands, and returns whether there are any.
func (p *Proxy) judge(algorithm string, verdicts []Verdict) (fit bool) {
	for _, v := range verdicts {
		if v.Passed {
			continue
		}
		if p.Unfit == nil {
			p.Unfit = map[string][]string{}
		}
		p.Unfit[algorithm] = append(p.Unfit[algorithm], v.Token)
	}
	return len(p.Unfit[algorithm]) == 0
}

// Fit says whether every proxy did the job with every algorithm that it knows.
func (r *Result) Fit() bool {
	return !slices.ContainsFunc(r.Proxies, func(p Proxy) bool { return len(p.Unfit) > 0 })
}
