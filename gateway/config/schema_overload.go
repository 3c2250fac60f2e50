package config

import "time"

// Overload says what is refused first where there is more than the machine can
// do: new verifications, then the requests of sites over their share, then the
// rest.
type Overload struct {
	// Verifications bounds the new tokens that are verified at one time.
	// Default 0, 0 to 1024; 0 is as many as there are processors.
	Verifications int `yaml:"verifications" default:"0" range:"0..1024"`

	// VerificationQueue bounds the requests that wait for that; one more is
	// refused: 503 overloaded. Default 0, 0 to 65536; 0 is 4096 for each that is
	// verified at one time.
	VerificationQueue int `yaml:"verification_queue" default:"0" range:"0..65536"`

	// VerificationWait bounds how long one waits. Where more new tokens come than
	// there is time for, nobody joins whose turn would not come within three
	// quarters of it, once all have waited for so long for a tenth of a second; a
	// queue of the default length takes about one second. Default 3s, 1ms to 10s.
	VerificationWait time.Duration `yaml:"verification_wait" default:"3s" range:"1ms..10s"`

	// Target is how late the process may be with its own work before it takes
	// fewer requests in. Default 2ms, 1ms to 1s.
	Target time.Duration `yaml:"target" default:"2ms" range:"1ms..1s"`

	// Off takes every request in, however many there are; verifications stay
	// bounded. Default false.
	Off bool `yaml:"off"`

	// LeastRequests is how many requests in flight are always taken in: those
	// that wait for an upstream count, too. Default 1024, 1 to 1000000.
	LeastRequests int `yaml:"least_requests" default:"1024" range:"1..1000000"`

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

	// Source bounds the requests of one client address (IPv6: of one /64). Of
	// what a trusted proxy passes on, the address counts that it adds to
	// X-Forwarded-For.
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
