package backend

import (
	"net/http"
)

// maxToken bounds the token that is asked about, in bytes: a longer one is not active.
const maxToken = 16 << 10

// serveIntrospection answers whether a token is active: RFC 7662 section 2.
func (b *Backend) serveIntrospection(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := b.authenticate(r); err != nil {
		err.write(w)
		return
	}
	tokens := r.PostForm["token"]
	// RFC 6749 section 3.2: a parameter must not come more than once.
	if len(tokens) != 1 || tokens[0] == "" {
		refuseRequest(w, "one token is needed")
		return
	}
	var claims map[string]any
	if len(tokens[0]) <= maxToken {
		claims = b.active(tokens[0])
	}
	if claims == nil {
		// RFC 7662 section 2.2: nothing is said about why.
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	claims["active"] = true
	claims["token_type"] = "Bearer"
	if party, told := claims["azp"]; told {
		claims["client_id"] = party
	}
	writeJSON(w, http.StatusOK, claims)
}

// clientError is an error answer of RFC 6749 section 5.2.
type clientError struct {
	status      int
	code        string
	description string
}

func (e *clientError) write(w http.ResponseWriter) {
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="introspection"`)
	}
	writeJSON(w, e.status, map[string]string{"error": e.code, "error_description": e.description})
}

func badClient(description string) *clientError {
	return &clientError{status: http.StatusUnauthorized, code: "invalid_client", description: description}
}

func badRequest(description string) *clientError {
	return &clientError{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

func refuseRequest(w http.ResponseWriter, description string) { badRequest(description).write(w) }
