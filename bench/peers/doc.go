// Package peers measures what the same job costs proxies that others wrote, and VNeID Gateway, side by side.
//
// # The job
//
// Verify the bearer token of a request: its signature under the one key and the one algorithm that are configured, its
// issuer, its audience and its expiry; then pass the request on, with the token, to one upstream over kept connections.
// The configurations are in the folder templates. Nobody writes an access log, nobody adds headers for the upstream.
//
// # Conformance
//
// Before anything is measured, each proxy is sent tokens that are good and bad in one thing each ([Result.Verdicts]).
// One that accepts what the job says it must refuse, or refuses a good token, is not measured, and the result says why.
// Other checks are reported and ask for nothing. "Refused" means status 401 or 403, and nothing at the upstream.
//
// # The measure
//
//	c = (C(b) − C(a)) / (b − a)
//
// c is the cost in µs of processor time a request; C(n) the processor time, in µs, that the proxy's worker process had
// used, user and system, when the generator sent its request number n; a the requests that warm the proxy up; b the last
// that counts. The same number of requests are under way at a and at b, so none is counted in part. The master process
// of those that have one is not counted: it sleeps.
//
// The load is a closed loop over kept connections. In an open loop at a modest rate every server pays about twice as much
// a request, for waking up, and it is that which would be compared. The proxy has a processor to itself, and one worker;
// generator and upstream share another. Where that one is full and the proxy's is not, the proxy still pays for some
// waking up: [Figure.BusyShare] says how full it was. On a loopback interface the system charges the receiving of a
// message to whoever sends it, here for everybody alike.
//
// Three loads: "open", no token is looked at; "warm", some tokens are used over and over; "cold", each is used once.
// Proxies are started anew for each round, and take turns: in every other round in the opposite order, so that a machine
// that becomes slower does so for all. Figures are medians of the rounds. Compare those of one run with each other;
// those of two machines, or of a busy one, tell little.
//
// Proxies run as they are: no build of their own, one configuration each, in a folder that is removed at the end. Every
// process is ended by its pid.
package peers
