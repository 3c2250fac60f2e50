package admin

import (
	"log/slog"
	"net/http"
	"strings"
)

// reloads answers POST /reload.
type reloads struct {
	*gate

	reload func(cause string) error
}

// refused is the answer to a configuration that was not taken: what is wrong
// with it, one fault each.
type refused struct {
	Error  string   `json:"error"`
	Faults []string `json:"faults"`
}

// ServeHTTP reloads, and answers when the new configuration is in force or was
// refused.
func (a *reloads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line := audit{action: "reload", remote: r.RemoteAddr}
	if !a.admit(w, r, &line, noBody) {
		return
	}
	// Reloads are made one after the other; a change of keys does not wait for
	// one.
	if err := a.reload("POST /reload"); err != nil {
		a.audit(line, "refused", 0, slog.String("reason", "the configuration is not valid, or not now"))
		writeJSON(w, http.StatusUnprocessableEntity, refused{
			Error:  "the configuration was refused; the one before stays in force",
			Faults: strings.Split(err.Error(), "\n"),
		})
		return
	}
	a.audit(line, "done", 0)
	writeJSON(w, http.StatusOK, map[string]string{"status": "reloaded"})
}
