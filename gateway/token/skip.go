package token

// SkipReason says why one key of a set was left out. The values are stable and fit for logs and metric labels.
type SkipReason string

// The reasons.
const (
	// SkipMalformed is a key that is no JSON object, or has duplicate members, members of the wrong type, or a kid that
	// is too long or has control characters.
	SkipMalformed SkipReason = "malformed"
	// SkipKeyType is a kty other than RSA, EC and OKP.
	SkipKeyType SkipReason = "kty_unsupported"
	// SkipCurve is a crv other than P-256, P-384, P-521 and Ed25519, or one of another kty.
	SkipCurve SkipReason = "crv_unsupported"
	// SkipSymmetric is a kty of oct: a shared secret in a public document.
	SkipSymmetric SkipReason = "symmetric"
	// SkipPrivate is a key with private members: whoever reads the document can sign with it.
	SkipPrivate SkipReason = "private"
	// SkipUse is a use other than sig.
	SkipUse SkipReason = "use_not_sig"
	// SkipOperations is a key_ops without verify.
	SkipOperations SkipReason = "key_ops_not_verify"
	// SkipAlgorithm is an alg that is not allowed for the issuer, or does not go with kty and crv; or a key without alg
	// for whose type no algorithm is allowed.
	SkipAlgorithm SkipReason = "alg_not_allowed"
	// SkipEncoding is a number or coordinate that is not canonical base64url of the one right length.
	SkipEncoding SkipReason = "encoding"
	// SkipModulus is an RSA modulus that is even, or has less than 2048 or more than 8192 bits.
	SkipModulus SkipReason = "rsa_modulus"
	// SkipExponent is an RSA exponent that is not allowed. With an exponent of 1 anyone can forge.
	SkipExponent SkipReason = "rsa_exponent"
	// SkipWeak is an RSA modulus with the fingerprint of CVE-2017-15361 (ROCA), whose factors can be found.
	SkipWeak SkipReason = "rsa_weak"
	// SkipPoint is a point that is not on its curve or is of small order. With a point of small order anyone can forge.
	SkipPoint SkipReason = "point"
	// SkipDuplicate is a key that serves an algorithm under the same kid as another: neither is used. Of the very same
	// key twice, the first is kept.
	SkipDuplicate SkipReason = "duplicate"
	// SkipNoID is a key without kid beside another of its kty: nothing says which of them a token means.
	SkipNoID SkipReason = "kid_missing"
)
