// Package scenario runs loads that stand for something: a file says who comes, how often, what goes wrong meanwhile, what
// each answer must be, and what the whole may cost; the result says whether it was so.
//
// # Files
//
// A scenario is one YAML document, read strictly: [Parse] names every fault with its line and column, its field and what
// is allowed there. All times count from the beginning of the load.
//
// # Verdicts
//
// Each answer is judged. It is right where it is as the token's class expects, or as a rule of "expect" says
// instead of that; allowed where a rule of "allow" takes it too; withheld where the target said that it cannot decide (408,
// 429 and 503; and any 5xx to whoever must be let in); and wrong otherwise: somebody was let in who must not be, or turned
// away who must be let in, or for another reason than the right one. Where somebody must be refused, an answer that tells
// of an upstream is wrong whatever is allowed, and with [population.CheckCode] one is withheld only for a reason that is
// given before the verdict. A wrong verdict always fails the run, one before the load, as the target is warmed up, too.
//
// What an action failed to do binds the target to nothing: the run fails for the action, and not for a verdict.
//
// A rule holds from one moment to another. The target may decide at any time between when a request was sent and when its
// answer came, and a moment itself takes time: a revocation is certainly in force when it was acknowledged, and certainly
// not before it was sent; a date is off by as much as clocks are. So an answer is right if it is right at any time in
// which it can have been decided, and nobody has to guess.
//
// # Scale
//
// Scaled by f, every rate is f times what the file says: requests, new connections, revocations. So are connections, warm
// tokens and the tokens of actions, down to a least number, so that each of them is used as often. What waits for people
// or machines is not scaled: delays, timeouts, tolerances, replicas. A shorter duration shortens the whole course in
// proportion, so that an outage at half of the time stays there.
package scenario
