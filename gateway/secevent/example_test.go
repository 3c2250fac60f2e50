package secevent_test

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/secevent"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// One transmitter that pushes its events, and is polled as well.
func Example() {
	var (
		verifier *token.Verifier   // of the transmitter's issuer
		keys     token.KeySource   // the transmitter's
		intake   secevent.Accepter // puts entries in force
	)
	stream, err := secevent.New(secevent.Config{
		Name:     "sso",
		Verifier: verifier,
		Keys:     keys,
		Audience: []string{"https://gateway.example/events"},
		Issuers:  []string{"https://sso.example"},
		Lifetime: func(string) time.Duration { return time.Hour },
		Accept:   intake,
		Log:      slog.Default(),
	})
	if err != nil {
		return // ErrConfig
	}
	push, err := secevent.NewPush(secevent.PushConfig{Stream: stream, Token: []byte("shared with the transmitter")})
	if err != nil {
		return
	}
	http.Handle("/events", push)

	client, err := identity.NewClient(identity.ClientConfig{Timeout: 90 * time.Second, MaxBytes: 1 << 20})
	if err != nil {
		return
	}
	endpoint, err := identity.NewEndpoint(client, "https://sso.example/poll", false)
	if err != nil {
		return
	}
	poller, err := secevent.NewPoller(secevent.PollConfig{
		Stream:   stream,
		Endpoint: endpoint,
		Breaker:  identity.NewGuard(identity.GuardConfig{BreakAfter: 5, BreakFor: 10 * time.Second}),
	})
	if err != nil {
		return
	}
	_ = poller.Run // in a goroutine, until its context ends
}
