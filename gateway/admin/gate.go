package admin

import (
	"crypto/sha256"
	"crypto/subtle"
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

// gate stands before whatever changes something: it lets operators through and
// writes down who wanted what.
type gate struct {
	log    *slog.Logger
	closed bool // no token is configured
	token  [sha256.Size]byte

	changing sync.Mutex // held by the one change that is made

	auditing sync.Mutex
	attempts *rate.Limiter // by auditing
	omitted  uint64        // by auditing: attempts without a line of their own
}

func newGate(cfg Config) *gate {
	return &gate{
		log:      cfg.Log,
		closed:   len(cfg.Token) == 0,
		token:    sha256.Sum256(cfg.Token),
		attempts: rate.NewLimiter(auditPerSecond, auditBurst),
	}
}

// admit lets r through, or answers it and audits the attempt.
func (g *gate) admit(w http.ResponseWriter, r *http.Request, line audit) bool {
	status, reason := g.refusal(r)
	if status == 0 {
		return true
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	g.attempt(line, reason)
	refuse(w, status, reason)
	return false
}

// refuse ends the connection as well: what else the client sends is not read.
func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Connection", "close")
	writeJSON(w, status, problem{Error: reason})
}

// refusal returns why r may not change anything; status 0 if it may.
func (g *gate) refusal(r *http.Request) (status int, reason string) {
	switch {
	case fromBrowser(r.Header):
		return http.StatusForbidden, "changes are not taken from a browser's page"
	case g.closed:
		return http.StatusForbidden, "nothing can be changed: set admin.token_file"
	case !g.authorised(r.Header.Values("Authorization")):
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
func (g *gate) authorised(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	scheme, shown, ok := strings.Cut(fields[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// attempt audits a change that its sender may not make. Anybody who reaches
// the listener can cause these, so they are bounded in number.
func (g *gate) attempt(a audit, reason string) {
	g.auditing.Lock()
	defer g.auditing.Unlock()
	if !g.attempts.Allow() {
		g.omitted++
		return
	}
	g.audit(a, "refused", 0, slog.String("reason", reason), slog.Uint64("omitted", g.omitted))
	g.omitted = 0
}
