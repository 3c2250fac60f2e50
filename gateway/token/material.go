package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"slices"
)

// Bounds of RSA moduli, in bits. RFC 7518 section 3.3 demands the lower one; the upper one bounds what a signature costs.
const (
	minModulusBits = 2048
	maxModulusBits = 8192
)

// rsaPublic makes an RSA key of n and e (RFC 7518 section 6.3.1).
func rsaPublic(n, e string, otherExponents bool) (crypto.PublicKey, SkipReason) {
	modulus, ok := number(n, 0)
	exponent, ok2 := number(e, 0)
	// RFC 7518 section 2: Base64urlUInt has no leading zero octet.
	if !ok || !ok2 || modulus[0] == 0 || exponent[0] == 0 {
		return nil, SkipEncoding
	}
	if len(exponent) > 4 {
		return nil, SkipExponent
	}
	value := 0
	for _, b := range exponent {
		value = value<<8 | int(b)
	}
	// NIST SP 800-56B section 6.2 bounds e from below by 65537; smaller ones are sound with these paddings, but 1 and
	// even ones are no RSA at all.
	if value != 65537 && (!otherExponents || value < 3 || value%2 == 0 || value > 1<<31-1) {
		return nil, SkipExponent
	}
	if len(modulus) > maxModulusBits/8 {
		return nil, SkipModulus
	}
	product := new(big.Int).SetBytes(modulus)
	if product.BitLen() < minModulusBits || product.Bit(0) == 0 {
		return nil, SkipModulus
	}
	if hasROCAFingerprint(product) {
		return nil, SkipWeak
	}
	return &rsa.PublicKey{N: product, E: value}, ""
}

// hasROCAFingerprint reports whether the modulus was made by the flawed generator of CVE-2017-15361: all its primes are
// powers of 65537 modulo each small prime, and so is their product. A sound modulus has it by chance once in 2^27.
// Nemec et al., "The Return of Coppersmith's Attack", ACM CCS 2017, section 3.
func hasROCAFingerprint(modulus *big.Int) bool {
	remainder := new(big.Int)
	for _, prime := range [...]int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		rest := remainder.Mod(modulus, big.NewInt(prime)).Int64()
		power := int64(1)
		for power != rest {
			if power = power * 65537 % prime; power == 1 {
				return false
			}
		}
	}
	return true
}

// ecPublic makes an EC key of crv, x and y (RFC 7518 section 6.2.1).
func ecPublic(crv, x, y string) (crypto.PublicKey, SkipReason) {
	var curve elliptic.Curve
	switch crv {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, SkipCurve
	}
	// RFC 7518 section 6.2.1.2: a coordinate is as long as the field, leading zeros included.
	size := (curve.Params().BitSize + 7) / 8
	xBytes, ok := number(x, size)
	yBytes, ok2 := number(y, size)
	if !ok || !ok2 {
		return nil, SkipEncoding
	}
	// Refuses coordinates out of range and points off the curve; these curves have no points of small order.
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, xBytes, yBytes))
	if err != nil {
		return nil, SkipPoint
	}
	return key, ""
}

// okpPublic makes an Ed25519 key of crv and x (RFC 8037 section 2).
func okpPublic(crv, x string) (crypto.PublicKey, SkipReason) {
	if crv != "Ed25519" {
		return nil, SkipCurve
	}
	encoded, ok := number(x, ed25519.PublicKeySize)
	if !ok {
		return nil, SkipEncoding
	}
	if !soundEdwardsPoint(encoded) {
		return nil, SkipPoint
	}
	return ed25519.PublicKey(encoded), ""
}

// soundEdwardsPoint reports whether 32 bytes are the canonical encoding (RFC 8032 section 5.1.3) of a point on
// edwards25519 that is not of small order. The standard library decodes keys only as it verifies, accepts y >= p, and
// takes points of small order, for which one can forge signatures without any secret.
func soundEdwardsPoint(encoded []byte) bool {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	p.Sub(p, big.NewInt(19))
	one := big.NewInt(1)

	littleEndian := slices.Clone(encoded)
	littleEndian[31] &= 0x7f // The sign of x: both signs are on the curve, or neither.
	slices.Reverse(littleEndian)
	y := new(big.Int).SetBytes(littleEndian)
	if y.Cmp(p) >= 0 {
		return false
	}

	// x^2 = (y^2 - 1) / (d y^2 + 1), d = -121665/121666 (RFC 8032 section 5.1). The divisor is never 0, -1/d being no
	// square.
	mod := func(v *big.Int) *big.Int { return v.Mod(v, p) }
	d := mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p)))
	ySquared := mod(new(big.Int).Mul(y, y))
	divisor := mod(new(big.Int).Add(new(big.Int).Mul(d, ySquared), one))
	xSquared := mod(new(big.Int).Mul(new(big.Int).Sub(ySquared, one), new(big.Int).ModInverse(divisor, p)))
	x := new(big.Int).ModSqrt(xSquared, p)
	if x == nil {
		return false // Off the curve. A negative 0, not canonical either, has y = 1 or -1, which is of small order.
	}

	// Three doublings reach the neutral element (0, 1) from the eight points whose order divides the cofactor, and from
	// no other. x3 = 2xy / (1 + d x^2 y^2), y3 = (y^2 + x^2) / (1 - d x^2 y^2): complete, hence for all points.
	for range 3 {
		xx, yy := mod(new(big.Int).Mul(x, x)), mod(new(big.Int).Mul(y, y))
		t := mod(new(big.Int).Mul(d, new(big.Int).Mul(xx, yy)))
		xy := new(big.Int).Mul(x, y)
		x = mod(new(big.Int).Mul(xy.Lsh(xy, 1), new(big.Int).ModInverse(mod(new(big.Int).Add(one, t)), p)))
		y = mod(new(big.Int).Mul(xx.Add(xx, yy), new(big.Int).ModInverse(mod(new(big.Int).Sub(one, t)), p)))
	}
	return x.Sign() != 0 || y.Cmp(one) != 0
}
