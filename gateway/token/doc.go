// Package token turns a compact JWS (RFC 7515 section 3.1) into verified, normalised [Claims].
//
// The package is pure: no I/O, no clock, no global state. Time and keys come in as arguments, and everything that
// may vary between issuers is in a [Profile]. The stages are:
//
//   - [ParseKeySet] reads a JSON Web Key Set into [Key] values, each bound to the algorithms it may serve;
//   - [Parse] checks the form of one token, without trusting anything in it;
//   - [Verifier.Verify] checks one parsed token against one issuer's profile and keys;
//   - [Verifier.Introspected] and [Verifier.Confirmed] read what an issuer says about a token (RFC 7662);
//   - [Verifier.Statement] checks what an issuer signs that is no access token: security events, logouts, status lists;
//   - [Claims.ValidAt] re-checks the dates of claims that were verified before.
//
// Every refusal wraps exactly one of the sentinels in errors.go. No error text contains any part of a token.
package token
