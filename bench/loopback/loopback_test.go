package loopback_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyLoopbackAddressesAreListenedOn(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "localhost:0", "127.0.0.1", "x"} {
		if _, err := loopback.Listen(t.Context(), address); !errors.Is(err, loopback.ErrNotLoopback) {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"", loopback.AnyPort, "127.0.0.2:0"} {
		listener, err := loopback.Listen(t.Context(), address)
		if err != nil {
			t.Errorf("%q: %v", address, err)
			continue
		}
		_ = listener.Close()
	}
}

func TestCloseEndsARequestThatWaits(t *testing.T) {
	t.Parallel()
	listener, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	entered, left := make(chan struct{}), make(chan struct{})
	server := loopback.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		close(left)
	}))
	failed := make(chan error, 1)
	client := &http.Client{Transport: &http.Transport{}}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, server.URL(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		failed <- err
	}()
	<-entered
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-left
	if err := <-failed; err == nil {
		t.Error("a request that was cut succeeded")
	}
	if err := server.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
