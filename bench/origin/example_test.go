package origin_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func ExampleRecorder() {
	// The answer promises nine bytes and sends three: what does the client make of it, and what did it send?
	recorder, err := origin.Record(context.Background(), origin.Always(origin.Answer{
		Raw: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
		End: origin.Close,
	}))
	if err != nil {
		panic(err)
	}
	defer func() { _ = recorder.Close() }()

	response, err := http.Get(recorder.URL() + "/a%2Fb")
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close()
	fmt.Println(recorder.Requests()[0].Lines()[0])
	// Output: GET /a%2Fb HTTP/1.1
}
