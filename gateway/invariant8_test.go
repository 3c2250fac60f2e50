package gateway

import (
	"context"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// held keeps a request inside the handler until it is let go.
type held struct{ entered, release chan struct{} }

func newHeld() *held { return &held{make(chan struct{}, 1), make(chan struct{})} }

func (h *held) Revoked(*token.Claims, *token.Key) bool {
	h.entered <- struct{}{}
	<-h.release
	return false
}

func TestInvariant8ARequestSeesOneConfiguration(t *testing.T) {
	t.Parallel()
	hook := newHeld()
	r := newRig(t, setup{revocations: hook})
	other, err := origin.Record(context.Background(), origin.Always(origin.OK()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })

	conn := r.dial().send(request("GET", "/private", bearer(r.token())))
	<-hook.entered
	// Meanwhile everything changes: the upstream, the rules, the issuer's keys.
	r.reload(setup{upstreams: "[" + other.URL() + "]", site: "issuers: [legacy]"})
	close(hook.release)
	if a := conn.answer("GET"); a.status != 200 {
		t.Errorf("the request in flight: %d %s", a.status, a.code)
	}
	if r.reached() != 1 || len(other.Requests()) != 0 {
		t.Errorf("%d requests at its own upstream, %d at the new one", r.reached(), len(other.Requests()))
	}
	// The same connection's next request sees the new state, and no old verdict.
	if a := conn.send(request("GET", "/private", bearer(r.token()))).answer("GET"); a.status == 200 {
		t.Error("the next request passed under rules that are gone")
	}
	if a := conn.send(request("GET", "/level2/x")).answer("GET"); a.status != 401 {
		t.Errorf("%d %s", a.status, a.code)
	}
}
