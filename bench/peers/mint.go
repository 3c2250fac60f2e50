package peers

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	issuer   = "https://sso.example.vn/realms/vneid"
	audience = "dichvucong"
	host     = "dichvucong.example.vn"
	path     = "/api/ho-so/000123"
	// lifetime of the tokens outlasts every run.
	lifetime = 24 * time.Hour
	// prelude is how many cold tokens are used before it is measured what they cost.
	prelude = 500
)

// population is a key and the tokens under it.
type population struct {
	algorithm string
	key       *corpus.Key
	// warm and cold are requests with a token each.
	warm, cold []attack.Request
	// tokenBytes is how long a token is.
	tokenBytes int
}

// mint makes the key and the tokens. They take some 1.2 KiB each.
func mint(ctx context.Context, algorithm string, warm, cold int, now time.Time) (*population, error) {
	key, err := corpus.NewKey(algorithm, "peers-"+strings.ToLower(algorithm))
	if err != nil {
		return nil, err
	}
	all := make([]attack.Request, warm+cold)
	var next, bytes atomic.Int64
	var minting errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		minting.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				signed, err := token(now).Sign(key)
				if err != nil {
					return err
				}
				if all[i], err = request(signed); err != nil {
					return err
				}
				if i == 0 {
					bytes.Store(int64(len(signed)))
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := minting.Wait(); err != nil {
		return nil, err
	}
	return &population{algorithm: algorithm, key: key, warm: all[:warm], cold: all[warm:], tokenBytes: int(bytes.Load())}, nil
}

func token(now time.Time) corpus.Token {
	t := corpus.NewToken(issuer, audience, now)
	t.Expires = now.Add(lifetime)
	return t
}

// request is what is sent with a token, or without one where it is empty. The address is no part of it.
func request(token string) (attack.Request, error) {
	header := http.Header{"Accept": {"application/json"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	r, err := attack.Build(http.MethodGet, &url.URL{Scheme: "http", Host: host, Path: path}, header, nil)
	r.Expect = attack.Expect{Statuses: []int{http.StatusOK}, Accept: fromUpstream}
	return r, err
}

// fromUpstream says whether an answer is the upstream's and whole.
func fromUpstream(r *attack.Response) bool { return r.BodyBytes == bodyBytes }

// write writes the public key as the proxies read it, into dir.
func (p *population) write(dir string) (pemFile, setFile string, err error) {
	pemFile, setFile = filepath.Join(dir, p.key.ID()+".pem"), filepath.Join(dir, p.key.ID()+".json")
	text, err := publicPEM(p.key.Public())
	if err == nil {
		err = os.WriteFile(pemFile, text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(setFile, corpus.KeySetJSON(p.key), 0o600)
	}
	return pemFile, setFile, err
}

func publicPEM(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// confused is a token that is "signed" with HMAC under the public key, in the hope that whoever verifies it takes the
// algorithm from its header and the key from a file: RFC 8725 section 2.1.
func confused(t corpus.Token, key *corpus.Key) (string, error) {
	secret, err := publicPEM(key.Public())
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(map[string]string{"alg": "HS256", "typ": t.Type, "kid": key.ID()})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(t.ClaimSet())
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(header) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil)), nil
}

// altered is a token whose claims were changed after it was signed.
func altered(t corpus.Token, key *corpus.Key) (string, error) {
	signed, err := t.Sign(key)
	if err != nil {
		return "", err
	}
	t.Subject = "somebody-else"
	claims, err := json.Marshal(t.ClaimSet())
	if err != nil {
		return "", err
	}
	parts := strings.Split(signed, ".")
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + parts[2], nil
}
