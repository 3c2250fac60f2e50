package logout

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// backChannelLogout is the member of events that makes a JWT a logout token.
const backChannelLogout = "http://schemas.openid.net/event/backchannel-logout"

// tokenOf reads the logout token from a request's body, which is at most limit
// bytes long.
func tokenOf(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	fields := r.Header.Values("Content-Type")
	if len(fields) != 1 {
		return nil, ErrRequest
	}
	// Section 2.5: the form encoding. Parameters of the type are of no account.
	if kind, _, err := mime.ParseMediaType(fields[0]); kind != "application/x-www-form-urlencoded" || err != nil {
		return nil, ErrRequest
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, ErrRequest // Its text could show what was sent.
	}
	return parseForm(string(body))
}

// parseForm returns the one logout_token of a form.
func parseForm(body string) ([]byte, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, ErrRequest
	}
	// RFC 6749 section 3.1: a parameter must not come more than once. Section 2.5:
	// others may be there, and are ignored.
	if given := form["logout_token"]; len(given) == 1 && given[0] != "" {
		return []byte(given[0]), nil
	}
	return nil, ErrRequest
}

// logout is what a logout token says.
type logout struct {
	id, subject, session string
	issued               int64 // Unix seconds
}

// read verifies a logout token by section 2.6. Errors are token's, ErrEvent,
// ErrNonce, ErrNobody and ErrKeys.
func (c *Config) read(raw []byte, now time.Time) (logout, error) {
	// Steps 2 and 3: signature, alg, iss, aud, iat and exp, as of an ID token.
	s, err := c.Verifier.Statement(raw, keys{c.Keys}, c.rules(), now)
	if err != nil {
		return logout{}, err
	}
	session, err := s.Text("sid")
	if err != nil {
		return logout{}, err
	}
	l := logout{id: s.TokenID, subject: s.Subject, session: session, issued: s.IssuedAt}
	// Step 4: sub, sid or both.
	if l.subject == "" && l.session == "" {
		return logout{}, ErrNobody
	}
	// Step 5: events has the member, an object (section 2.4).
	if !isLogout(s.Claim("events")) {
		return logout{}, ErrEvent
	}
	// Step 6: an ID token of a login is no logout token.
	if s.Claim("nonce") != nil {
		return logout{}, ErrNonce
	}
	return l, nil
}

func isLogout(events []byte) bool {
	var members map[string]jsontext.Value
	if json.Unmarshal(events, &members) != nil {
		return false
	}
	member := members[backChannelLogout]
	return member.Kind() == jsontext.KindBeginObject
}

// keys tells apart that a key does not exist and that it cannot be told.
type keys struct{ token.KeySource }

func (k keys) Key(kid, alg string) (*token.Key, error) {
	key, err := k.KeySource.Key(kid, alg)
	switch {
	case err == nil || errors.Is(err, token.ErrKeyUnknown) || errors.Is(err, token.ErrKeyWithdrawn) || errors.Is(err, token.ErrAlgorithm):
		return key, err
	default:
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
}

// entries returns what the logout ends (section 2.7). ErrConfig where it would
// end nothing.
func (c *Config) entries(l logout, now time.Time) ([]revocation.Entry, error) {
	issuer := c.Verifier.Issuer()
	lifetime := c.Lifetime(issuer)
	if lifetime <= 0 {
		return nil, fmt.Errorf("%w: tokens without a lifetime", ErrConfig)
	}
	until := now.Add(lifetime)
	var all []revocation.Entry
	if l.session != "" {
		all = append(all, revocation.Entry{Kind: revocation.KindSession, Issuer: issuer, ID: l.session, Until: until})
	}
	// Section 2.4: without sid all sessions of the person at this relying party.
	if l.session == "" || (c.Ends == EndSubject && l.subject != "") {
		all = append(all, revocation.Entry{
			Kind: revocation.KindSubject, Issuer: issuer, ID: l.subject, Before: time.Unix(l.issued, 0), Until: until,
		})
	}
	return all, nil
}

// digest tells logouts apart: lengths before the texts keep them from running
// into each other.
func (l *logout) digest() [sha256.Size]byte {
	var text []byte
	for _, s := range []string{l.id, l.subject, l.session} {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	return sha256.Sum256(binary.AppendVarint(text, l.issued))
}
