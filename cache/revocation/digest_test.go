package revocation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestDigestsOfOneSecretAreTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	secret := NewSecret()
	again, err := ReadSecret(secret.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Kind: KindSubject, Issuer: issuer, ID: "001099012345", Before: testNow, Until: later}
	var records []Record
	for _, sec := range []Secret{secret, again, NewSecret()} {
		s, err := New(Config{}, sec)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Record(e)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if records[0] != records[1] {
		t.Error("the same secret gives other digests")
	}
	if records[0].Digest == records[2].Digest {
		t.Error("another secret gives the same digests")
	}
}

// Golden: a digest that changes makes every journal worthless.
func TestDigestIsTheOneOfTheFormat(t *testing.T) {
	t.Parallel()
	secret, err := ReadSecret(bytes.Repeat([]byte{7}, SecretBytes))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{}, secret)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, k := range []Kind{KindToken, KindSession, KindSubject, KindClient, KindKeyID} {
		for _, id := range []string{"a", "0f8fad5b-d9cd-469f-a165-70867728950e", strings.Repeat("x", token.MaxStringBytes)} {
			r, err := s.Record(Entry{Kind: k, Issuer: issuer, ID: id, Until: later})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%s %d %x\n", k, len(id), r.Digest)
		}
	}
	golden(t, "digests.txt", got.String())
}

// Each of the 128 bits follows from the identifier, the issuer and the kind: a change in any of them changes half of
// the bits.
func TestDigestDependsOnEveryPart(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	base := Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: later}
	r0, err := s.Record(base)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Entry){
		"identifier": func(e *Entry) { e.ID = "jti-2" },
		"issuer":     func(e *Entry) { e.Issuer += "/" },
		"kind":       func(e *Entry) { e.Kind = KindSession },
	} {
		e := base
		change(&e)
		r, err := s.Record(e)
		if err != nil {
			t.Fatal(err)
		}
		q0, s0 := r0.halves()
		q1, s1 := r.halves()
		// 64 fair coins are below 12 or above 52 once in ten million times.
		for _, d := range []int{bits.OnesCount64(q0 ^ q1), bits.OnesCount64(s0 ^ s1)} {
			if d < 12 || d > 52 {
				t.Errorf("%s: %d of 64 bits differ", name, d)
			}
		}
	}
}

func TestSecretDoesNotShowItself(t *testing.T) {
	t.Parallel()
	secret, err := ReadSecret(bytes.Repeat([]byte("k"), SecretBytes))
	if err != nil {
		t.Fatal(err)
	}
	marshalled, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(secret), fmt.Sprintf("%+v", secret), fmt.Sprintf("%#v", secret), fmt.Sprintf("%x", secret), string(marshalled),
	} {
		if strings.Contains(text, "kkkk") || strings.Contains(text, "6b6b") || strings.Contains(text, "107") {
			t.Errorf("it shows: %s", text)
		}
	}
	if _, err := ReadSecret(make([]byte, SecretBytes-1)); !errors.Is(err, ErrConfig) {
		t.Errorf("short secret: %v", err)
	}
	if secret.ID() == NewSecret().ID() {
		t.Error("IDs do not tell secrets apart")
	}
}

func TestManyIssuersPushEachOtherOutOfTheListOnly(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	add(t, s, Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: later})
	for i := range 3 * maxScopes {
		c := claimsOf(epoch)
		c.Issuer = fmt.Sprint("https://", i)
		if s.Revoked(c, nil) {
			t.Fatal("another issuer's token is revoked")
		}
		if n := len(*s.scopes.list.Load()); n > maxScopes {
			t.Fatalf("%d scopes kept", n)
		}
	}
	if !s.Revoked(claimsOf(epoch), nil) {
		t.Error("forgotten")
	}
}

func TestRecordTellsItsTimes(t *testing.T) {
	t.Parallel()
	r := Record{Kind: KindSubject, Before: epoch, Until: epoch + 1}
	if !r.BeforeTime().Equal(testNow) || !r.UntilTime().Equal(testNow.Add(time.Second)) {
		t.Error("wrong times")
	}
	for _, r := range []Record{{Kind: KindSubject, Before: noEnd}, {Kind: KindToken}} {
		if !r.BeforeTime().IsZero() {
			t.Errorf("%+v has a Before", r)
		}
	}
}
