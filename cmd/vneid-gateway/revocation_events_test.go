package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

const (
	caepEvent = "https://schemas.openid.net/secevent/caep/event-type/"
	riscEvent = "https://schemas.openid.net/secevent/risc/event-type/"
	// eventAudience is the gateway, as the transmitter knows it.
	eventAudience = "https://gateway.example"
	pushToken     = "the-transmitter-0123456789"
)

// eventToken is a security event token (RFC 8417) and its jti.
type eventToken struct{ jti, raw string }

// event makes one, of one event at a time, about a subject (RFC 9493).
func (w *revocationWorld) event(t testing.TB, jti, kind string, at time.Time, subject map[string]any) eventToken {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"iss": w.issuer.Issuer(), "aud": eventAudience, "iat": time.Now().Unix(), "jti": jti,
		"events": map[string]any{kind: map[string]any{"subject": subject, "event_timestamp": at.Unix()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.key.SignCompact([]byte(`{"alg":"ES256","typ":"secevent+jwt","kid":"k1"}`), payload)
	if err != nil {
		t.Fatal(err)
	}
	return eventToken{jti, raw}
}

// user is a subject in the issuer's words.
func (w *revocationWorld) user(sub string) map[string]any {
	return map[string]any{"format": "iss_sub", "iss": w.issuer.Issuer(), "sub": sub}
}

// told is an event, the token that it is about, and one that the same person was
// issued after it.
type toldEvent struct {
	name        string
	event       eventToken
	old, newer  minted
	newerPasses bool
}

// toldEvents are of every kind that the gateway knows. They happened half a minute
// ago.
func (w *revocationWorld) toldEvents(t testing.TB) []toldEvent {
	t.Helper()
	at := time.Now().Add(-30 * time.Second)
	var all []toldEvent
	for n, c := range []struct {
		kind        string
		session     bool
		newerPasses bool
	}{
		{caepEvent + "session-revoked", false, true},
		{caepEvent + "session-revoked", true, true},
		{caepEvent + "credential-change", false, true},
		{caepEvent + "token-claims-change", false, true},
		{riscEvent + "account-disabled", false, false},
	} {
		subject := fmt.Sprintf("00109900000%d", n)
		old := w.mint(t, func(token *corpus.Token) {
			token.Subject, token.IssuedAt, token.NotBefore = subject, at.Add(-30*time.Second), at.Add(-30*time.Second)
		})
		newer := w.mint(t, func(token *corpus.Token) { token.Subject = subject })
		about := w.user(subject)
		if c.session {
			about = map[string]any{"session": map[string]any{"format": "opaque", "id": old.SessionID}}
		}
		all = append(all, toldEvent{
			fmt.Sprintf("%s, of a session %v", c.kind[strings.LastIndexByte(c.kind, '/')+1:], c.session),
			w.event(t, fmt.Sprintf("event-%d", n), c.kind, at, about), old, newer, c.newerPasses,
		})
	}
	return all
}

// took checks what a gateway knows of an event that it has acknowledged.
func (e *toldEvent) took(t *testing.T, g *faulted) {
	t.Helper()
	g.refuses(t, e.old)
	if e.newerPasses {
		g.shows(t, e.newer).echo(t)
		return
	}
	g.refuses(t, e.newer)
}

// silentAbout checks that the log names nobody.
func (g *faulted) silentAbout(t *testing.T, events []toldEvent) {
	t.Helper()
	for _, e := range events {
		for _, id := range []string{e.old.Subject, e.old.SessionID, e.old.ID, e.event.raw, e.event.jti, pushToken} {
			if strings.Contains(g.output(), id) {
				t.Errorf("%s: the log has %q", e.name, id)
			}
		}
	}
}

// RFC 8935.
func TestAPushedEventIsInForceWhenItIsAcknowledgedAndStaysSo(t *testing.T) {
	t.Parallel()
	w := newRevocationWorld(t)
	receiver := reserve(t)
	c := revocationConfig{
		directory:  newDirectory(t),
		revocation: fmt.Sprintf("  receiver: { address: %q }", receiver),
		issuer: fmt.Sprintf("    revocation: { events: { audience: [%q], push: true, push_token_file: %q } }",
			eventAudience, secretFile(t, []byte(pushToken))),
	}
	g := w.serveReady(t, c)
	transmitter := newCallers(t)
	push := func(raw, bearer string) answer {
		t.Helper()
		a, err := transmitter.call("http://"+receiver+"/events/vneid", "application/secevent+jwt", bearer, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	told, spared := w.toldEvents(t), w.mint(t, nil)
	for _, e := range told {
		g.shows(t, e.old).echo(t)
		forged := []byte(e.event.raw)
		forged[len(forged)-20] ^= 1
		for bearer, raw := range map[string]string{pushToken: string(forged), "": e.event.raw, "somebody-else": e.event.raw} {
			if a := push(raw, bearer); a.status != http.StatusBadRequest || !strings.Contains(a.body, `"err"`) {
				t.Errorf("%s, forged or of a stranger: %d %s", e.name, a.status, a.body)
			}
		}
		g.shows(t, e.old).echo(t)
		if a := push(e.event.raw, pushToken); a.status != http.StatusAccepted || a.body != "" {
			t.Fatalf("%s: %d %s", e.name, a.status, a.body)
		}
		e.took(t, g)
	}
	for _, e := range told { // RFC 8935 section 2.2: a transmitter may send one again
		if a := push(e.event.raw, pushToken); a.status != http.StatusAccepted {
			t.Errorf("%s, again: %d %s", e.name, a.status, a.body)
		}
	}
	if n := g.metric(t, `vneid_gateway_security_event_tokens_total{delivery="push",issuer="vneid",outcome="duplicate"}`); n != float64(len(told)) {
		t.Errorf("%v duplicates, want %d", n, len(told))
	}
	g.shows(t, spared).echo(t)
	g.silentAbout(t, told)
	g = w.restart(t, g, true, c)
	for _, e := range told {
		e.took(t, g)
	}
	g.shows(t, spared).echo(t)
	t.Logf("%d events acknowledged, each sent twice; %d refused; 1 crash", len(told), 3*len(told))
	g.stop(t)
}

// transmitter offers security events to whoever polls (RFC 8936).
type transmitter struct {
	*loopback.Server
	// acked is called for each acknowledgement before the poll is answered.
	acked func(jti string)

	mu      sync.Mutex
	offered map[string]string
	done    []string
	errors  map[string]string // what was reported, by jti
}

func newTransmitter(t *testing.T, acked func(jti string)) *transmitter {
	t.Helper()
	x := &transmitter{acked: acked, offered: map[string]string{}, errors: map[string]string{}}
	x.Server = handle(t, x.poll)
	return x
}

func (x *transmitter) offer(jti, raw string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.offered[jti] = raw
}

func (x *transmitter) poll(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Ack     []string
		SetErrs map[string]struct{ Err string }
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || r.Header.Get("Authorization") != "Bearer "+pushToken {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, jti := range asked.Ack {
		x.acked(jti)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, jti := range asked.Ack {
		x.done = append(x.done, jti)
		delete(x.offered, jti)
	}
	for jti, e := range asked.SetErrs {
		x.errors[jti] = e.Err
		delete(x.offered, jti)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"sets": x.offered})
}

// left returns how many were neither acknowledged nor refused.
func (x *transmitter) left() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.offered)
}

func TestAPolledEventIsInForceBeforeItIsAcknowledgedAndStaysSo(t *testing.T) {
	t.Parallel()
	w := newRevocationWorld(t)
	told, spared := w.toldEvents(t), w.mint(t, nil)
	var asking struct {
		sync.Mutex
		g        *faulted
		statuses []int
	}
	x := newTransmitter(t, func(jti string) {
		asking.Lock()
		defer asking.Unlock()
		for _, e := range told {
			if e.event.jti == jti {
				asking.statuses = append(asking.statuses, asking.g.statuses(t, []minted{e.old})...)
			}
		}
	})
	c := revocationConfig{
		directory: newDirectory(t),
		issuer: fmt.Sprintf("    revocation: { events: { audience: [%q], poll_url: %q, poll_token_file: %q, poll_every: 100ms } }",
			eventAudience, x.URL(), secretFile(t, []byte(pushToken))),
	}
	g := w.serveReady(t, c)
	asking.Lock()
	asking.g = g
	asking.Unlock()
	for _, e := range told {
		g.shows(t, e.old).echo(t)
	}
	for _, e := range told {
		x.offer(e.event.jti, e.event.raw)
	}
	x.offer("forged", told[0].event.raw[:len(told[0].event.raw)-20])
	g.awaitThat(t, "all settled", func() bool { return x.left() == 0 })
	for _, e := range told {
		e.took(t, g)
	}
	asking.Lock()
	if want := slices.Repeat([]int{http.StatusUnauthorized}, len(told)); !slices.Equal(asking.statuses, want) {
		t.Errorf("at their acknowledgement tokens were answered %v, want %v", asking.statuses, want)
	}
	asking.Unlock()
	x.mu.Lock()
	if len(x.done) != len(told) || len(x.errors) != 1 || x.errors["forged"] == "" {
		t.Errorf("acknowledged %q, reported %v", x.done, x.errors)
	}
	x.mu.Unlock()
	g.silentAbout(t, told)
	g = w.restart(t, g, true, c)
	for _, e := range told {
		e.took(t, g)
	}
	g.shows(t, spared).echo(t)
	t.Logf("%d events acknowledged, 1 reported; 1 crash", len(told))
	g.stop(t)
}
