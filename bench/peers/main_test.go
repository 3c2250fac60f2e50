package peers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"
)

// standIn is the variable that makes this program a proxy; its value says what kind of.
const standIn = "VNEID_BENCH_STAND_IN"

const (
	honest   = "honest"   // does the job
	careless = "careless" // looks at no token
	moody    = "moody"    // refuses good tokens, once it has seen some
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(standIn); kind != "" {
		if err := proxyAs(kind, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// What cleans a closed server of fasthttp sees that only once in ten seconds.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// proxyAs serves as the gateway's configuration says.
func proxyAs(kind, file string) error {
	var config struct {
		Listen  []struct{ Address string }
		Issuers []struct {
			Issuer     string
			Algorithms []string
			Audience   struct {
				AnyOf []string `yaml:"any_of"`
			}
			JWKS struct{ File string }
		}
		Sites []struct {
			Upstreams []string
			Rules     []any
		}
	}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(raw, &config)
	}
	if err != nil {
		return err
	}
	origin, err := url.Parse(config.Sites[0].Upstreams[0])
	if err != nil {
		return err
	}
	issuer := config.Issuers[0]
	// The public key in PEM stands beside the key set.
	text, err := os.ReadFile(strings.TrimSuffix(issuer.JWKS.File, ".json") + ".pem")
	if err != nil {
		return err
	}
	key, err := jwt.ParseECPublicKeyFromPEM(text)
	if err != nil {
		return err
	}
	parser := jwt.NewParser(jwt.WithIssuer(issuer.Issuer), jwt.WithAudience(issuer.Audience.AnyOf...),
		jwt.WithValidMethods(issuer.Algorithms), jwt.WithExpirationRequired())
	forward := httputil.NewSingleHostReverseProxy(origin)
	forward.Transport = &http.Transport{MaxIdleConnsPerHost: 100}
	var served atomic.Int64
	return http.ListenAndServe(config.Listen[0].Address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
		open := kind == careless || len(config.Sites[0].Rules) > 0
		if n := served.Add(1); kind == moody && n > 500 {
			open, err = false, jwt.ErrTokenUnverifiable
		}
		if err != nil && !open {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode("no")
			return
		}
		forward.ServeHTTP(w, r)
	}))
}
