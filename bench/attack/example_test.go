package attack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/pace"
)

func ExampleRun() {
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	u, err := url.Parse(target.URL + "/nothing")
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := attack.Build(http.MethodGet, u, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Expect.Statuses = []int{http.StatusNotFound}
	profile, err := pace.Constant(200, 500*time.Millisecond)
	if err != nil {
		fmt.Println(err)
		return
	}
	schedule := profile.Poisson(1)
	result, err := attack.Run(context.Background(), attack.Config{
		Address: u.Host, Source: attack.Cycle{request}, Schedule: &schedule, Connections: 4,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Due, result.Statuses, result.Failed)
	// Output: 105 map[404:105] 0
}
