package secevent

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// taxonomy is every error that Take may wrap.
var taxonomy = []error{ErrRequest, ErrKey, ErrIssuer, ErrAudience, ErrAuthentication, ErrAccess, ErrUnmapped, ErrUnavailable}

func wrapsOne(err error) bool {
	n := 0
	for _, sentinel := range taxonomy {
		if errors.Is(err, sentinel) {
			n++
		}
	}
	return n == 1
}

// Whatever a transmitter signs, its entries are sound, of its issuers, bounded in number and never from the future; and
// nothing is acknowledged that names somebody and revokes nothing.
func FuzzTake(f *testing.F) {
	add := func(events, subID any) {
		o := goodSET("e", "u").with(object{"events": events})
		if subID != nil {
			o["sub_id"] = subID
		}
		f.Add([]byte(o.json(f)))
	}
	user := issSub(issuerA, "u")
	for _, e := range events[1:] {
		add(one(e.uri, object{"subject": user, "event_timestamp": epoch - 1}), nil)
		add(one(e.uri, object{"status": "paused"}), object{"format": "opaque", "id": "x"})
	}
	add(one(caep+"session-revoked", object{"subject": object{"user": user, "session": object{"format": "opaque", "id": "s"}}}), nil)
	add(one(caep+"session-revoked", object{"subject": object{"format": "aliases", "identifiers": []object{user, {"format": "email", "email": "e"}}}}), user)
	add(one(caep+"credential-change", object{"event_timestamp": 1e300}), object{"subject_type": "iss-sub", "iss": issuerB, "sub": "v"})
	w := newWorld(f, nil)
	w.seen = newMemory(2)
	f.Fuzz(func(t *testing.T, payload []byte) {
		w.door.got, w.door.calls = nil, 0
		raw := []byte(signText(t, `{"alg":"EdDSA","typ":"secevent+jwt"}`, string(payload)))
		fresh, err := w.Take(t.Context(), raw)
		if err != nil {
			if !wrapsOne(err) || len(w.door.got) != 0 {
				t.Fatalf("%v, %v", err, w.door.got)
			}
			return
		}
		if !fresh {
			return
		}
		if len(w.door.got) > maxEntries {
			t.Fatalf("%d entries", len(w.door.got))
		}
		for _, e := range w.door.got {
			if _, err := w.door.store.Record(e); err != nil || !slices.Contains(w.cfg.Issuers, e.Issuer) ||
				e.Before.After(testNow.Add(leeway)) || e.Until.Before(testNow.Add(time.Hour)) || !e.Before.IsZero() && e.Before.Unix() < 1 {
				t.Fatalf("%+v: %v", e, err)
			}
		}
		var said struct {
			Events map[string]any `json:"events"`
		}
		if json.Unmarshal(payload, &said) != nil || len(said.Events) == 0 {
			t.Fatal("accepted without events")
		}
		if len(w.door.got) == 0 {
			for uri := range said.Events {
				if r := events[kindOf(uri)].reach; r != reachNone && r != reachLiveness {
					t.Fatalf("%s is acknowledged and revokes nothing", uri)
				}
			}
		}
	})
}

// Any document is read as a subject identifier or refused, and never becomes a target of a foreign issuer.
func FuzzSubject(f *testing.F) {
	for _, seed := range []string{
		`{"format":"iss_sub","iss":"` + issuerA + `","sub":"u"}`, `{"format":"opaque","id":"x"}`, `{"user":{"format":"opaque","id":"x"}}`,
		`{"format":"aliases","identifiers":[{"format":"jwt_id","iss":"` + issuerB + `","jti":"j"},{"format":"email"}]}`,
		`{"subject_type":"iss-sub","iss":"https://elsewhere.example","sub":"u"}`, `null`, `{"session":{"session":{"session":{}}}}`,
	} {
		f.Add([]byte(seed), true)
	}
	issuers := []string{issuerA, issuerB}
	f.Fuzz(func(t *testing.T, raw []byte, sessions bool) {
		id, err := readIdentifier(raw)
		if err != nil {
			return
		}
		a := aim{issuers: issuers, sessions: sessions}
		if err := a.take(id, rolePrincipal, issuerA); err != nil {
			if !errors.Is(err, ErrRequest) {
				t.Fatal(err)
			}
			return
		}
		if len(a.found) == 0 && !a.foreign && a.format == "" {
			t.Fatal("nothing found, and nothing is said of it")
		}
		for _, target := range a.found {
			if target.kind == revocation.KindNone || target.id == "" || len(target.id) > token.MaxStringBytes || !slices.Contains(issuers, target.issuer) {
				t.Fatalf("%+v", target)
			}
		}
	})
}
