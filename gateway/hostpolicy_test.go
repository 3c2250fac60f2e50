package gateway

import (
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func TestHostIsTheClientsOrTheChosenUpstreamsOwn(t *testing.T) {
	t.Parallel()
	for name, site := range map[string]string{"preserve": defaultSite, "upstream": defaultSite + "\n    host: upstream"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var recorders []*origin.Recorder
			var urls []string
			for range 2 {
				rec, err := origin.Record(t.Context(), origin.Always(origin.OK()))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = rec.Close() })
				recorders, urls = append(recorders, rec), append(urls, rec.URL())
			}
			r := newRig(t, setup{site: site + "\n    balance: round_robin", upstreams: "[" + strings.Join(urls, ", ") + "]"})
			for range 4 {
				if a := r.get("/open/x"); a.status != 200 {
					t.Fatalf("%d %s", a.status, a.code)
				}
			}
			for _, rec := range recorders {
				requests := rec.Requests()
				if len(requests) != 2 {
					t.Fatalf("an upstream got %d of 4 requests", len(requests))
				}
				for _, sent := range requests {
					client := sent.Values("X-Forwarded-Host")
					if len(client) != 1 || client[0] == "" || client[0] == rec.Address() {
						t.Fatalf("X-Forwarded-Host: %q", client)
					}
					want := client[0]
					if name == "upstream" {
						want = rec.Address()
					}
					if got := sent.Values("Host"); len(got) != 1 || got[0] != want {
						t.Errorf("Host: %q, want %q", got, want)
					}
				}
			}
		})
	}
}
