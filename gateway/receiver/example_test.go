package receiver_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
)

func Example() {
	ctx := context.Background()
	accepts := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	server, err := receiver.New(receiver.Config{
		Address: "127.0.0.1:0",
		Routes:  map[string]http.Handler{"/events/vneid": accepts},
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	if err := server.Listen(ctx); err != nil {
		panic(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve() }()

	for _, path := range []string{"/events/vneid", "/events/"} {
		response, err := http.Post("http://"+server.Addr().String()+path, "application/secevent+jwt", http.NoBody)
		if err != nil {
			panic(err)
		}
		_ = response.Body.Close()
		fmt.Println(response.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(server.Shutdown(ctx), <-ended)
	// Output:
	// 202
	// 404
	// <nil> <nil>
}
