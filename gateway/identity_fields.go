package gateway

import (
	"strconv"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// identityField is one request field by which the gateway states who is
// calling. No upstream ever sees one that the gateway did not write.
type identityField uint8

const (
	fieldSubject identityField = iota
	fieldAccountKind
	fieldAccountLevel
	fieldIssuer
	fieldAuthTime
	fieldTokenID

	identityFields
)

// identityFieldNames gives the configuration's name and the request field.
var identityFieldNames = [identityFields]struct{ config, header string }{
	fieldSubject:      {"subject", "X-VNeID-Subject"},
	fieldAccountKind:  {"account_kind", "X-VNeID-Account-Kind"},
	fieldAccountLevel: {"account_level", "X-VNeID-Account-Level"},
	fieldIssuer:       {"issuer", "X-VNeID-Issuer"},
	fieldAuthTime:     {"auth_time", "X-VNeID-Auth-Time"},
	fieldTokenID:      {"token_id", "X-VNeID-Token-Id"},
}

// parseIdentityField finds a field by its configuration name.
func parseIdentityField(name string) (identityField, bool) {
	for f, names := range identityFieldNames {
		if names.config == name {
			return identityField(f), true
		}
	}
	return 0, false
}

// appendIdentity appends the field lines that state a verified account. A fact
// that the token does not give has no line.
func appendIdentity(dst []byte, fields []identityField, c *token.Claims) []byte {
	for _, f := range fields {
		start := len(dst)
		dst = append(dst, identityFieldNames[f].header...)
		dst = append(dst, ": "...)
		value := len(dst)
		switch f {
		case fieldSubject:
			dst = appendEscaped(dst, c.Subject)
		case fieldAccountKind:
			dst = append(dst, c.Kind.String()...)
		case fieldAccountLevel:
			if c.Level > 0 {
				dst = strconv.AppendUint(dst, uint64(c.Level), 10)
			}
		case fieldIssuer:
			dst = appendEscaped(dst, c.Issuer)
		case fieldAuthTime:
			if c.AuthTime > 0 {
				dst = strconv.AppendInt(dst, c.AuthTime, 10)
			}
		case fieldTokenID:
			dst = appendEscaped(dst, c.TokenID)
		}
		if len(dst) == value {
			dst = dst[:start]
			continue
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendEscaped percent-encodes what is not visible ASCII, and the percent
// sign: a claim can neither end its line nor be read in two ways.
func appendEscaped(dst []byte, value string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(value) {
		c := value[i]
		if c > ' ' && c < 0x7f && c != '%' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', digits[c>>4], digits[c&15])
	}
	return dst
}
