package admin

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
)

// purgesFull answers a purge for which there is no room.
const purgesFull = "not purged: as many purges of this issuer are remembered as can be; " +
	"allow (PUT) one whose key the issuer no longer publishes, then purge again"

// keyChanges answers DELETE (purge) and PUT (allow) of /keys/{issuer}/{kid}.
type keyChanges struct {
	*gate

	keys     KeyAdmin
	changing sync.Mutex // held by the one change that is made
}

// problem is the answer to a change that was not made, or not for good.
type problem struct {
	Error   string `json:"error"`
	Code    string `json:"code,omitzero"`
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
		refuse(w, http.StatusMethodNotAllowed, problem{Error: "DELETE purges a key, PUT allows it again"})
		return
	}
	issuer, kid, found := splitKeyPath(r.URL.EscapedPath())
	line := audit{action: action, issuer: issuer, kid: kid, remote: r.RemoteAddr}
	if !c.admit(w, r, &line, noBody) {
		return
	}
	if !found {
		c.audit(line, "not found", 0)
		refuse(w, http.StatusNotFound, problem{Error: "no key has this path: /keys/{issuer}/{kid}, percent-encoded"})
		return
	}
	c.change(w, line)
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
	case errors.Is(err, ErrPurgesFull):
		c.audit(line, "refused", 0, slog.String("reason", purgesFull))
		writeJSON(w, http.StatusConflict, problem{Error: purgesFull})
	case err != nil:
		c.audit(line, "failed", n, slog.Any("error", err))
		answer.Error = err.Error()
		writeJSON(w, http.StatusInternalServerError, answer)
	default:
		c.audit(line, "done", n)
		writeJSON(w, http.StatusOK, map[string]int{line.past(): n})
	}
}
