package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// parseJWKS parses a configuration whose only issuer has the given jwks.
func parseJWKS(jwks string) (*Config, error) {
	return Parse("x", fmt.Appendf(nil, `
listen: [{ address: ":8080" }]
issuers: [{ name: a, issuer: a, jwks: { %s }, audience: { any_of: [x] } }]
sites: [{ name: s, hosts: ["*"], upstreams: ["http://u"], issuers: [a] }]
`, jwks), "testdata")
}

func TestAnAbsentIntervalMovesOutOfTheWayOfAStatedOne(t *testing.T) {
	t.Parallel()
	for stated, want := range map[string][5]time.Duration{ // min, mean, max, soft, hard
		"":                  {time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour},
		"refresh: 1s":       {time.Second, time.Second, 30 * time.Minute, time.Hour, 24 * time.Hour},
		"refresh: 2h":       {time.Minute, 2 * time.Hour, 2 * time.Hour, time.Hour, 24 * time.Hour},
		"refresh_min: 10m":  {10 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour},
		"refresh_min: 1h":   {time.Hour, time.Hour, time.Hour, time.Hour, 24 * time.Hour},
		"refresh_max: 20s":  {20 * time.Second, 20 * time.Second, 20 * time.Second, time.Hour, 24 * time.Hour},
		"hard_stale: 40m":   {time.Minute, 5 * time.Minute, 30 * time.Minute, 40 * time.Minute, 40 * time.Minute},
		"hard_stale: 720h":  {time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 720 * time.Hour},
		"soft_stale: 24h":   {time.Minute, 5 * time.Minute, 30 * time.Minute, 24 * time.Hour, 24 * time.Hour},
		"refresh_max: 10m":  {time.Minute, 5 * time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour},
		"refresh_min: 100s": {100 * time.Second, 5 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour},
	} {
		c, err := parseJWKS(strings.TrimSuffix("url: https://a.example.vn, "+stated, ", "))
		if err != nil {
			t.Errorf("%s: %v", stated, err)
			continue
		}
		j := c.Issuers[0].JWKS
		if got := [5]time.Duration{j.RefreshMin, j.Refresh, j.RefreshMax, j.SoftStale, j.HardStale}; got != want {
			t.Errorf("%s: got %v, want %v", stated, got, want)
		}
	}
}

func TestStatedIntervalsThatContradictEachOtherAreAFault(t *testing.T) {
	t.Parallel()
	for stated, want := range map[string]string{
		"refresh: 5m, refresh_min: 5m1s":     "refresh_min: 5m1s is more than refresh, 5m",
		"refresh: 5m, refresh_max: 4m59s":    "refresh: 5m is more than refresh_max, 4m59s",
		"refresh_min: 2m, refresh_max: 1m":   "refresh_min: 2m is more than refresh_max, 1m",
		"soft_stale: 24h1s":                  "soft_stale: 24h0m1s is more than hard_stale, 24h",
		"soft_stale: 2h, hard_stale: 1h":     "soft_stale: 2h is more than hard_stale, 1h",
		"refresh_max: 10m, hard_stale: 660s": "hard_stale: 11m is not more than 11m, the longest time between two fetches",
		"refresh: 5m, refresh_min: 5m":       "",
		"refresh: 5m, refresh_max: 5m":       "",
		"refresh_min: 2m, refresh_max: 2m":   "",
		"soft_stale: 1h, hard_stale: 1h":     "",
		"refresh_max: 10m, hard_stale: 661s": "",
	} {
		_, err := parseJWKS("url: https://a.example.vn, " + stated)
		if want == "" && err == nil {
			continue
		}
		if want == "" || err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "issuers[0].jwks."+want) {
			t.Errorf("%s: got %v, want %s", stated, err, want)
		}
	}
}

func TestASoftLimitThatEveryFetchWouldReachIsAWarning(t *testing.T) {
	t.Parallel()
	for stated, want := range map[string]int{
		"url: https://a.example.vn":                                     0,
		"url: https://a.example.vn, soft_stale: 33m":                    1,
		"url: https://a.example.vn, soft_stale: 33m1s":                  0,
		"file: keys.json, refresh: 10m, soft_stale: 11m":                1,
		"file: keys.json, refresh: 10m, soft_stale: 661s":               0,
		"file: keys.json, refresh: 10m, refresh_max: 2h":                0,
		"url: https://a.example.vn, refresh_max: 55m, soft_stale: 61m":  0,
		"url: https://a.example.vn, refresh_max: 1h, hard_stale: 4000s": 1,
	} {
		c, err := parseJWKS(stated)
		if err != nil {
			t.Errorf("%s: %v", stated, err)
			continue
		}
		w := c.Warnings()
		if len(w) != want || want > 0 && w[0].Field != "issuers[0].jwks.soft_stale" {
			t.Errorf("%s: got %v, want %d", stated, w, want)
		}
	}
}
