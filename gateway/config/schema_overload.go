package config

import "time"

// Overload says what is refused first where there is more than the machine can
// do: new verifications, then the requests of sites over their share, then the
// rest.
type Overload struct {
	// Verifications bounds the signatures that are verified at one time.
	// Default 0, 0 to 1024; 0 is half the processors, at least one.
	Verifications int `yaml:"verifications" default:"0" range:"0..1024"`

	// VerificationQueue bounds the requests that wait for that. Default 1024, 0
	// to 1000000. One more is refused: 503 overloaded.
	VerificationQueue int `yaml:"verification_queue" default:"1024" range:"0..1000000"`

	// VerificationWait bounds how long one waits. Default 250ms, 1ms to 10s.
	VerificationWait time.Duration `yaml:"verification_wait" default:"250ms" range:"1ms..10s"`

	// Off takes every request in, however many there are; verifications stay
	// bounded. Default false.
	Off bool `yaml:"off"`

	// LeastRequests is how many requests in flight are always taken in.
	// Default 256, 1 to 1000000.
	LeastRequests int `yaml:"least_requests" default:"256" range:"1..1000000"`

	// MostRequests bounds the requests in flight, however well things go.
	// Default 65536, 1 to 10000000.
	MostRequests int `yaml:"most_requests" default:"65536" range:"1..10000000"`
}

// RateLimits bounds how many requests a site takes in: 429 rate_limited beyond.
type RateLimits struct {
	// Site bounds all requests of the site.
	Site Rate `yaml:"site"`

	// Client bounds the requests of one client: of the party that a token was
	// issued to (azp or client_id), or else of its subject.
	Client Rate `yaml:"client"`

	// Source bounds the requests of one client address (IPv6: of one /64).
	Source Rate `yaml:"source"`
}

// Rate is a rate of requests.
type Rate struct {
	// PerSecond is the rate, in requests a second. Default 0, 0 to 10000000; 0
	// is unbounded.
	PerSecond int `yaml:"per_second" range:"0..10000000"`

	// Burst is how many requests may come at once. Default 0, 0 to 10000000; 0
	// is as many as [Rate.PerSecond].
	Burst int `yaml:"burst" range:"0..10000000"`
}
