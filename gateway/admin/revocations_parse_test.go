package admin

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestFaultOfARevocationIsPlacedAndSaysWhatIsAllowed(t *testing.T) {
	t.Parallel()
	const (
		stated  = `"issuer":"vneid","reason":"r"`
		strange = "Nguyễn-012345678901"
	)
	list := func(entries string) string { return `{"reason":"r","revocations":[` + entries + `]}` }
	for name, tc := range map[string]struct{ body, want string }{
		"empty":                 {``, "byte 0: not valid JSON in UTF-8 (RFC 8259)"},
		"not JSON":              {`jti=` + strange, "byte 0: not valid JSON"},
		"cut":                   {`{"jti":"j"`, "byte 10: not valid JSON"},
		"something behind":      {`{"jti":"j",` + stated + `}{}`, "byte 41: not valid JSON"},
		"not UTF-8":             {"{\"jti\":\"\xff\"," + stated + "}", "jti, byte 8: not valid JSON in UTF-8"},
		"half a surrogate":      {`{"jti":"\ud800",` + stated + `}`, "jti, byte 8: not valid JSON in UTF-8"},
		"a list alone":          {`[{"jti":"j"}]`, "byte 0: must be an object"},
		"a string":              {`"` + strange + `"`, "byte 0: must be an object"},
		"unknown member":        {`{"` + strange + `":1,` + stated + `}`, "byte 1: unknown member; allowed: issuer, jti, sid, sub, client, kid, thumbprint, before, all, until, reason, revocations"},
		"other case":            {`{"JTI":"j",` + stated + `}`, "byte 1: unknown member"},
		"personal member":       {`{"012345678901":"j",` + stated + `}`, "byte 1: unknown member"},
		"reason in the list":    {list(`{"issuer":"vneid","jti":"a"},{"issuer":"vneid","jti":"b","reason":"r"}`), "revocations[1].reason, byte 86: unknown member; allowed: issuer, jti, sid, sub, client, kid, thumbprint, before, all, until"},
		"list in the list":      {list(`{"revocations":[]}`), "revocations[0].revocations, byte 30: unknown member"},
		"member twice":          {`{"jti":"a","jti":"b",` + stated + `}`, "jti, byte 11: a member stands twice; allowed: once"},
		"number for a string":   {`{"jti":12,` + stated + `}`, "jti, byte 7: must be a string"},
		"object for a string":   {list(`{"issuer":"vneid","sub":{"a":1}}`), "revocations[0].sub, byte 53: must be a string"},
		"string for a boolean":  {`{"sub":"s","all":"true",` + stated + `}`, "all, byte 17: must be true or false"},
		"reason is a number":    {`{"jti":"j","issuer":"vneid","reason":4711}`, "reason, byte 37: must be a string"},
		"list is an object":     {`{"reason":"r","revocations":{"issuer":"vneid"}}`, "revocations, byte 28: must be a list of objects"},
		"entry is a string":     {list(`"` + strange + `"`), "revocations[0], byte 29: must be an object"},
		"nothing in the list":   {list(""), "revocations: must list 1 to 10000"},
		"too many in the list":  {list(strings.Repeat("{},", MaxRevocations) + "{}"), "revocations: must list 1 to 10000"},
		"something beside list": {`{"issuer":"vneid","reason":"r","revocations":[{"jti":"j","issuer":"vneid"}]}`, "revocations: beside it only reason is allowed"},

		"no reason":           {`{"jti":"j","issuer":"vneid"}`, "reason: must say why, in 1 to 200 characters; it goes into the audit log"},
		"blank reason":        {`{"jti":"j","issuer":"vneid","reason":"  "}`, "reason: must say why"},
		"long reason":         {`{"jti":"j","issuer":"vneid","reason":"` + strings.Repeat("ế", maxReason+1) + `"}`, "reason: must say why, in 1 to 200"},
		"line end in reason":  {`{"jti":"j","issuer":"vneid","reason":"a\nb"}`, "reason: holds a control or invisible character; allowed: letters"},
		"escape in reason":    {`{"jti":"j","issuer":"vneid","reason":"a\u001b[2Jb"}`, "reason: holds a control"},
		"override in reason":  {`{"jti":"j","issuer":"vneid","reason":"a\u202eb"}`, "reason: holds a control or invisible"},
		"person in reason":    {`{"jti":"j","issuer":"vneid","reason":"lost by 012345678901"}`, "reason: holds a number of 12 digits, as a personal number is: name a ticket"},
		"no issuer":           {`{"jti":"j","reason":"r"}`, "issuer: is required"},
		"unknown issuer":      {`{"jti":"j","issuer":"` + strange + `","reason":"r"}`, "issuer: no such issuer is configured; allowed: a configured name or iss"},
		"nothing to revoke":   {`{` + stated + `}`, "jti: names nothing to revoke; one is required of jti, sid, sub, client, kid, thumbprint"},
		"null":                {`null`, "reason: must say why"},
		"null in the list":    {list(`null`), "revocations[0].issuer: is required"},
		"two identifiers":     {list(`{"issuer":"vneid","jti":"j"},{"issuer":"vneid","sid":"s","kid":"` + strange + `"}`), "revocations[1].kid: stands beside sid; allowed: one of jti, sid"},
		"one of two is empty": {`{"jti":"","sid":"s",` + stated + `}`, "sid: stands beside jti"},
		"empty identifier":    {`{"jti":"",` + stated + `}`, "jti: must have 1 to 256 bytes and no control characters"},
		"long identifier":     {`{"sub":"` + strings.Repeat("s", 257) + `",` + stated + `}`, "sub: must have 1 to 256 bytes"},
		"control character":   {`{"sub":"a\u0000",` + stated + `}`, "sub: must have 1 to 256 bytes and no control characters"},
		"padded thumbprint":   {`{"thumbprint":"` + thumbprint + `=",` + stated + `}`, "thumbprint: must be a SHA-256 JWK thumbprint (RFC 7638): 43 characters of base64url"},
		"hex thumbprint":      {`{"thumbprint":"` + strings.Repeat("0a", 32) + `",` + stated + `}`, "thumbprint: must be"},
		"odd last bits":       {`{"thumbprint":"` + thumbprint[:42] + `t",` + stated + `}`, "thumbprint: must be"},
		"before of a token":   {`{"jti":"j","before":"2025-07-01T00:00:00Z",` + stated + `}`, "before: and all are allowed with sub and client only"},
		"all of a key":        {list(`{"issuer":"vneid","kid":"k","all":true}`), "revocations[0].before: and all are allowed with sub and client only"},
		"before and all":      {`{"sub":"s","before":"2025-07-01T00:00:00Z","all":true,` + stated + `}`, "before: stands beside all"},
		"before in future":    {`{"sub":"s","before":"2025-07-01T12:00:01Z",` + stated + `}`, "before: is in the future (here it is 2025-07-01T12:00:00Z); all covers tokens issued later"},
		"before all tokens":   {`{"sub":"s","before":"1970-01-01T00:00:00Z",` + stated + `}`, "before: is 1970 or earlier"},
		"before is a date":    {`{"sub":"s","before":"2025-07-01",` + stated + `}`, "before: must be a time as RFC 3339 writes it, such as 2025-07-01T09:00:00+07:00"},
		"before is empty":     {`{"sub":"s","before":"",` + stated + `}`, "before: must be a time"},
		"before has no zone":  {`{"sub":"s","before":"2025-07-01T00:00:00",` + stated + `}`, "before: must be a time"},
		"until is past":       {`{"jti":"j","until":"2025-07-01T12:00:00Z",` + stated + `}`, "until: is past; allowed: a time by which what is revoked has expired"},
		"until is seconds":    {`{"jti":"j","until":"1751371200",` + stated + `}`, "until: must be a time"},
		"until is personal":   {`{"jti":"j","until":"` + strange + `",` + stated + `}`, "until: must be a time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, lines := logged()
			intake := &fakeIntake{}
			w := httptest.NewRecorder()
			handler(withRevocations(intake, log), nil).ServeHTTP(w, revoking(tc.body))
			if w.Code != 400 || !strings.HasPrefix(w.Body.String(), `{"error":"`+tc.want) || !strings.Contains(w.Body.String(), `"code":"invalid_revocation"`) {
				t.Errorf("%d %s, want %q", w.Code, w.Body, tc.want)
			}
			if len(intake.entries) > 0 {
				t.Errorf("in force: %v", intake.entries)
			}
			if told := lines.String() + w.Body.String(); strings.Contains(told, strange) || strings.Contains(told, "012345678901") {
				t.Errorf("the body is told: %s", told)
			}
		})
	}
}

func TestReasonMayBeWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{
		"Mất điện thoại – phiếu 4711/2025 (ưu tiên: 1)", strings.Repeat("ế", maxReason),
		"12 digits are 01234567890 or 0123456789012 or 012345-678901", "x",
	} {
		if err := checkReason(reason); err != nil {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

// Whatever is sent, what gets in force is what a token could match, and what is
// refused is refused whole, in words that are none of the sender's.
func FuzzRevocations(f *testing.F) {
	for _, body := range []string{
		`{"issuer":"vneid","jti":"j","reason":"r"}`,
		`{"issuer":"vneid","sub":"s","before":"2025-07-01T09:00:00+07:00","until":"2026-01-01T00:00:00Z","reason":"r"}`,
		`{"issuer":"vneid","thumbprint":"` + thumbprint + `","reason":"r"}`,
		`{"revocations":[{"issuer":"vneid","client":"c","all":true},{"issuer":"vneid","kid":"k"}],"reason":"r"}`,
		`{"revocations":[null],"reason":"\u202e"}`, `{"zqxj":1}`, `{"sid":{"zqxj":[[]]}}`, `[]`, "\xff", ``,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		intake := &fakeIntake{}
		log, lines := logged()
		w := httptest.NewRecorder()
		handler(withRevocations(intake, log), nil).ServeHTTP(w, revoking(body))
		if strings.Count(lines.String(), "\n") > maxAuditedEntries+1 {
			t.Errorf("%d audit lines", strings.Count(lines.String(), "\n"))
		}
		if w.Code != 200 {
			if (w.Code != 400 && w.Code != 413) || len(intake.entries) > 0 {
				t.Errorf("%d %s, in force %v", w.Code, w.Body, intake.entries)
			}
			if strings.Contains(body, "zqxj") && strings.Contains(w.Body.String()+lines.String(), "zqxj") {
				t.Errorf("the body is told: %s", w.Body)
			}
			return
		}
		if want := fmt.Sprintf("{\"revoked\":%d}\n", len(intake.entries)); w.Body.String() != want || len(intake.entries) == 0 {
			t.Errorf("%s, want %s", w.Body, want)
		}
		for _, e := range intake.entries {
			dated := e.Kind == revocation.KindSubject || e.Kind == revocation.KindClient
			switch {
			case e.Kind == revocation.KindNone, e.Issuer != iss, e.ID == "", len(e.ID) > token.MaxStringBytes,
				!utf8.ValidString(e.ID), strings.ContainsFunc(e.ID, unicode.IsControl),
				!e.Before.IsZero() && !dated, e.Before.After(noon), !e.Until.After(noon):
				t.Errorf("%+v is in force", e)
			}
		}
	})
}
