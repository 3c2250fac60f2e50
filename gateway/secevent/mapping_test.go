package secevent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// want is one entry: what, whose, which, and up to when in seconds after epoch; always stands for whatever its iat.
type want struct {
	kind   revocation.Kind
	issuer string
	id     string
	before int64
}

const always = 1 << 40

func wanted(entries []revocation.Entry) []want {
	var all []want
	for _, e := range entries {
		w := want{e.Kind, e.Issuer, e.ID, 0}
		switch dated := e.Kind == revocation.KindSubject || e.Kind == revocation.KindClient; {
		case dated && e.Before.IsZero():
			w.before = always
		case dated:
			w.before = e.Before.Unix() - epoch
		}
		all = append(all, w)
	}
	return all
}

func one(uri string, event object) object { return object{uri: event} }

const (
	subjectKind = revocation.KindSubject
	sessionKind = revocation.KindSession
)

func TestEventRevokesWhatItsDefinitionSays(t *testing.T) {
	t.Parallel()
	at := epoch - 60
	user := issSub(issuerA, "u")
	event := func(uri string, more object) object {
		return object{"events": one(uri, object{"subject": user, "event_timestamp": at}.with(more))}
	}
	for name, c := range map[string]struct {
		claims object
		want   []want
	}{
		"session-revoked of a user":         {event(caep+"session-revoked", nil), []want{{subjectKind, issuerA, "u", -60}}},
		"credential-change, revoke":         {event(caep+"credential-change", object{"change_type": "revoke"}), []want{{subjectKind, issuerA, "u", -60}}},
		"credential-change, create":         {event(caep+"credential-change", object{"change_type": "create"}), []want{{subjectKind, issuerA, "u", -60}}},
		"token-claims-change of a user":     {event(caep+"token-claims-change", object{"claims": object{}}), []want{{subjectKind, issuerA, "u", -60}}},
		"token-claims-change of a token":    {event(caep+"token-claims-change", object{"subject": object{"format": "jwt_id", "iss": issuerB, "jti": "j"}}), []want{{revocation.KindToken, issuerB, "j", 0}}},
		"account-disabled":                  {event(risc+"account-disabled", object{"reason": "hijacking"}), []want{{subjectKind, issuerA, "u", always}}},
		"account-purged":                    {event(risc+"account-purged", nil), []want{{subjectKind, issuerA, "u", always}}},
		"credential-compromise":             {event(risc+"credential-compromise", nil), []want{{subjectKind, issuerA, "u", -60}}},
		"sessions-revoked":                  {event(risc+"sessions-revoked", nil), []want{{subjectKind, issuerA, "u", -60}}},
		"account-enabled revokes nothing":   {event(risc+"account-enabled", nil), nil},
		"device-compliance revokes nothing": {event(caep+"device-compliance-change", nil), nil},
		"verification revokes nothing":      {object{"events": one(ssf+"verification", object{"state": "x"}), "sub_id": object{"format": "opaque", "id": "stream"}}, nil},
		"an unknown event's body is not read": {
			object{"events": one("https://example/x", object{"subject": 1})}, nil,
		},
		"logout by sid": {object{"sid": "s", "sub": "u", "events": one("http://schemas.openid.net/event/backchannel-logout", object{})}, []want{{sessionKind, issuerA, "s", 0}}},
		"logout by sub": {object{"sub": "u", "events": one("http://schemas.openid.net/event/backchannel-logout", object{})}, []want{{subjectKind, issuerA, "u", -5}}},
		"two events of one token": {
			object{"sub_id": user, "events": object{caep + "session-revoked": object{}, risc + "account-disabled": object{}}},
			[]want{{subjectKind, issuerA, "u", -5}, {subjectKind, issuerA, "u", always}},
		},
		"opaque in an event about a session": {
			event(caep+"session-revoked", object{"subject": object{"format": "opaque", "id": "x"}}),
			[]want{{sessionKind, issuerA, "x", 0}, {subjectKind, issuerA, "x", -60}},
		},
		"opaque in another event": {
			event(caep+"credential-change", object{"subject": object{"format": "opaque", "id": "x"}}), []want{{subjectKind, issuerA, "x", -60}},
		},
		"subject_type of the drafts": {
			event(risc+"account-disabled", object{"subject": object{"subject_type": "iss-sub", "iss": issuerB, "sub": "u"}}),
			[]want{{subjectKind, issuerB, "u", always}},
		},
		"aliases: those that tokens name": {
			event(caep+"session-revoked", object{"subject": object{"format": "aliases", "identifiers": []object{
				{"format": "email", "email": "user@example.com"},
				user,
				{"format": "phone_number", "phone_number": "+12065550100"},
				issSub(issuerB, "v"), issSub("https://elsewhere.example", "w"),
			}}}),
			[]want{{subjectKind, issuerA, "u", -60}, {subjectKind, issuerB, "v", -60}},
		},
		"complex: the session": {
			event(caep+"session-revoked", object{"subject": object{
				"format": "complex", "session": object{"format": "opaque", "id": "s"}, "user": issSub(issuerB, "u"), "tenant": object{"format": "opaque", "id": "t"},
			}}),
			[]want{{sessionKind, issuerB, "s", 0}},
		},
		"complex without format: the user": {
			event(caep+"session-revoked", object{"subject": object{"user": user, "device": object{"format": "opaque", "id": "d"}}}),
			[]want{{subjectKind, issuerA, "u", -60}},
		},
		"complex: the user where the event is not about a session": {
			event(caep+"credential-change", object{"subject": object{"format": "complex", "session": object{"format": "opaque", "id": "s"}, "user": user}}),
			[]want{{subjectKind, issuerA, "u", -60}},
		},
		"complex: the session where the user is no more than an address": {
			event(caep+"credential-change", object{"subject": object{
				"format": "complex", "session": object{"format": "opaque", "id": "s"}, "user": object{"format": "email", "email": "user@example.com"},
			}}),
			[]want{{sessionKind, issuerA, "s", 0}},
		},
		"complex: an application alone": {
			event(caep+"session-revoked", object{"subject": object{"format": "complex", "application": object{"format": "opaque", "id": "c"}}}),
			[]want{{revocation.KindClient, issuerA, "c", -60}},
		},
		"sub_id":                                {object{"sub_id": user, "events": one(caep+"session-revoked", object{})}, []want{{subjectKind, issuerA, "u", -5}}},
		"sub":                                   {object{"sub": "u", "events": one(caep+"session-revoked", object{})}, []want{{subjectKind, issuerA, "u", -5}}},
		"the event's subject goes before":       {event(caep+"session-revoked", nil).with(object{"sub_id": issSub(issuerB, "v"), "sub": "w"}), []want{{subjectKind, issuerA, "u", -60}}},
		"sub_id where the subject is an e-mail": {event(caep+"session-revoked", object{"subject": object{"format": "email", "email": "user@example.com"}}).with(object{"sub_id": user}), []want{{subjectKind, issuerA, "u", -60}}},
		"toe":                                   {object{"sub_id": user, "toe": epoch - 90, "events": one(caep+"session-revoked", object{})}, []want{{subjectKind, issuerA, "u", -90}}},
		"event_timestamp goes before toe":       {event(caep+"session-revoked", nil).with(object{"toe": epoch - 90}), []want{{subjectKind, issuerA, "u", -60}}},
		"a moment within the leeway":            {event(caep+"session-revoked", object{"event_timestamp": epoch + 30}), []want{{subjectKind, issuerA, "u", 30}}},
		"a moment in the future":                {event(caep+"session-revoked", object{"event_timestamp": epoch + 31}), []want{{subjectKind, issuerA, "u", -5}}},
		"milliseconds":                          {event(caep+"session-revoked", object{"event_timestamp": 1615304991643}), []want{{subjectKind, issuerA, "u", -5}}},
		"a clock that was never set":            {event(caep+"session-revoked", object{"event_timestamp": 0}), []want{{subjectKind, issuerA, "u", -5}}},
		"a moment that is no number":            {event(caep+"session-revoked", object{"event_timestamp": "1750000000"}), []want{{subjectKind, issuerA, "u", -5}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			fresh, err := w.Take(t.Context(), []byte(sign(t, goodSET("e", "-").with(object{"events": nil}).with(c.claims))))
			if err != nil || !fresh {
				t.Fatalf("%v, %v", fresh, err)
			}
			got := wanted(w.door.accepted())
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for _, e := range w.door.accepted() {
				// Of what was issued at the moment of the event, or now, the last is good for an hour.
				want := testNow.Add(time.Hour)
				if after := e.Before.Add(time.Hour); after.After(want) {
					want = after
				}
				if !e.Until.Equal(want) {
					t.Errorf("until %s, want %s", e.Until, want)
				}
			}
		})
	}
}

func TestMomentOfPartOfASecondIsNotRoundedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	claims := goodSET("e", "u").with(object{"events": one(caep+"session-revoked", object{"subject": issSub(issuerA, "u"), "event_timestamp": epoch - 60 + 0.25})})
	if _, err := w.Take(t.Context(), []byte(sign(t, claims))); err != nil {
		t.Fatal(err)
	}
	c := token.Claims{Issuer: issuerA, Subject: "u", IssuedAt: epoch - 59}
	if !w.covered(c) {
		t.Error("a token of the second of the event is good")
	}
	c.IssuedAt++
	if w.covered(c) {
		t.Error("a later token is not")
	}
}

func TestEventThatNamesNothingThatTokensNameIsUnmapped(t *testing.T) {
	t.Parallel()
	for name, subject := range map[string]any{
		"email":               object{"format": "email", "email": "user@example.com"},
		"phone":               object{"format": "phone_number", "phone_number": "+12065550100"},
		"account":             object{"format": "account", "uri": "acct:user@example.com"},
		"did":                 object{"format": "did", "url": "did:example:123456"},
		"uri":                 object{"format": "uri", "uri": "https://user.example.com/"},
		"saml":                object{"format": "saml_assertion_id", "issuer": transmitter, "assertion_id": "user@example.com"},
		"a format of its own": object{"format": "user@example.com", "iss": 7},
		"aliases of them":     object{"format": "aliases", "identifiers": []object{{"format": "email", "email": "user@example.com"}}},
		"a device":            object{"format": "complex", "device": issSub(issuerA, "d")},
		"no members":          object{"format": "complex"},
		"nothing at all":      nil,
		"an endless id":       object{"format": "opaque", "id": strings.Repeat("u", token.MaxStringBytes+1)},
	} {
		for _, acknowledge := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", acknowledge), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, func(c *Config) { c.AcknowledgeUnmapped = acknowledge })
				event := object{"event_timestamp": epoch}
				if subject != nil {
					event["subject"] = subject
				}
				_, err := w.Take(t.Context(), []byte(sign(t, goodSET("jti-secret", "").with(object{"events": one(risc+"account-disabled", event)}))))
				st := w.Stats()
				if acknowledge {
					if err != nil || st.Accepted != 1 {
						t.Errorf("%v, %+v", err, st)
					}
				} else if !errors.Is(err, ErrUnmapped) || st.Refused[ReasonUnmapped] != 1 || st.Accepted != 0 {
					t.Errorf("%v, %+v", err, st)
				}
				if st.Unmapped != 1 || len(w.door.accepted()) != 0 || !strings.Contains(w.log.String(), "no token names") {
					t.Errorf("%+v, %s", st, w.log.String())
				}
				w.noIdentifiers(t, "user@example.com", "+12065550100", "did:example", "jti-secret")
			})
		}
	}
}

func TestTransmitterMaySpeakForItsIssuersOnly(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]object{
		"subject":       {"events": one(caep+"session-revoked", object{"subject": issSub("https://elsewhere.example", "u")})},
		"almost":        {"events": one(caep+"session-revoked", object{"subject": issSub(issuerA+"/", "u")})},
		"sub_id":        {"sub_id": issSub("https://elsewhere.example", "u"), "events": one(risc+"account-disabled", object{})},
		"token":         {"events": one(caep+"token-claims-change", object{"subject": object{"format": "jwt_id", "iss": transmitter, "jti": "j"}})},
		"user, session": {"events": one(caep+"session-revoked", object{"subject": object{"user": issSub("https://elsewhere.example", "u"), "session": object{"format": "opaque", "id": "s"}}})},
		"beside sub":    {"sub": "u", "sub_id": issSub("https://elsewhere.example", "u"), "events": one(risc+"account-disabled", object{})},
	} {
		w := newWorld(t, func(c *Config) { c.AcknowledgeUnmapped = true })
		_, err := w.Take(t.Context(), []byte(sign(t, goodSET("e", "").with(claims))))
		if !errors.Is(err, ErrAccess) || len(w.door.accepted()) != 0 {
			t.Errorf("%s: %v, %v", name, err, w.door.accepted())
		}
		w.noIdentifiers(t, "elsewhere.example")
	}
}

func TestTransmitterThatIsATokenIssuerSpeaksForItselfFirst(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, issuerB, nil)
	if _, err := w.Take(t.Context(), []byte(sign(t, goodSET("e", "").with(object{
		"iss": issuerB, "sub": "u", "sid": "s", "events": one(caep+"session-revoked", object{}),
	})))); err != nil {
		t.Fatal(err)
	}
	if got := wanted(w.door.accepted()); !slices.Equal(got, []want{{sessionKind, issuerB, "s", 0}}) {
		t.Errorf("got %v", got)
	}
}

func TestWithoutSessionIDsASessionIsItsUsers(t *testing.T) {
	t.Parallel()
	session, user := object{"format": "opaque", "id": "s"}, issSub(issuerA, "u")
	for name, c := range map[string]struct {
		claims object
		want   []want
	}{
		"complex":      {object{"events": one(caep+"session-revoked", object{"subject": object{"session": session, "user": user}})}, []want{{subjectKind, issuerA, "u", -5}}},
		"sid and sub":  {object{"sid": "s", "sub": "u", "events": one(caep+"session-revoked", object{})}, []want{{subjectKind, issuerA, "u", -5}}},
		"session only": {object{"events": one(caep+"session-revoked", object{"subject": object{"session": session}})}, nil},
		"sid only":     {object{"sid": "s", "events": one(caep+"session-revoked", object{})}, nil},
	} {
		w := newWorld(t, func(c *Config) { c.NoSessionIDs = true })
		_, err := w.Take(t.Context(), []byte(sign(t, goodSET("e", "").with(c.claims))))
		if got := wanted(w.door.accepted()); !slices.Equal(got, c.want) || (c.want == nil) != errors.Is(err, ErrUnmapped) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestMalformedEventIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	good := object{"subject": issSub(issuerA, "u")}
	many, crowd, entries := object{}, make([]object, maxAliases+1), object{}
	for i := range maxEvents + 1 {
		many[fmt.Sprint("https://example/", i)] = object{}
	}
	for i := range crowd {
		crowd[i] = issSub(issuerA, fmt.Sprint(i))
	}
	all := object{"subject": object{"format": "aliases", "identifiers": crowd[1:]}}
	for _, uri := range []string{caep + "session-revoked", caep + "credential-change", risc + "account-disabled", risc + "account-purged", risc + "sessions-revoked"} {
		entries[uri] = all
	}
	subject := func(s any) object { return object{caep + "session-revoked": object{"subject": s}} }
	for name, events := range map[string]any{
		"no event":              object{},
		"event that is null":    object{caep + "session-revoked": nullJSON{}, risc + "account-disabled": good},
		"event that is a list":  object{caep + "session-revoked": []any{}},
		"too many events":       many,
		"too many entries":      entries,
		"subject that is text":  subject("u"),
		"subject that is null":  subject(nullJSON{}),
		"format that is null":   subject(object{"format": nullJSON{}}),
		"format that is empty":  subject(object{"format": "", "id": "x"}),
		"iss_sub without iss":   subject(object{"format": "iss_sub", "sub": "u"}),
		"iss_sub without sub":   subject(object{"format": "iss_sub", "iss": issuerA}),
		"iss_sub of nobody":     subject(object{"format": "iss_sub", "iss": issuerA, "sub": ""}),
		"iss_sub of a number":   subject(object{"format": "iss_sub", "iss": issuerA, "sub": 7}),
		"jwt_id without jti":    subject(object{"format": "jwt_id", "iss": issuerA}),
		"opaque without id":     subject(object{"format": "opaque", "sub": "x"}),
		"aliases of nothing":    subject(object{"format": "aliases", "identifiers": []any{}}),
		"aliases that are text": subject(object{"format": "aliases", "identifiers": "u"}),
		"aliases of text":       subject(object{"format": "aliases", "identifiers": []any{"u"}}),
		"too many aliases":      subject(object{"format": "aliases", "identifiers": crowd}),
		"nested aliases":        subject(object{"format": "aliases", "identifiers": []any{object{"format": "aliases", "identifiers": []any{issSub(issuerA, "u")}}}}),
		"complex of text":       subject(object{"format": "complex", "user": "u"}),
		"one good, one bad":     object{risc + "account-disabled": good, caep + "session-revoked": object{"subject": object{"format": "opaque"}}},
	} {
		w := newWorld(t, nil)
		_, err := w.Take(t.Context(), []byte(sign(t, goodSET("e", "").with(object{"events": events}))))
		if !errors.Is(err, ErrRequest) || w.door.calls != 0 {
			t.Errorf("%s: %v, %v", name, err, w.door.accepted())
		}
	}
}

type nullJSON struct{}

func (nullJSON) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Every kind has a name and, but for the rest, a URI that leads back to it.
func TestKindsAreNamedOnce(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for k := range NumKinds {
		if names[k.String()] || k.String() == "" {
			t.Errorf("%d is named %q", k, k)
		}
		names[k.String()] = true
		if k != KindOther && kindOf(events[k].uri) != k {
			t.Errorf("%s: another kind has its URI", k)
		}
	}
}
