package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

const (
	// knownClients send a request each in every chaosPace.
	knownClients = 4
	chaosPace    = 20 * time.Millisecond
	// chaosTokens are reused under each key; one request in chaosCold has a
	// token of its own.
	chaosTokens = 20
	chaosCold   = 10
	// chaosComplaints bounds what is told of failures; all are counted.
	chaosComplaints = 10
	// chaosAnswer bounds the wait for one answer.
	chaosAnswer = 10 * time.Second
)

// The life of a key, as the gateway knows it.
const (
	live    int32 = iota // known to the gateway, and published
	leaving              // about to be withdrawn, or so at the backend only
	gone                 // withdrawn, and the gateway has seen that
)

// chaosKey is a key with requests under it that are made again and again.
type chaosKey struct {
	*corpus.Key
	state    atomic.Int32
	requests [][]byte
}

// chaos is a gateway between a backend that fails and clients who must not
// notice.
type chaos struct {
	issuer  *backend.Running
	gateway *process

	mu         sync.Mutex
	keys       []*chaosKey // in the order of their admission
	complaints []string

	served, cold, failed atomic.Int64 // under keys that are live
	withdrawn, passed    atomic.Int64 // under keys that are gone
	strangers, believed  atomic.Int64 // under keys that never were
	either               atomic.Int64 // under a key that left meanwhile
}

func (c *chaos) may(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *chaos) newKey(t *testing.T, alg, kid string) *chaosKey {
	t.Helper()
	key, err := corpus.NewKey(alg, kid)
	if err != nil {
		t.Fatal(err)
	}
	return c.describe(t, key)
}

func (c *chaos) describe(t *testing.T, key *corpus.Key) *chaosKey {
	t.Helper()
	k := &chaosKey{Key: key}
	for range chaosTokens {
		request, err := c.fresh(key)
		if err != nil {
			t.Fatal(err)
		}
		k.requests = append(k.requests, request)
	}
	return k
}

func (c *chaos) fresh(key *corpus.Key) ([]byte, error) {
	token, err := corpus.NewToken(c.issuer.Issuer(), c.issuer.Audience(), time.Now()).Sign(key)
	return rawRequest(http.MethodGet, testHost, reading, token), err
}

// admit lets clients use a key that the gateway knows.
func (c *chaos) admit(k *chaosKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, k)
}

// last returns the key that was admitted last.
func (c *chaos) last() *chaosKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[len(c.keys)-1]
}

// pick returns a random key in the given state, nil where there is none.
func (c *chaos) pick(state int32) *chaosKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*chaosKey
	for _, k := range c.keys {
		if k.state.Load() == state {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[rand.N(len(found))]
}

func (c *chaos) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.complaints) < chaosComplaints {
		c.complaints = append(c.complaints, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// visit makes requests at an even pace over one connection, a new one where the
// gateway closed it.
func (c *chaos) visit(stop <-chan struct{}, ask func(send func([]byte) (int, error))) {
	var conn *rawConn
	send := func(request []byte) (int, error) {
		if conn == nil {
			var err error
			if conn, err = dialRaw(c.gateway.data); err != nil {
				return 0, err
			}
		}
		_ = conn.conn.SetDeadline(time.Now().Add(chaosAnswer))
		status, last, err := conn.do(request)
		if last || err != nil {
			conn.close()
			conn = nil
		}
		return status, err
	}
	pace := time.NewTicker(chaosPace)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
			ask(send)
		case <-stop:
			if conn != nil {
				conn.close()
			}
			return
		}
	}
}

// known makes a request that must succeed, unless its key leaves meanwhile.
func (c *chaos) known(send func([]byte) (int, error)) {
	key := c.pick(live)
	request, cold := key.requests[rand.N(len(key.requests))], rand.N(chaosCold) == 0
	if cold {
		var err error
		if request, err = c.fresh(key.Key); err != nil {
			c.complain("%v", err)
			return
		}
	}
	status, err := send(request)
	switch {
	case key.state.Load() != live:
		c.either.Add(1)
	case err != nil || status != http.StatusOK:
		c.failed.Add(1)
		c.complain("a token under %s, which was known: %d %v", key.ID(), status, err)
	default:
		c.served.Add(1)
		if cold {
			c.cold.Add(1)
		}
	}
}

// suspect makes a request that must be refused: under a key that is gone, with
// a token that was good once, or under one that never was.
func (c *chaos) suspect(send func([]byte) (int, error)) {
	refused, accepted := &c.withdrawn, &c.passed
	var request []byte
	key := c.pick(gone)
	if key != nil && rand.N(2) == 0 {
		request = key.requests[rand.N(len(key.requests))]
	} else {
		refused, accepted = &c.strangers, &c.believed
		request = rawRequest(http.MethodGet, testHost, reading, c.stranger())
	}
	status, err := send(request)
	switch {
	case err != nil:
		c.failed.Add(1)
		c.complain("no answer for a suspect: %v", err)
	case status == http.StatusUnauthorized:
		refused.Add(1)
	default:
		accepted.Add(1)
		c.complain("a suspect got %d", status)
	}
}

// stranger returns a token that is good but for its key and signature.
func (c *chaos) stranger() string {
	token := corpus.NewToken(c.issuer.Issuer(), c.issuer.Audience(), time.Now())
	return underUnknownKey(token, rand.Uint64())
}

// underUnknownKey returns a token under a kid that nobody has, with a signature
// that nobody made.
func underUnknownKey(token corpus.Token, n uint64) string {
	claims := encodeJSON(token.ClaimSet())
	header := fmt.Appendf(nil, `{"alg":"ES256","kid":"stranger-%016x","typ":"at+jwt"}`, n)
	encode := base64.RawURLEncoding.EncodeToString
	return encode(header) + "." + encode(claims) + "." + encode(make([]byte, 64))
}

func encodeJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("BUG: claims do not marshal: " + err.Error())
	}
	return raw
}
