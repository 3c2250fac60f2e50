// Package logout is the relying party's side of OpenID Connect Back-Channel
// Logout 1.0 (incorporating errata set 1): the identity backend POSTs a signed
// logout token, and the sessions that it names are revoked.
//
// A [Handler] serves one issuer, under a path of its own, which is registered at
// the backend as backchannel_logout_uri. Register
// backchannel_logout_session_required as well: without it the backend may name
// the subject only, and every session of that person ends, on every device.
//
// # What is accepted
//
// Section 2.6. The token is a JWS by a key of the issuer's key set, under an
// algorithm that the issuer is configured with ("none" is not among those that
// exist here); typ is logout+jwt, or, only with [Config.AllowUntyped], JWT or
// absent. Required are iss, aud (one of [Config.Audience]), iat, exp, jti, events
// with the member http://schemas.openid.net/event/backchannel-logout whose value
// is an object, and sub, sid or both; nonce must not be there. Other claims,
// other members of events (Keycloak has revoke_offline_access there) and other
// form parameters are ignored, as sections 2.4 and 2.5 say. An encrypted logout
// token is refused: the gateway has no key of its own to be encrypted for.
//
// # What ends
//
// Section 2.4: a token with sid ends that session; a token with sub alone ends
// all sessions of the person. So sid becomes an entry for the session, and sub
// alone an entry for the subject that covers what was issued until iat, the
// second of iat included. A token with both ends the session alone, or with
// [EndSubject] the person's other sessions as well: that is for issuers whose
// access tokens bear no sid, where an entry for a session would cover nothing.
//
// # Answers
//
// Section 2.8, all with Cache-Control: no-store:
//
//	200  in force and durable, on all nodes that follow the stream; or the same
//	     logout was accepted before
//	400  the request or the token is not good: {"error": "invalid_request",
//	     "error_description": "…"}; sending it again is of no use
//	405  not a POST
//	503  with Retry-After: the logout could not be made durable, or no key could
//	     be looked up; nothing is acknowledged
//
// The specification knows no answer but 400 for a logout that failed. 503 is
// ours, so that a backend that does try again knows when it may.
//
// # Repeats
//
// Section 2.6 step 7 leaves it open what to do about a jti that was seen before.
// Here it is acknowledged and changes nothing: it is a sender that did not get
// our answer. What is remembered is a digest of jti, iat, sub and sid, so that
// another logout under a jti that the issuer used before is not lost, and it is
// remembered only after it was accepted. The memory is bounded and need not be
// exact: to accept a logout twice is to accept it once, and after exp the token
// is refused.
package logout
