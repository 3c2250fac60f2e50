package backend_test

import (
	"context"
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

func Example() {
	key, err := corpus.NewKey("ES256", "kid-1")
	if err != nil {
		panic(err)
	}
	b, err := backend.Start(context.Background(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = b.Close() }()

	b.SetFault(backend.Status(503)) // Nothing is within reach.
	b.SetFault(nil)                 // And back.
	token, err := b.Token(backend.Citizen2, "")
	fmt.Println(token != "", err, b.Issuer() == b.URL(), b.Fetches(backend.KeySetPath))
	// Output: true <nil> true 0
}
