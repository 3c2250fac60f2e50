package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
)

// fielded answers rightly, with further fields, which may depend on the time.
func fielded(fields func(http.Header)) backend.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		fields(w.Header())
		next.ServeHTTP(w, r)
	}
}

func field(name, value string) backend.Fault {
	return fielded(func(h http.Header) { h.Set(name, value) })
}

// Caching fields shorten and lengthen the time between fetches, within bounds.
func TestCachingFieldsOfTheKeySetAreHonouredWithinBounds(t *testing.T) {
	t.Parallel()
	const (
		// The interval is an hour, or a second; the fields move it to the other.
		shorten  = "refresh: 1h, refresh_min: 1s, refresh_max: 1h"
		lengthen = "refresh: 1s, refresh_min: 1s, refresh_max: 1h"
		// The bounds hold the fields back.
		least = "refresh: 1h, refresh_min: 1h, refresh_max: 1h"
		most  = "refresh: 2s, refresh_min: 1s, refresh_max: 2s"
		name  = "Cache-Control"
	)
	expires := func(in time.Duration) backend.Fault {
		return fielded(func(h http.Header) { h.Set("Expires", time.Now().Add(in).UTC().Format(http.TimeFormat)) })
	}
	aged := fielded(func(h http.Header) {
		h.Set(name, "max-age=3600")
		h.Set("Age", "3599")
	})
	often, once := map[*party]time.Duration{}, []*party{}
	var all []*party
	add := func(label, jwks string, f backend.Fault) *party {
		p := newParty(t, label, jwks, "")
		p.SetFault(f)
		all = append(all, p)
		return p
	}
	control := add("no-field", "refresh: 1s", nil)
	for label, f := range map[string]backend.Fault{
		"max-age": field(name, "max-age=1"), "no-store": field(name, "no-store"), "no-cache": field(name, "public, no-cache"),
		"expires": expires(time.Second), "expired": expires(-time.Hour), "expires-not-a-date": field("Expires", "0"), "age": aged,
	} {
		often[add(label, shorten, f)] = time.Second
	}
	for label, f := range map[string]backend.Fault{"most-max-age": field(name, "max-age=3600"), "most-expires": expires(time.Hour)} {
		often[add(label, most, f)] = 2 * time.Second
	}
	for label, f := range map[string]backend.Fault{"long-max-age": field(name, "max-age=3600"), "long-expires": expires(time.Hour)} {
		once = append(once, add(label, lengthen, f))
	}
	for label, f := range map[string]backend.Fault{"least-max-age": field(name, "max-age=1"), "least-no-store": field(name, "no-store")} {
		once = append(once, add(label, least, f))
	}
	begun := time.Now()
	g := serve(t, partyConfig(startSite(t).URL(), all...))
	g.awaitReady(t)
	fetches := func(p *party) int64 { return p.Fetches(backend.KeySetPath) }
	eventually(t, "fetched every second without a field", func() bool { return fetches(control) >= 4 })
	for p, pause := range often {
		eventually(t, p.name+" fetched again and again", func() bool { return fetches(p) >= 3 })
		p.within(t, fetches(p), time.Since(begun), pause)
	}
	for _, p := range once {
		if n := fetches(p); n != 1 {
			t.Errorf("%s: %d fetches, want 1", p.name, n)
		}
	}
	g.stop(t)
}
