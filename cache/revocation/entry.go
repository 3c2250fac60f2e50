package revocation

import (
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Kind is what an entry revokes. The numbers are part of the journal's format: they never change their meaning.
type Kind uint8

// The kinds. KindNone is no kind: it is what Find returns when nothing is revoked.
const (
	KindNone Kind = iota
	// KindToken revokes one token, by jti.
	KindToken
	// KindSession revokes the tokens of one session, by sid.
	KindSession
	// KindSubject revokes the tokens of one subject, by sub, that were issued at Before or earlier.
	KindSubject
	// KindClient revokes the tokens of one client, by azp or client_id, that were issued at Before or earlier.
	KindClient
	// KindKeyID revokes whatever is signed by keys of that kid.
	KindKeyID
	// KindThumbprint revokes whatever is signed by the key of that JWK thumbprint (RFC 7638, SHA-256, base64url).
	KindThumbprint

	kinds = int(KindThumbprint) + 1
)

var kindNames = [kinds]string{"none", "token", "session", "subject", "client", "kid", "key"}

// String returns the kind's name, "none" for any value outside the list. Names are fit for metric labels.
func (k Kind) String() string {
	if int(k) < kinds {
		return kindNames[k]
	}
	return kindNames[KindNone]
}

// Kinds returns all kinds but KindNone, in their order.
func Kinds() []Kind {
	return []Kind{KindToken, KindSession, KindSubject, KindClient, KindKeyID, KindThumbprint}
}

// ParseKind returns the kind of that name. Any other text, "none" included, is ErrEntry, which does not repeat it.
func ParseKind(name string) (Kind, error) {
	for _, k := range Kinds() {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return KindNone, fmt.Errorf("%w: not a kind", ErrEntry)
}

func (k Kind) valid() bool { return k != KindNone && int(k) < kinds }

// dated reports whether entries of the kind have a Before.
func (k Kind) dated() bool { return k == KindSubject || k == KindClient }

// Entry is one revocation. It names people: it is not to be logged. The store keeps no reference to its strings.
type Entry struct {
	// Kind is what is revoked.
	Kind Kind
	// Issuer is iss, byte for byte as the tokens have it. 1 to token.MaxStringBytes bytes.
	Issuer string
	// ID is the jti, sid, sub, client or kid, byte for byte as the tokens have it, or the thumbprint in base64url
	// without padding. 1 to token.MaxStringBytes bytes.
	ID string
	// Before is the moment up to which, itself included, tokens of a subject or client are covered, by their iat;
	// rounded up to the second. Optional: zero covers them whatever their iat. Other kinds must leave it zero.
	Before time.Time
	// Until is when the last token covered has expired, leeway included; rounded up to the second. From 2106-02-07 on
	// it means for good. Required.
	Until time.Time
}

// Seconds since the epoch in 32 bits last until 2106-02-07; the highest number stands for no end.
const noEnd = math.MaxUint32

// seconds rounds up. What lies past the range has no end, what lies before it is 0.
func seconds(t time.Time) uint32 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(min(max(s, 0), noEnd))
}

// instant is seconds' inverse, but for the rounding.
func instant(s uint32) time.Time {
	return time.Unix(int64(s), 0)
}

func (e *Entry) validate() error {
	fault := func(what string) error { return fmt.Errorf("%w: %s", ErrEntry, what) }
	switch {
	case !e.Kind.valid():
		return fault("no such kind")
	case e.Issuer == "" || len(e.Issuer) > token.MaxStringBytes:
		return fault("issuer absent or too long")
	case e.ID == "" || len(e.ID) > token.MaxStringBytes:
		return fault("identifier absent or too long")
	case e.Until.IsZero():
		return fault("until absent")
	case !e.Before.IsZero() && !e.Kind.dated():
		return fault("before on a kind that has none")
	case !e.Before.IsZero() && e.Before.Unix() < 0:
		return fault("before is earlier than 1970")
	}
	return nil
}

// thumbprint reads an identifier of KindThumbprint.
func thumbprint(id string) ([]byte, error) {
	tp, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(tp) != 32 {
		return nil, fmt.Errorf("%w: not a SHA-256 thumbprint in base64url", ErrEntry)
	}
	return tp, nil
}
