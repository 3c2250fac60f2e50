package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// ControlPath is the root of the orders, which are served where [Config.Control] says so. All parameters may be in the
// query or in a form. An order that is carried out is answered by 204, one that is not understood by 400 and why.
//
//	POST /control/fault?kind=…&for=2s&path=jwks  A fault, see below. Without for it lasts until kind=none, without path
//	                                             it is of discovery, jwks and introspection. path may be repeated.
//	POST /control/keys?do=add&kid=…&alg=ES256    Publish a fresh key, see [Backend.AddKey].
//	POST /control/keys?do=sign&kid=…             See [Backend.SignWith].
//	POST /control/keys?do=publish&jwk=…          Publish a key that another signs with, see [Backend.PublishKey].
//	POST /control/keys?do=remove&kid=…           See [Backend.RemoveKey].
//	POST /control/revoke?token=…                 See [Backend.Revoke].
//	POST /control/reset                          See [Backend.ResetFetches].
//	GET  /control/fetches                        The counts, as {"jwks":1,…}.
//
// The kinds of faults, with their parameters and what these default to:
//
//	none                        none
//	down                        closes the connection
//	refuse                      refuses connections, of the whole server; it needs "for", at the end of which it is over
//	slow           delay=10s    [Slow]
//	trickle        every=1s     [Trickle]
//	status         code=500     [Status]
//	html, truncated             [HTML], [Truncated]
//	huge, bomb     bytes=100Mi  [Huge], [Bomb]
//	body           type, body   [Body], of application/json
//	duplicate-kids              [Backend.DuplicateKids]
//	wrong-issuer                [WrongIssuer]
//	redirect       to           [RedirectSameOrigin] for to=same, else [RedirectCrossOrigin]
//	flapping       up=1s down=1s with=down  [Flapping], with another of these kinds and its parameters
const ControlPath = "/control/"

// endpointNames are what the control paths call the endpoints.
var endpointNames = [endpoints]string{"discovery", "jwks", "token", "introspection"}

func (b *Backend) serveControl(w http.ResponseWriter, r *http.Request) {
	orders := map[string]func(url.Values) error{
		ControlPath + "fault":  b.orderFault,
		ControlPath + "keys":   b.orderKeys,
		ControlPath + "revoke": func(order url.Values) error { return b.Revoke(order.Get("token")) },
		ControlPath + "reset":  func(url.Values) error { b.ResetFetches(); return nil },
	}
	carryOut, known := orders[r.URL.Path]
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	switch {
	case r.URL.Path == ControlPath+"fetches" && r.Method == http.MethodGet:
		b.serveFetches(w)
	case !known:
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST is served", http.StatusMethodNotAllowed)
	case r.ParseForm() != nil:
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
	case r.Form.Get("kind") == "refuse" && r.URL.Path == ControlPath+"fault":
		b.orderRefusal(w, r)
	default:
		if err := carryOut(r.Form); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (b *Backend) serveFetches(w http.ResponseWriter) {
	counts := map[string]int64{}
	for i, name := range endpointNames {
		counts[name] = b.fetches[i].Load()
	}
	writeJSON(w, http.StatusOK, counts)
}

// orderRefusal answers before it cuts the connection that the order came by.
func (b *Backend) orderRefusal(w http.ResponseWriter, r *http.Request) {
	refuse := b.refuse.Load()
	lasting, err := duration(r.Form, "for", 0)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case refuse == nil || lasting <= 0 || r.Form.Has("path"):
		http.Error(w, `refusing needs a server of its own, "for", and no path`, http.StatusBadRequest)
	default:
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusNoContent)
		_ = http.NewResponseController(w).Flush()
		// Where this fails there is no one left to tell; the next order finds out.
		_ = (*refuse)(lasting)
	}
}

func (b *Backend) orderKeys(order url.Values) error {
	kid := order.Get("kid")
	switch order.Get("do") {
	case "add":
		key, err := corpus.NewKey(order.Get("alg"), kid)
		if err != nil {
			return err
		}
		return b.AddKey(key)
	case "sign":
		return b.SignWith(kid)
	case "publish":
		var key corpus.JWK
		strictly := json.NewDecoder(strings.NewReader(order.Get("jwk")))
		strictly.DisallowUnknownFields() // Such as those of a private half.
		if err := strictly.Decode(&key); err != nil {
			return fmt.Errorf("%w: jwk is not the JSON of a public key", ErrKey)
		}
		return b.PublishKey(key)
	case "remove":
		return b.RemoveKey(kid)
	}
	return errors.New("do = add | sign | publish | remove")
}
