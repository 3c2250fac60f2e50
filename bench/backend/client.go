package backend

import (
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// The ways in which a client authenticates: OpenID Connect Core 1.0 section 9.
const (
	SecretBasic   = "client_secret_basic"
	SecretPost    = "client_secret_post"
	PrivateKeyJWT = "private_key_jwt"
)

// Client may ask the introspection endpoint.
type Client struct {
	// ID is the client_id.
	ID string
	// Secret is for [SecretBasic] and [SecretPost]. Optional. Without it both are refused.
	Secret string
	// Key's public half and algorithm verify the assertions of [PrivateKeyJWT]. Optional. Without it that is refused.
	Key *corpus.Key
	// Method is the one way that is accepted. Optional. Defaults to every way that the client has the means for.
	Method string
}

func (c Client) may(method string) bool { return c.Method == "" || c.Method == method }

// authenticate returns nil where a client is who it says.
func (b *Backend) authenticate(r *http.Request) *clientError {
	form := r.PostForm
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"} {
		if len(form[name]) > 1 {
			return badRequest(name + " comes more than once")
		}
	}
	_, byHeader := r.Header["Authorization"]
	bySecret, byAssertion := form.Has("client_secret"), form.Has("client_assertion")
	switch {
	// RFC 6749 section 2.3: not more than one method in a request.
	case byHeader && (bySecret || byAssertion), bySecret && byAssertion:
		return badRequest("more than one way of authentication")
	case byHeader:
		id, secret, ok := r.BasicAuth()
		// RFC 6749 section 2.3.1: both were encoded as form values first.
		id, badID := url.QueryUnescape(id)
		secret, badSecret := url.QueryUnescape(secret)
		if !ok || badID != nil || badSecret != nil {
			return badClient("credentials cannot be read")
		}
		return b.checkSecret(SecretBasic, id, secret)
	case bySecret:
		return b.checkSecret(SecretPost, form.Get("client_id"), form.Get("client_secret"))
	case byAssertion:
		return b.checkAssertion(form)
	}
	return badClient("no credentials")
}

func (b *Backend) checkSecret(method, id, secret string) *clientError {
	client, known := b.clients[id]
	if !known || client.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) != 1 {
		return badClient("unknown client or wrong secret")
	}
	if !client.may(method) {
		return badClient(method + " is not this client's way")
	}
	return nil
}
