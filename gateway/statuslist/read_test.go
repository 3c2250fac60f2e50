package statuslist

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// statement verifies a list of these claims, with changes, as take does.
func statement(t *testing.T, changes object) (token.Statement, error) {
	t.Helper()
	s, now := newSigner(t, "12"), time.Unix(1_686_920_170, 0)
	claims := listClaims(t, listURI, now, 1).with(changes)
	return newVerifier(t).Statement(s.sign(t, nil, claims), ring(s), rules(1<<20, 0), now)
}

// Token Status List section 5.1: the example of a Status List Token.
func TestTheListOfTheSpecificationIsRead(t *testing.T) {
	t.Parallel()
	s, err := statement(t, object{
		"iss": nil, "exp": 2291720170, "iat": 1686920170, "sub": "https://example.com/statuslists/1", "ttl": 43200,
		"status_list": object{"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := contentsOf(&s, "https://example.com/statuslists/1")
	if err != nil || c.bits != 1 || string(c.list) != "eNrbuRgAAhcBXQ" || c.ttl != 12*time.Hour || s.ExpiresAt != 2291720170 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAListAboutAnotherAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, sub := range []string{
		testIssuer + "/statuslists/2", testIssuer + "/statuslists/1/", strings.ToUpper(listURI), listURI + "?", listURI + "#",
	} {
		s, err := statement(t, object{"sub": sub})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contentsOf(&s, listURI); !errors.Is(err, ErrSubject) {
			t.Errorf("%s: %v", sub, err)
		}
	}
}

func TestWhatAListMustSayIsRequired(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes object
		want    error
	}{
		"no sub":         {object{"sub": nil}, token.ErrClaimMissing},
		"sub a number":   {object{"sub": 1}, token.ErrClaimInvalid},
		"no iat":         {object{"iat": nil}, token.ErrClaimMissing},
		"iat a string":   {object{"iat": "1686920170"}, token.ErrClaimInvalid},
		"exp a string":   {object{"exp": "2291720170"}, token.ErrClaimInvalid},
		"no status_list": {object{"status_list": nil}, token.ErrClaimMissing},
		"list a string":  {object{"status_list": "eNrbuRgAAhcBXQ"}, token.ErrClaimInvalid},
		"another issuer": {object{"iss": testIssuer + "/"}, token.ErrIssuer},
	} {
		if _, err := statement(t, c.changes); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBitsAndListAreReadStrictly(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]error{
		`{"bits":1,"lst":"eNrbuRgAAhcBXQ"}`:                                                nil,
		`{"lst":"eNrbuRgAAhcBXQ","aggregation_uri":"https://e","x":[{"bits":3}],"bits":2}`: nil,
		`{"bits":4,"lst":""}`:        nil, // unpack refuses it
		`{"bits":8,"lst":"@"}`:       nil, // likewise
		`{}`:                         ErrFormat,
		`{"bits":1}`:                 ErrFormat,
		`{"lst":"e"}`:                ErrFormat,
		`{"bits":0,"lst":"e"}`:       ErrFormat,
		`{"bits":3,"lst":"e"}`:       ErrFormat,
		`{"bits":16,"lst":"e"}`:      ErrFormat,
		`{"bits":-1,"lst":"e"}`:      ErrFormat,
		`{"bits":1.0,"lst":"e"}`:     ErrFormat,
		`{"bits":1e0,"lst":"e"}`:     ErrFormat,
		`{"bits":"1","lst":"e"}`:     ErrFormat,
		`{"bits":null,"lst":"e"}`:    ErrFormat,
		`{"Bits":1,"lst":"e"}`:       ErrFormat,
		`{"bits":1,"lst":null}`:      ErrFormat,
		`{"bits":1,"lst":1}`:         ErrFormat,
		`{"bits":1,"lst":["e"]}`:     ErrFormat,
		`{"bits":1,"lst":"\u0065N"}`: ErrFormat,
		`{"bits":1,"lst":"eN\n"}`:    ErrFormat,
	} {
		s, err := statement(t, object{"status_list": json.RawMessage(list)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contentsOf(&s, listURI); !errors.Is(err, want) {
			t.Errorf("%s: %v", list, err)
		}
	}
}

// Token Status List section 5.1: ttl is a positive number.
func TestTTLIsAPositiveNumberOfSeconds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1": time.Second, "43200": 12 * time.Hour, "0.5": time.Second / 2, "1e3": 1000 * time.Second, "1e-300": 1,
		"1e300": longest, "99999999999999999999": longest,
	} {
		if got, err := ttl([]byte(text)); got != want || err != nil {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "-0", "0.0", "-1", "1e-999", `"60"`, "null", "true", "[60]", "{}"} {
		if got, err := ttl([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if got, err := ttl(nil); got != 0 || err != nil {
		t.Errorf("none: %s, %v", got, err)
	}
}

func TestAListIsFetchedAgainByItsOwnWordWithinOurBounds(t *testing.T) {
	t.Parallel()
	c := Config{Refresh: time.Minute, LeastRefresh: 15 * time.Second, MostRefresh: 5 * time.Minute}
	now := time.Unix(1_750_000_000, 0)
	for name, k := range map[string]struct{ ttl, exp, want time.Duration }{
		"nothing told":             {0, 0, time.Minute},
		"ttl":                      {2 * time.Minute, 0, 2 * time.Minute},
		"ttl too short":            {time.Millisecond, 0, 15 * time.Second},
		"ttl too long":             {12 * time.Hour, 0, 5 * time.Minute},
		"before exp":               {0, 200 * time.Second, 180 * time.Second},
		"exp far off":              {0, 48 * time.Hour, 5 * time.Minute},
		"exp at once":              {0, time.Second, 15 * time.Second},
		"exp gone, within leeway":  {0, -time.Second, 15 * time.Second},
		"exp sooner than ttl":      {4 * time.Minute, 100 * time.Second, 90 * time.Second},
		"ttl sooner than exp":      {time.Minute, 200 * time.Second, time.Minute},
		"ttl beyond exp too short": {time.Hour, time.Second, 15 * time.Second},
	} {
		var expires int64
		if k.exp != 0 {
			expires = now.Add(k.exp).Unix()
		}
		if got := c.wait(k.ttl, expires, now); got != k.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Token Status List section 7.1.
func TestStatusValuesMeanWhatTheRegistrySays(t *testing.T) {
	t.Parallel()
	m := meaningsOf([]uint8{0x0c})
	for value := range 256 {
		want := Reserved
		switch value {
		case 0:
			want = Valid
		case 1:
			want = Invalid
		case 2:
			want = Suspended
		case 0x0c:
			want = Accepted
		case 0x03, 0x0d, 0x0e, 0x0f:
			want = ApplicationSpecific
		}
		if m[value] != want {
			t.Errorf("%#x is %s", value, m[value])
		}
	}
	names := make(map[string]bool)
	for _, s := range Statuses() {
		names[s.String()] = true
	}
	if len(names) != int(statuses) || Status(200).String() != "unknown" || Status(0) != Unknown {
		t.Error(names)
	}
}

func TestOnlyWhatIsKnownToBeGoodIsAllowed(t *testing.T) {
	t.Parallel()
	for _, allowUnknown := range []bool{false, true} {
		l := &Lists{cfg: Config{AllowUnknown: allowUnknown}}
		for _, s := range Statuses() {
			want := s == Valid || s == Accepted || s == Unknown && allowUnknown
			if l.Allows(s) != want {
				t.Errorf("%s: %v", s, !want)
			}
		}
	}
}
