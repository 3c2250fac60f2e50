package backend

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// The paths that are served, beside those below [ControlPath]. Any other is 404.
const (
	DiscoveryPath  = "/.well-known/openid-configuration"
	KeySetPath     = "/jwks"
	TokenPath      = "/token"
	IntrospectPath = "/introspect"
)

// The endpoints, as indices of what is kept for each.
const (
	discovery = iota
	keySetEndpoint
	tokenEndpoint
	introspection
	endpoints
)

var endpointPaths = [endpoints]string{DiscoveryPath, KeySetPath, TokenPath, IntrospectPath}

// endpointOf returns the index of a path, or -1.
func endpointOf(path string) int { return slices.Index(endpointPaths[:], path) }

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 64 << 10

// ServeHTTP answers one request.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for path, other := range b.below {
		if strings.HasPrefix(r.URL.Path, path+"/") {
			other.ServeHTTP(w, r)
			return
		}
	}
	if b.control && strings.HasPrefix(r.URL.Path, ControlPath) {
		b.serveControl(w, r)
		return
	}
	i := endpointOf(r.URL.Path)
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	b.fetches[i].Add(1)
	allowed := []string{http.MethodGet, http.MethodHead}
	if i == introspection {
		allowed = []string{http.MethodPost}
	}
	if !slices.Contains(allowed, r.Method) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		http.Error(w, "only "+allowed[0]+" is served", http.StatusMethodNotAllowed)
		return
	}
	// The body is read before a fault: an unread one hides from a waiting fault that the client has left.
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		refuseRequest(w, "the form cannot be read")
		return
	}
	right := http.HandlerFunc(b.serveRightly)
	if fault := b.faultOf(i); fault != nil {
		fault(w, r, right)
		return
	}
	right(w, r)
}

// serveRightly answers as a backend does that has no fault.
func (b *Backend) serveRightly(w http.ResponseWriter, r *http.Request) {
	switch endpointOf(r.URL.Path) {
	case discovery:
		writeJSON(w, http.StatusOK, b.discovery())
	case keySetEndpoint:
		if value := *b.cacheControl.Load(); value != "" {
			w.Header().Set("Cache-Control", value)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b.keys.Load().published)
	case tokenEndpoint:
		b.serveToken(w, r)
	case introspection:
		b.serveIntrospection(w, r)
	}
}

// discovery returns the provider metadata that OpenID Connect Discovery 1.0 section 3 requires, and what RFC 8414
// section 2 adds for introspection.
func (b *Backend) discovery() map[string]any {
	return map[string]any{
		"issuer":                                        b.issuer,
		"jwks_uri":                                      b.issuer + KeySetPath,
		"authorization_endpoint":                        b.issuer + "/authorize",
		"token_endpoint":                                b.issuer + TokenPath,
		"response_types_supported":                      []string{"code"},
		"subject_types_supported":                       []string{"public"},
		"id_token_signing_alg_values_supported":         corpus.Algorithms(),
		"introspection_endpoint":                        b.issuer + IntrospectPath,
		"introspection_endpoint_auth_methods_supported": []string{SecretBasic, SecretPost, PrivateKeyJWT},
		"introspection_endpoint_auth_signing_alg_values_supported": corpus.Algorithms(),
	}
}

// writeJSON answers with members, which always marshal.
func writeJSON(w http.ResponseWriter, status int, members any) {
	raw, err := json.Marshal(members)
	if err != nil {
		panic("BUG: an answer does not marshal: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
