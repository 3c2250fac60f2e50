package peers

import (
	"errors"
	"testing"
	"time"
)

func TestConfigOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"unknown proxy":       {Proxies: []string{"squid"}},
		"proxy twice":         {Proxies: []string{"nginx", "nginx"}},
		"unknown algorithm":   {Proxies: []string{"nginx"}, Algorithms: []string{"HS256"}},
		"gateway without it":  {Proxies: []string{gatewayName}},
		"no such gateway":     {Proxies: []string{gatewayName}, Gateway: "/nowhere/vneid-gateway"},
		"rounds":              {Proxies: []string{"nginx"}, Rounds: MaxRounds + 1},
		"too few requests":    {Proxies: []string{"nginx"}, Requests: 99},
		"too many requests":   {Proxies: []string{"nginx"}, Requests: MaxRequests + 1},
		"longest":             {Proxies: []string{"nginx"}, Longest: time.Millisecond},
		"tokens":              {Proxies: []string{"nginx"}, Tokens: -1},
		"connections":         {Proxies: []string{"nginx"}, Connections: MaxConnections + 1},
		"one processor twice": {Proxies: []string{"nginx"}, ProxyProcessor: 3, LoadProcessor: 3},
	} {
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}

func TestGatewayTakesPartOnlyWhereItsBinaryIsGiven(t *testing.T) {
	t.Parallel()
	without, err := Config{}.complete()
	if err != nil {
		t.Skip(err) // one processor
	}
	with, err := Config{Gateway: "vneid-gateway"}.complete()
	if err != nil {
		t.Fatal(err)
	}
	if len(without.Proxies) != len(Names())-1 || len(with.Proxies) != len(Names()) {
		t.Errorf("without %v, with %v", without.Proxies, with.Proxies)
	}
}

func TestMissingPackagesAreThoseOfWhoTakesPart(t *testing.T) {
	t.Parallel()
	if missing := Missing([]string{gatewayName}); len(missing) > 0 {
		t.Errorf("the gateway is given, and lacks %v", missing)
	}
	absent := proxy{name: "absent", program: "/nowhere/absent"}
	if absent.installed() {
		t.Error("what is not there is installed")
	}
	absent.program, absent.files = "/", []string{"/nowhere/*.so"}
	if absent.installed() {
		t.Error("a module that is not there is installed")
	}
}
