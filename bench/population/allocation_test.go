//go:build !race

package population_test

import (
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

func TestRequestIsFoundAndJudgedWithoutAllocating(t *testing.T) {
	s := source(t, two(t), population.SourceConfig{})
	r := first(t, s, "/c")
	a := &attack.Response{Status: 401, Body: []byte(`{"title":"x","status":401,"code":"token_expired","request_id":"1"}`)}
	n := int64(0)
	if allocations := testing.AllocsPerRun(1000, func() {
		n++
		if s.Request(n%1000) == nil || !r.Expect.Accept(a) {
			t.Fatal("no request, or a wrong answer")
		}
		if f, reason := s.Judge(r, a); f != attack.FailureVerdict || len(reason) == 0 {
			t.Fatal("no verdict")
		}
	}); allocations != 0 {
		t.Errorf("%v allocations a request", allocations)
	}
}
