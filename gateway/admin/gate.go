package admin

import (
	"log/slog"
	"net/http"
	"strconv"
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

// noBody is the bound of a change that is told by its path alone.
const noBody = 0

// gate stands before whatever changes something: it lets operators through and
// writes down who wanted what.
type gate struct {
	operators

	log *slog.Logger

	auditing sync.Mutex
	attempts *rate.Limiter // by auditing
	omitted  uint64        // by auditing: attempts without a line of their own
}

func newGate(cfg Config, certs *certificates) *gate {
	return &gate{
		operators: newOperators(cfg.Token, certs),
		log:       cfg.Log,
		attempts:  rate.NewLimiter(auditPerSecond, auditBurst),
	}
}

// admit lets r through, or answers it and audits the attempt. It completes the
// line with who it was. A body that is told to be longer than maxBody bytes is not
// read; one that is not told is for the caller to bound.
func (g *gate) admit(w http.ResponseWriter, r *http.Request, line *audit, maxBody int64) bool {
	by, status, reason := g.refusal(r, maxBody)
	line.by = by
	if status == 0 {
		return true
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	g.attempt(*line, reason)
	code := ""
	if status == http.StatusRequestEntityTooLarge {
		code = codeTooLarge
	}
	refuse(w, status, problem{Error: reason, Code: code})
	return false
}

// refuse ends the connection as well: what else the client sends is not read.
func refuse(w http.ResponseWriter, status int, p problem) {
	w.Header().Set("Connection", "close")
	writeJSON(w, status, p)
}

// refusal returns who sent r and why it may not change anything; status 0 if it
// may.
func (g *gate) refusal(r *http.Request, maxBody int64) (by string, status int, reason string) {
	if fromBrowser(r.Header) {
		return byNobody, http.StatusForbidden, "changes are not taken from a browser's page"
	}
	by, status, reason = g.who(r)
	switch {
	case status != 0:
		return by, status, reason
	case maxBody == noBody && r.ContentLength != 0:
		return by, http.StatusBadRequest, "a change has no body"
	case r.ContentLength > maxBody:
		return by, http.StatusRequestEntityTooLarge, tooLarge(maxBody)
	}
	return by, 0, ""
}

func tooLarge(maxBody int64) string {
	return "the body is longer than " + strconv.FormatInt(maxBody, 10) + " bytes"
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
