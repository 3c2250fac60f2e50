// Package cache holds what the gateway keeps in memory: the issuers' key sets ([Keys]) and the verdicts about tokens
// that were verified before ([Verdicts]).
//
// A verdict is evidence about a token, never a decision about a request: whoever takes one from the cache calls
// [Verdict.Usable], and then asks revocation and policy, on every request.
package cache
