package identity_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
)

func ExampleRefresher() {
	key, err := corpus.NewKey("ES256", "kid-1")
	if err != nil {
		panic(err)
	}
	issuer, err := backend.Start(context.Background(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = issuer.Close() }()
	client, err := identity.NewClient(identity.ClientConfig{
		Timeout:  5 * time.Second,
		MaxBytes: 1 << 20,
	})
	if err != nil {
		panic(err)
	}

	keys := new(cache.Keys)
	refresher := identity.NewRefresher(identity.RefresherConfig{
		Issuer:     "vneid",
		Source:     identity.DiscoverySource{Client: client, Issuer: issuer.Issuer()},
		Keys:       keys,
		Algorithms: []string{"ES256"},
		Breaker:    identity.NewGuard(identity.GuardConfig{BreakAfter: 5, BreakFor: 10 * time.Second}),
		Interval:   5 * time.Minute,
		Log:        slog.New(slog.DiscardHandler),
	})
	// A gateway starts refresher.Run instead, and goes on.
	err = refresher.Refresh(context.Background())
	fmt.Println(keys.Snapshot().Len(), err)

	issuer.SetFault(backend.Status(503))
	err = refresher.Refresh(context.Background())
	fmt.Println(keys.Snapshot().Len(), err, refresher.Stats().LastFailure)
	// Output:
	// 1 <nil>
	// 1 identity: backend answered with an error status: 503 status
}
