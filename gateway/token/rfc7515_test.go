package token

import (
	"errors"
	"testing"
	"time"
)

// provedAlone checks form, header and signature of a JWS whose payload need not be a claims set, by the code that
// tokens go through.
func provedAlone(raw []byte, key *Key) error {
	s, err := split(raw)
	if err != nil {
		return err
	}
	_, header, err := decode(nil, s.header)
	if err != nil {
		return err
	}
	var doc document
	members, err := doc.object(header, nil)
	if err != nil {
		return err
	}
	p := Parsed{signingInput: raw[:len(s.header)+1+len(s.payload)]}
	if err := p.readHeader(members); err != nil {
		return err
	}
	if len(s.payload) > 0 {
		if _, _, err := decode(nil, s.payload); err != nil {
			return err
		}
	}
	if _, p.signature, err = decode(nil, s.signature); err != nil {
		return err
	}
	return p.provedBy(key)
}

// The tokens of RFC 7515 appendix A that carry claims, with the keys given there.
const (
	rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	rfc7515HS256   = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515Payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfc7515RS256   = "eyJhbGciOiJSUzI1NiJ9." + rfc7515Payload + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	rfc7515ES256   = "eyJhbGciOiJFUzI1NiJ9." + rfc7515Payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	rfc7515None    = "eyJhbGciOiJub25lIn0." + rfc7515Payload + "."
	rfc7515ES512   = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
)

var (
	rfc7515RSAKey = object{
		"kty": "RSA", "e": "AQAB",
		"n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
	}
	rfc7515P256Key = object{
		"kty": "EC", "crv": "P-256",
		"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
	}
	rfc7515P521Key = object{
		"kty": "EC", "crv": "P-521",
		"x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk", "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
	}
)

func rfc7515Profile() Profile {
	return Profile{Issuer: "joe", Algorithms: SupportedAlgorithms(), AudienceUnchecked: true}
}

var rfc7515Now = time.Unix(1300819379, 0)

func TestRFC7515AppendixA2AndA3AreVerified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw string
		key object
	}{
		"A.2 RS256": {rfc7515RS256, rfc7515RSAKey},
		"A.3 ES256": {rfc7515ES256, rfc7515P256Key},
	} {
		got, err := verify(t, rfc7515Profile(), []byte(c.raw), onlyKey(readKey(t, c.key)), rfc7515Now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Claims.Issuer != "joe" || got.Claims.ExpiresAt != 1300819380 {
			t.Errorf("%s: %+v", name, got.Claims)
		}
		if _, err := verify(t, rfc7515Profile(), []byte(c.raw), onlyKey(readKey(t, c.key)), rfc7515Now.Add(time.Second)); !errors.Is(err, ErrExpired) {
			t.Errorf("%s, a second later: %v", name, err)
		}
		forged := []byte(c.raw)
		forged[len(forged)-10] ^= 3
		if _, err := verify(t, rfc7515Profile(), forged, onlyKey(readKey(t, c.key)), rfc7515Now); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, forged: %v", name, err)
		}
	}
}

func TestRFC7515AppendixA4SignatureIsVerifiedButItsPayloadIsNoToken(t *testing.T) {
	t.Parallel()
	key := readKey(t, rfc7515P521Key)
	if err := provedAlone([]byte(rfc7515ES512), key); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(rfc7515ES512)); !errors.Is(err, ErrMalformed) {
		t.Errorf("payload that is not JSON: %v", err)
	}
}

func TestRFC7515AppendixA1AndA5AreRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{"A.1 HS256": rfc7515HS256, "A.5 none": rfc7515None} {
		if _, err := Parse([]byte(raw)); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRFC8037AppendixA4IsVerified(t *testing.T) {
	t.Parallel()
	const raw = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	key := readKey(t, object{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
	if err := provedAlone([]byte(raw), key); err != nil {
		t.Error(err)
	}
	forged := []byte(raw)
	forged[30] ^= 1
	if err := provedAlone(forged, key); !errors.Is(err, ErrSignature) {
		t.Errorf("forged: %v", err)
	}
}
