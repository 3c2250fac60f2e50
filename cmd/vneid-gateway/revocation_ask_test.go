package main

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
)

// shows asks site s with a token.
func (g *faulted) shows(t testing.TB, token minted) answer {
	t.Helper()
	return g.from(t, "s", request{path: reading, token: token.raw})
}

// refuses checks that a token is refused because it was revoked.
func (g *faulted) refuses(t testing.TB, token minted) {
	t.Helper()
	g.shows(t, token).refusedWith(t, http.StatusUnauthorized, "token_revoked")
}

// askers is how many connections ask for [faulted.statuses].
const askers = 4

// statuses asks with each token once, and returns the answers' statuses.
func (g *faulted) statuses(t testing.TB, tokens []minted) []int {
	t.Helper()
	statuses := make([]int, len(tokens))
	var asking sync.WaitGroup
	for first := range min(askers, len(tokens)) {
		conn, err := dialRaw(g.data)
		if err != nil {
			t.Fatal(err)
		}
		asking.Go(func() {
			defer conn.close()
			for i := first; i < len(tokens); i += askers {
				var err error
				if statuses[i], _, err = conn.do(rawRequest(http.MethodGet, "s.example", reading, tokens[i].raw)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	asking.Wait()
	return statuses
}

// answersAll checks that each token is answered with a status, now.
func (g *faulted) answersAll(t testing.TB, tokens []minted, status int) {
	t.Helper()
	got := make(map[int]int)
	for _, s := range g.statuses(t, tokens) {
		got[s]++
	}
	if want := map[int]int{status: len(tokens)}; len(tokens) > 0 && !maps.Equal(got, want) {
		t.Errorf("answers by status %v, want %v", got, want)
	}
}

// comesToRefuse returns when each token is refused.
func (g *faulted) comesToRefuse(t testing.TB, tokens []minted) {
	t.Helper()
	g.awaitThat(t, fmt.Sprintf("%d tokens refused", len(tokens)), func() bool {
		var left []minted
		for i, status := range g.statuses(t, tokens) {
			if status != http.StatusUnauthorized {
				left = append(left, tokens[i])
			}
		}
		tokens = left
		return len(left) == 0
	})
}
