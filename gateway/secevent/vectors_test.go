package secevent

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// The examples of the specifications, signed by the test's key: claims as they are printed there.
func TestExamplesOfTheSpecificationsAreUnderstood(t *testing.T) {
	t.Parallel()
	const (
		idp1, idp2, idp3 = "https://idp.example.com/123456789/", "https://idp.example.com/987654321/", "https://idp.example.com/3456789/"
		session          = "dMTlD|1600802906337.16|16008.16"
	)
	iat := time.Unix(1615305159, 0)
	happened := time.Unix(1615304991, 0)
	for _, c := range []struct {
		name, issuer, audience, claims string
		want                           []revocation.Entry // but for Until
		err                            error
	}{
		{
			name: "RFC 8417 section 2.1.4", issuer: "https://idp.example.com/", audience: "636C69656E745F6964",
			claims: `{"iss": "https://idp.example.com/", "jti": "756E69717565206964656E746966696572", "iat": 1508184845,
				"aud": "636C69656E745F6964", "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {
				"subject": {"subject_type": "iss-sub", "iss": "https://idp.example.com/", "sub": "7375626A656374"}, "reason": "hijacking"}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: "https://idp.example.com/", ID: "7375626A656374"}},
		},
		{
			name: "RFC 8935 section 2.1", issuer: "https://idp.example.com/", audience: "636C69656E745F6964",
			claims: `{"iss":"https://idp.example.com/","jti":"756E69717565206964656E746966696572","iat":1508184845,
				"aud":"636C69656E745F6964","events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{
				"subject":{"subject_type":"iss-sub","iss":"https://idp.example.com/","sub":"7375626A6563740A"},"reason":"hijacking"}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: "https://idp.example.com/", ID: "7375626A6563740A"}},
		},
		{
			name: "RFC 8417 section 2.1.1 (SCIM)", issuer: "https://scim.example.com", audience: "https://scim.example.com/Feeds/5d7604516b1d08641d7676ee7",
			claims: `{"iss": "https://scim.example.com", "iat": 1458496404, "jti": "4d3559ec67504aaba65d40b0363faad8",
				"aud": ["https://scim.example.com/Feeds/98d52461fa5bbc879593b7754", "https://scim.example.com/Feeds/5d7604516b1d08641d7676ee7"],
				"events": {"urn:ietf:params:scim:event:create": {"ref": "https://scim.example.com/Users/44f6142df96bd6ab61e7521d9",
				"attributes": ["id", "name", "userName", "password", "emails"]}}}`,
		},
		{
			name: "RFC 8417 section 2.1.2 (logout)", issuer: "https://server.example.com", audience: "s6BhdRkqt3",
			claims: `{"iss": "https://server.example.com", "sub": "248289761001", "aud": "s6BhdRkqt3", "iat": 1471566154, "jti": "bWJq",
				"sid": "08a5019c-17e1-4977-8f42-65a12843ea02", "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}`,
			want: []revocation.Entry{{Kind: sessionKind, Issuer: "https://server.example.com", ID: "08a5019c-17e1-4977-8f42-65a12843ea02"}},
		},
		{
			name: "RFC 9493 section 4.1 (sub_id)", issuer: "https://issuer.example.com/", audience: "aud.example.com",
			claims: `{"iss": "https://issuer.example.com/", "iat": 1508184845, "aud": "aud.example.com", "jti": "1",
				"sub_id": {"format": "email", "email": "user@example.com"},
				"events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}}`,
			err: ErrUnmapped,
		},
		{
			name: "RFC 9493 section 4.1 (sub_id and sub)", issuer: "https://issuer.example.com/", audience: "aud.example.com",
			claims: `{"iss": "https://issuer.example.com/", "iat": 1508184845, "aud": "aud.example.com", "jti": "1", "sub": "user@example.com",
				"sub_id": {"format": "email", "email": "user@example.com"},
				"events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: "https://issuer.example.com/", ID: "user@example.com"}},
		},
		{
			name: "CAEP 1.0 section 3.1.2, simple subject", issuer: idp1, audience: "https://sp.example.com/caep",
			claims: `{"iss": "https://idp.example.com/123456789/", "jti": "24c63fb56e5a2d77a6b512616ca9fa24", "iat": 1615305159,
				"aud": "https://sp.example.com/caep", "txn": "8675309", "sub_id": {"format": "opaque", "id": "dMTlD|1600802906337.16|16008.16"},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": 1615304991}}}`,
			want: []revocation.Entry{{Kind: sessionKind, Issuer: idp1, ID: session}, {Kind: subjectKind, Issuer: idp1, ID: session, Before: happened}},
		},
		{
			name: "CAEP 1.0 section 3.1.2, user, session and tenant", issuer: idp1, audience: "https://sp.example.com/caep",
			claims: `{"iss": "https://idp.example.com/123456789/", "jti": "24c63fb56e5a2d77a6b512616ca9fa24", "iat": 1615305159,
				"aud": "https://sp.example.com/caep", "txn": "8675309", "sub_id": {"format": "complex",
				"session": {"format": "opaque", "id": "dMTlD|1600802906337.16|16008.16"},
				"user": {"format": "iss_sub", "iss": "https://idp.example.com/123456789/", "sub": "99beb27c-c1c2-4955-882a-e0dc4996fcbc"},
				"tenant": {"format": "opaque", "id": "123456789"}},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"initiating_entity": "policy",
				"reason_admin": {"en": "Landspeed Policy Violation: C076E82F"}, "event_timestamp": 1615304991}}}`,
			want: []revocation.Entry{{Kind: sessionKind, Issuer: idp1, ID: session}},
		},
		{
			name: "CAEP 1.0 section 3.1.2, user, device and tenant", issuer: idp1, audience: "https://sp.example.com/caep",
			claims: `{"iss": "https://idp.example.com/123456789/", "jti": "24c63fb56e5a2d77a6b512616ca9fa24", "iat": 1615305159,
				"aud": "https://sp.example.com/caep", "txn": "8675309", "sub_id": {"format": "complex",
				"user": {"format": "iss_sub", "iss": "https://idp.example.com/123456789/", "sub": "jane.smith@example.com"},
				"device": {"format": "iss_sub", "iss": "https://idp.example.com/123456789/", "sub": "e9297990-14d2-42ec-a4a9-4036db86509a"},
				"tenant": {"format": "opaque", "id": "123456789"}},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": 1615304991}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: idp1, ID: "jane.smith@example.com", Before: happened}},
		},
		{
			name: "CAEP draft 02, sub and milliseconds", issuer: idp1, audience: "https://sp.example.com/caep",
			claims: `{"iss": "https://idp.example.com/123456789/", "jti": "24c63fb56e5a2d77a6b512616ca9fa24", "iat": 1615305159,
				"aud": "https://sp.example.com/caep", "sub": "jane.smith@example.com",
				"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"initiating_entity": "policy",
				"reason_admin": "Landspeed Policy Violation: C076E82F", "event_timestamp": 1615304991643}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: idp1, ID: "jane.smith@example.com", Before: iat}},
		},
		{
			name: "CAEP 1.0 section 3.2.2, token", issuer: idp2, audience: "https://sp.example2.net/caep",
			claims: `{"iss": "https://idp.example.com/987654321/", "jti": "9afce1e4e642b165fcaacdd0e7aa4903", "iat": 1615305159,
				"aud": "https://sp.example2.net/caep", "txn": "8675309",
				"sub_id": {"format": "jwt_id", "iss": "https://idp.example.com/987654321/", "jti": "f61t6e20zdo3px56gepu8rzlsp4c1dpc0fx7"},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/token-claims-change": {"event_timestamp": 1615304991,
				"claims": {"role": "ro-admin"}}}}`,
			want: []revocation.Entry{{Kind: revocation.KindToken, Issuer: idp2, ID: "f61t6e20zdo3px56gepu8rzlsp4c1dpc0fx7"}},
		},
		{
			name: "CAEP 1.0 section 3.2.2, SAML", issuer: idp2, audience: "https://sp.example2.net/caep",
			claims: `{"iss": "https://idp.example.com/987654321/", "jti": "dae94fed5f459881efa38b65c6772ddc", "iat": 1615305159,
				"aud": "https://sp.example2.net/caep", "txn": "8675309", "sub_id": {"format": "saml_assertion_id",
				"issuer": "https://idp.example.com/987654321/", "assertion_id": "_a75adf55-01d7-dbd8372ebdfc"},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/token-claims-change": {"event_timestamp": 1615304991,
				"claims": {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/role": "ro-admin"}}}}`,
			err: ErrUnmapped,
		},
		{
			name: "CAEP 1.0 section 3.3.2", issuer: idp3, audience: "https://sp.example2.net/caep",
			claims: `{"iss": "https://idp.example.com/3456789/", "jti": "07efd930f0977e4fcc1149a733ce7f78", "iat": 1615305159,
				"aud": "https://sp.example2.net/caep", "txn": "8675309",
				"sub_id": {"format": "iss_sub", "iss": "https://idp.example.com/3456789/", "sub": "jane.smith@example.com"},
				"events": {"https://schemas.openid.net/secevent/caep/event-type/credential-change": {"credential_type": "fido2-roaming",
				"change_type": "create", "fido2_aaguid": "accced6a-63f5-490a-9eea-e59bc1896cfc", "friendly_name": "Jane's USB authenticator",
				"initiating_entity": "user", "reason_admin": {"en": "User self-enrollment"}, "event_timestamp": 1615304991}}}`,
			want: []revocation.Entry{{Kind: subjectKind, Issuer: idp3, ID: "jane.smith@example.com", Before: happened}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, c.issuer, func(cfg *Config) {
				cfg.Audience, cfg.Issuers = []string{c.audience}, []string{c.issuer}
			})
			_, err := w.Take(t.Context(), []byte(signText(t, `{"alg":"EdDSA","typ":"secevent+jwt"}`, c.claims)))
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			got := slices.Clone(w.door.accepted())
			for i := range got {
				got[i].Until = time.Time{}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// The formats of RFC 9493 section 3.2 as they are printed there: those that tokens name, and the others.
func TestRFC9493FormatsAreTargetsOrUnmapped(t *testing.T) {
	t.Parallel()
	const issuer = "https://issuer.example.com/"
	for text, want := range map[string][]target{
		`{"format": "account", "uri": "acct:example.user@service.example.com"}`:              nil,
		`{"format": "email", "email": "user@example.com"}`:                                   nil,
		`{"format": "iss_sub", "iss": "https://issuer.example.com/", "sub": "145234573"}`:    {{subjectKind, issuer, "145234573"}},
		`{"format": "opaque", "id": "11112222333344445555"}`:                                 {{subjectKind, issuer, "11112222333344445555"}},
		`{"format": "phone_number", "phone_number": "+12065550100"}`:                         nil,
		`{"format": "did", "url": "did:example:123456"}`:                                     nil,
		`{"format": "uri", "uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f"}`:          nil,
		`{"format": "jwt_id", "iss": "https://issuer.example.com/", "jti": "B70BA622-9515"}`: {{revocation.KindToken, issuer, "B70BA622-9515"}},
		`{"format": "aliases", "identifiers": [
			{"format": "email", "email": "user@example.com"}, {"format": "phone_number", "phone_number": "+12065550100"},
			{"format": "email", "email": "user+qualifier@example.com"}]}`: nil,
	} {
		id, err := readIdentifier([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		a := aim{issuers: []string{issuer}}
		if err := a.take(id, rolePrincipal, issuer); err != nil || !slices.Equal(a.found, want) || (want == nil) != (a.format != "") {
			t.Errorf("%s: %v, %q, %v", text, a.found, a.format, err)
		}
	}
}
