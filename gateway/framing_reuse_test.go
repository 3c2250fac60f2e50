package gateway

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// TestNothingOfARequestIsKeptWhenItsConnectionServesTheNext sends requests of
// equal lengths one after the other on one connection, which fasthttp reads into
// the same memory: what is kept of one (its verdict, its line in the log) must
// not change with the next.
func TestNothingOfARequestIsKeptWhenItsConnectionServesTheNext(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	const people, rounds = 8, 3
	tokens := make([]string, people)
	for i := range tokens {
		tokens[i] = r.token(func(t *corpus.Token) { t.Subject, t.ID = fmt.Sprintf("person-%d", i), fmt.Sprintf("token-%d", i) })
	}
	c := r.dial()
	var want []string
	for range rounds {
		for i, tok := range tokens {
			c.send(request("GET", fmt.Sprintf("/private/%c", 'a'+i), bearer(tok), fmt.Sprintf("X-Request-Id: request-%d", i)))
			if a := c.answer("GET"); a.status != 200 || a.header.Get("X-Request-Id") != fmt.Sprintf("request-%d", i) {
				t.Fatalf("%d %s %v", a.status, a.code, a.header)
			}
			want = append(want, fmt.Sprintf("/private/%c request-%d", 'a'+i, i))
		}
	}
	for n, got := range r.upstream.Requests() {
		i := n % people
		if s := got.Values("X-VNeID-Subject"); !slices.Equal(s, []string{fmt.Sprintf("person-%d", i)}) {
			t.Errorf("request %d was sent as %q", n, s)
		}
		if s := got.Values("X-VNeID-Token-Id"); !slices.Equal(s, []string{fmt.Sprintf("token-%d", i)}) {
			t.Errorf("request %d was sent with %q", n, s)
		}
	}
	r.stop()
	var logged []string
	for _, line := range r.log.lines("request") {
		logged = append(logged, fmt.Sprint(line["path"], " ", line["request_id"]))
	}
	if !slices.Equal(logged, want) {
		t.Errorf("the log tells of %q, want %q", logged, want)
	}
}
