package backend

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// The accounts that tokens are made for.
const (
	Citizen2     = "citizen2"     // A citizen with account level 2.
	Citizen1     = "citizen1"     // A citizen with account level 1.
	Organisation = "organisation" // An organisation, which has no account level.
)

// Accounts returns the accounts that tokens are made for.
func Accounts() []string { return []string{Citizen2, Citizen1, Organisation} }

// Token returns a fresh token: as is one of [Accounts], or a [corpus.Fault] to put into a token of [Citizen2]. It is
// signed by the first key with the algorithm alg; empty means the first key. The error is [ErrAccount].
func (b *Backend) Token(as, alg string) (string, error) {
	keys := b.keys.Load().signing
	i := slices.IndexFunc(keys, func(k *corpus.Key) bool { return alg == "" || k.Algorithm() == alg })
	if i < 0 {
		return "", fmt.Errorf("%w: no current key has the algorithm %q", ErrAccount, alg)
	}
	if token, known := b.describe(as); known {
		return token.Sign(keys[i])
	}
	citizen, _ := b.describe(Citizen2)
	raw, err := citizen.SignFaulty(keys[i], corpus.Fault(as))
	if errors.Is(err, corpus.ErrFault) {
		return "", fmt.Errorf("%w: %w", ErrAccount, err)
	}
	return raw, err
}

// describe returns what a fresh token of an account says.
func (b *Backend) describe(account string) (token corpus.Token, known bool) {
	token = corpus.NewToken(b.issuer, b.audience, b.now())
	switch account {
	case Citizen2:
	case Citizen1:
		token.AccountLevel = 1
	case Organisation:
		token = token.Organisation()
	default:
		return corpus.Token{}, false
	}
	return token, true
}

// serveToken answers /token?as=…&alg=… with a bare token, ready for $(curl …), and /token?as=…&format=opaque with an
// opaque one.
func (b *Backend) serveToken(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	mint := func() (string, error) { return b.Token(query.Get("as"), query.Get("alg")) }
	if query.Get("format") == "opaque" {
		mint = func() (string, error) { return b.Opaque(query.Get("as")) }
	}
	token, err := mint()
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case errors.Is(err, ErrAccount):
		http.Error(w, err.Error()+"\nas = "+strings.Join(choices(), " | "), http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(token))
	}
}

func choices() []string {
	all := Accounts()
	for _, fault := range corpus.Faults() {
		all = append(all, string(fault))
	}
	return all
}
