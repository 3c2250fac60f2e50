package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

const (
	challenge = `Bearer realm="vneid-gateway admin"`
	// Attempts without the token are audited within these bounds; the next
	// line says how many were left out.
	auditPerSecond = 5
	auditBurst     = 20
)

// keyChanges answers DELETE (purge) and PUT (allow) of /keys/{issuer}/{kid}.
type keyChanges struct {
	keys   KeyAdmin
	log    *slog.Logger
	closed bool // no token is configured
	token  [sha256.Size]byte

	changing sync.Mutex // one change at a time

	auditing sync.Mutex
	attempts *rate.Limiter // by auditing
	omitted  uint64        // by auditing: attempts without a line of their own
}

func newKeyChanges(cfg Config) *keyChanges {
	return &keyChanges{
		keys:     cfg.Keys,
		log:      cfg.Log,
		closed:   len(cfg.Token) == 0,
		token:    sha256.Sum256(cfg.Token),
		attempts: rate.NewLimiter(auditPerSecond, auditBurst),
	}
}

// problem is the answer to a change that was not made, or not for good.
type problem struct {
	Error   string `json:"error"`
	Purged  int    `json:"purged,omitzero"`
	Allowed int    `json:"allowed,omitzero"`
}

// ServeHTTP makes a change, or refuses it. Who may not change anything does not
// learn which issuers and keys there are.
func (c *keyChanges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action := ""
	switch r.Method {
	case http.MethodDelete:
		action = "purge"
	case http.MethodPut:
		action = "allow"
	default:
		w.Header().Set("Allow", "DELETE, PUT")
		refuse(w, http.StatusMethodNotAllowed, "DELETE purges a key, PUT allows it again")
		return
	}
	issuer, kid, found := splitKeyPath(r.URL.EscapedPath())
	line := audit{action: action, issuer: issuer, kid: kid, remote: r.RemoteAddr}
	if status, reason := c.refusal(r); status != 0 {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		c.attempt(line, reason)
		refuse(w, status, reason)
		return
	}
	if !found {
		c.audit(line, "not found", 0)
		refuse(w, http.StatusNotFound, "no key has this path: /keys/{issuer}/{kid}, percent-encoded")
		return
	}
	c.change(w, line)
}

// refuse ends the connection as well: what else the client sends is not read.
func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Connection", "close")
	writeJSON(w, status, problem{Error: reason})
}

// refusal returns why r may not change anything; status 0 if it may.
func (c *keyChanges) refusal(r *http.Request) (status int, reason string) {
	switch {
	case fromBrowser(r.Header):
		return http.StatusForbidden, "changes are not taken from a browser's page"
	case c.closed:
		return http.StatusForbidden, "nothing can be changed: set admin.token_file"
	case !c.authorised(r.Header.Values("Authorization")):
		return http.StatusUnauthorized, "the bearer token of admin.token_file is needed"
	case r.ContentLength != 0:
		return http.StatusBadRequest, "a change has no body"
	}
	return 0, ""
}

// fromBrowser reports whether a page, any page, may have caused the request
// (the Fetch standard's Origin, Fetch Metadata's Sec-Fetch-Site): the listener
// has none that would.
func fromBrowser(h http.Header) bool {
	if len(h.Values("Origin")) > 0 {
		return true
	}
	for _, site := range h.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return true
		}
	}
	return false
}

// authorised compares in constant time; the digests hide the token's length.
func (c *keyChanges) authorised(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	scheme, shown, ok := strings.Cut(fields[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], c.token[:]) == 1
}

func (c *keyChanges) change(w http.ResponseWriter, line audit) {
	c.changing.Lock()
	defer c.changing.Unlock()
	answer := problem{}
	done, n := &answer.Purged, 0
	var err error
	if line.action == "purge" {
		n, err = c.keys.Purge(line.issuer, line.kid)
	} else {
		done = &answer.Allowed
		n, err = c.keys.Allow(line.issuer, line.kid)
	}
	*done = n
	switch {
	case errors.Is(err, ErrKeyNotFound), err == nil && n == 0:
		c.audit(line, "not found", 0)
		writeJSON(w, http.StatusNotFound, problem{Error: "no such issuer or key"})
	case err != nil:
		c.audit(line, "failed", n, slog.Any("error", err))
		answer.Error = err.Error()
		writeJSON(w, http.StatusInternalServerError, answer)
	default:
		c.audit(line, "done", n)
		writeJSON(w, http.StatusOK, map[string]int{line.past(): n})
	}
}
