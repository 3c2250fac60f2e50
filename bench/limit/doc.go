// Package limit finds the highest rate at which a target keeps an objective, and says
// how sure that is.
//
// # What is looked for
//
// A trial is a load of one rate r, in requests a second, for some seconds. Its outcome
// is noisy: of two trials at one rate the first may keep the objective and the second
// may not. Let
//
//	p(r)  be the probability that a trial at rate r keeps the objective.
//	x*    the limit, be the rate above which p(r) ≤ 1/2 and up to which p(r) ≥ 1/2.
//
// That p crosses 1/2 once is all that is assumed of the target. Neither the shape of p
// nor that trials are independent of each other is: it is enough that, whatever has
// happened before, a trial above x* is at least as likely to fail as not.
//
// # How it is looked for
//
// First the rate is doubled from [Config.FromPerSecond] until a trial fails, or halved
// until one does not. Then probabilistic bisection (Horstein 1963; Waeber, Frazier and
// Henderson, "Bisection search with noisy responses", SIAM J. Control Optim. 51, 2013)
// finds about where x* is: each trial is at the median of a distribution of x*, which
// the outcome then weighs by 0.8 on one side and 0.2 on the other. Last, a rate just
// below and one just above are tried again and again, in turn, until each is proven. A
// rate that loses more often than it wins gives way to one further off.
//
// # How sure it is
//
// Proof is by betting (Shafer, "Testing by betting", J. R. Stat. Soc. A 184, 2021;
// Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
// J. R. Stat. Soc. B 86, 2024). For each rate x imagine somebody who holds that x* = x,
// and a player who starts with a capital of 1 and, before a trial at rate r, may put a
// share λ of it on the outcome that would speak against x:
//
//	r > x  on "keeps": x says that this happens with a probability of at most 1/2;
//	r ≤ x  on "fails": x says the same of this.
//
// The capital becomes (1+λ) or (1-λ) times what it was. If x* is x, it is no more on
// average after a trial than before, and by Ville's inequality the probability that it
// ever reaches 1/α is at most α. The interval of confidence 1-α is therefore the hull of
// all x whose player has less than 1/α. It holds at whatever trial the search stops, and
// however the rates were chosen. The players bet on the trials of the last phase only:
// on the rate below and further down that it keeps, on the one above and further up that
// it fails. The capital is spread over λ = 0.5, 0.75 and 1, and 0.6 of what is left
// goes to each rate that is tried anew. At 95% a rate is proven by 6 trials of 6.
//
// Tests check against simulated targets, steep and flat, honest and fickle, that the
// interval contains the limit at least as often as it claims.
//
// # When it cannot be found
//
// A trial in which the generator was the bottleneck says nothing and is repeated once;
// then that rate is the highest that can be asked for. When all rates below keep the
// objective, only a lower bound of the limit is found, and [Result.LowerBoundOnly] says
// so.
package limit
