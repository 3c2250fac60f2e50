// Package plan computes how many replicas, cores, how much memory and how many connections a population of citizens
// takes, from what a gateway was measured to cost.
//
// [Make] turns an [Input], which is a population and a deployment, and a [Cost] into a [Result]: for each tier of load a
// fleet that keeps its limits while a zone and a replica in each other zone are away. Every quantity comes with its
// formula and the values put in (Tier.Steps); what nobody measured is in Assumptions. In short, with symbols of the steps:
//
//	Λ   = λ_L·V                         verifications/s: logins/s times verifications that follow each
//	λ   = Λ·(1+g)                       with headroom g
//	K   = r·(1 - (1 - 1/r)^d)           replicas that see a token which is dealt to r replicas d times
//	p   = λ_T·K/λ                       share of requests whose token must be verified, at λ_T new tokens/s
//	S   = c_w + p·(c_c - c_w)           µs of processor time of a request, from that of a warm and a cold one
//	N_e = N/(1 + σ(N-1) + κN(N-1))      single cores that N of a replica are worth (Universal Scalability Law)
//	U   = (λ·S/10⁶/r + b)/N_e           utilisation of r replicas, each with b cores of background
//
// and the least r for which U keeps its limits, with all zones and with one lost. More replicas see a token more often
// than fewer do, so that with requests spread over them each verifies more tokens anew: K is why twice as many carry less
// than twice as much, and why routing a token to one replica saves cores.
//
// Memory and open files are for what the configuration lets in (limits.connections, overload.most_requests,
// revocation.max_entries, verdicts.max_bytes), which is more than what comes.
//
// Costs are fitted to what runs found ([FitCost], [FitScaling]); those that nothing tells are assumed, and say so.
//
// [Result.Simulate] plays each tier through, request by request, and [Cost.Predict] takes rates that were measured: both
// note by how much the formulas are off. What a simulation found is off by chance, too, and its standard errors, by batch
// means, say how far; a formula is wrong where it is off by more than is allowed and three of them. The simulation shares no formula with the plan but the time of a request on a
// core and, where the memory for tokens is bounded, how many are forgotten.
//
// All of it is pure: files are read and written by the caller. Results are safe for concurrent use while nobody writes to
// them. Slices of results belong to the caller.
package plan
