package stand

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

func TestMain(m *testing.M) {
	// It sleeps on for 10 s after its server was shut down.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// mint makes a corpus of a few requests, with the issuer on a port that was free.
func mint(t *testing.T) string {
	t.Helper()
	address, err := FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := population.DefaultConfig()
	c.Warm, c.Cold, c.Reuse.ColdShare = 20, 0, 0
	c.Algorithms = []population.Part[string]{{Of: "ES256", Share: 1}}
	c.IssuerURL = "http://" + address
	dir := filepath.Join(t.TempDir(), "corpus")
	if _, err := population.Mint(t.Context(), dir, c); err != nil {
		t.Fatal(err)
	}
	return dir
}

// script is a gateway that does what a shell does.
func script(t *testing.T, lines string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vneid-gateway")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+lines+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAStandThatCannotStartSaysWhatTheGatewayLoggedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	here := t.TempDir()
	for name, c := range map[string]struct {
		gateway, says string
		patience      time.Duration // short where it is what ends the start
	}{
		"it ends at once":       {script(t, "echo line 1 >&2; echo no licence >&2; exit 1"), "no licence", patient},
		"it is no program":      {here, "permission denied", patient},
		"it is not there":       {filepath.Join(here, "missing"), "no such file", patient},
		"it says nothing":       {script(t, "exec sleep 600"), "it logged nothing", time.Second},
		"it listens to nobody":  {script(t, `echo '{"msg":"admin","address":"127.0.0.1:1"}' >&2; exec sleep 600`), "not ready in time", time.Second},
		"it ends unready":       {script(t, `echo '{"msg":"admin","address":"127.0.0.1:1"}' >&2; echo out of memory >&2`), "out of memory", patient},
		"it floods its own log": {script(t, `i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "line $i" >&2; done; exit 1`), "line 100", patient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := startPatiently(t, c.gateway, c.patience, c.says)
			if s != nil || !errors.Is(err, ErrGateway) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want a word of %q", err, c.says)
			}
			if n := strings.Count(err.Error(), "line "); n > tailLines {
				t.Errorf("%d lines of its log are told", n)
			}
		})
	}
}

// patient is longer than any machine takes for what is not about time.
const patient = time.Minute

// startPatiently starts a stand that cannot start, and again where the machine was too slow for what it is to say, or
// somebody took the issuer's port.
func startPatiently(t *testing.T, gateway string, patience time.Duration, says string) (*Stand, error) {
	t.Helper()
	for {
		s, err := Start(t.Context(), Config{Gateway: gateway, Corpus: mint(t), Directory: t.TempDir(), Patience: patience})
		slow := patience < patient && err != nil && !strings.Contains(err.Error(), says)
		if !slow && !errors.Is(err, syscall.EADDRINUSE) {
			return s, err
		}
		patience = min(4*patience, patient)
	}
}

func TestAdminPortThatSomebodyTookIsGivenUpForAnother(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	ready := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer ready.Close()
	// The first process finds its port taken; the next one listens.
	met := filepath.Join(t.TempDir(), "met")
	gateway := script(t, `echo "$@" >>`+met+`; if [ $(wc -l <`+met+`) -eq 1 ]; then echo "listen: bind: address already in use" >&2; exit 1; fi
echo '{"msg":"admin","address":"`+strings.TrimPrefix(ready.URL, "http://")+`"}' >&2; exec sleep 600`)
	s := &Stand{config: Config{Gateway: gateway, Patience: patient}, layout: &layout{}, client: newClient(), keeper: newKeeper(), release: func() {}, remove: func() {}}
	r := &replica{directory: t.TempDir()}
	if err := s.start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.process.kill()
	r.process = nil
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	asked, err := os.ReadFile(met)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(asked)), "\n")
	if len(lines) != 2 || adminOf(lines[0]) == adminOf(lines[1]) || !strings.HasPrefix(adminOf(lines[1]), "127.0.0.1:") {
		t.Errorf("asked to listen by %q", lines)
	}
}

func adminOf(arguments string) string {
	_, after, _ := strings.Cut(arguments, "admin.address=")
	address, _, _ := strings.Cut(after, " ")
	return address
}

func TestGatewayGivesUpItsDrainBeforeTheStandDoes(t *testing.T) {
	t.Parallel()
	s := &Stand{config: Config{Patience: time.Second}, layout: &layout{}}
	_, after, found := strings.Cut(strings.Join(s.arguments(&replica{}), " "), "shutdown.deadline=")
	text, _, _ := strings.Cut(after, " ")
	deadline, err := time.ParseDuration(text)
	if !found || err != nil || drainDelay+deadline >= s.config.Patience {
		t.Errorf("a deadline of %q after %v, with a patience of %v", text, drainDelay, s.config.Patience)
	}
}

func TestAConfigThatMakesNoStandIsRefused(t *testing.T) {
	t.Parallel()
	good := Config{Gateway: "vneid-gateway", Corpus: "corpus"}
	for says, spoil := range map[string]func(*Config){
		"Gateway":       func(c *Config) { c.Gateway = "" },
		"Corpus":        func(c *Config) { c.Corpus = "" },
		"Replicas":      func(c *Config) { c.Replicas = MaxReplicas + 1 },
		"Processors":    func(c *Config) { c.Processors = -1 },
		"UpstreamBytes": func(c *Config) { c.UpstreamBytes = MaxUpstreamBytes + 1 },
		"Patience":      func(c *Config) { c.Patience = time.Millisecond },
	} {
		c := good
		spoil(&c)
		if _, err := Start(t.Context(), c); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestAHeldPortRefusesUntilSomebodyListensAndIsSharedThen(t *testing.T) {
	t.Parallel()
	address, release, err := holdPort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("a port that is only held takes connections")
	}
	if l, err := net.Listen("tcp", address); err == nil {
		_ = l.Close()
		t.Error("somebody who does not share it was given it")
	}
}

func TestAnUpstreamIsSlowFromOneOrderToTheNext(t *testing.T) {
	t.Parallel()
	u, err := startUpstream(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(ctx context.Context) (int64, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.address+"/x", nil)
		if err != nil {
			return 0, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.ContentLength, nil
	}
	if n, err := get(t.Context()); n != 7 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	s := &Stand{layout: &layout{}, upstreams: []*upstream{u}}
	s.layout.Sites = append(s.layout.Sites, struct {
		Name      string `yaml:"name"`
		Upstreams []any  `yaml:"upstreams"`
	}{Name: "hanoi"})
	if err := s.SlowUpstream("hue", time.Hour); !errors.Is(err, ErrOrder) {
		t.Errorf("of a site that there is not: %v", err)
	}
	if err := s.SlowUpstream("hanoi", time.Hour); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := get(ctx)
		answered <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.Served() < 2 { // It is on its way.
		select {
		case err := <-answered:
			t.Fatalf("it is answered at once: %v", err)
		case <-tick.C:
		}
	}
	if err := s.SlowUpstream("", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("what was slowed: %v", err)
	}
	if err := u.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// operators is an admin listener that counts what it is told to revoke.
type operators struct {
	revoked, calls atomic.Int64
	refuse         atomic.Bool
}

func (o *operators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Reason      string       `json:"reason"`
		Revocations []Revocation `json:"revocations"`
	}
	switch {
	case o.refuse.Load():
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	case r.Header.Get("Authorization") != "Bearer secret", r.URL.Path != "/revocations", json.NewDecoder(r.Body).Decode(&call) != nil,
		call.Reason == "", len(call.Revocations) == 0, len(call.Revocations) > MaxRevocations:
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	o.calls.Add(1)
	o.revoked.Add(int64(len(call.Revocations)))
}

func TestRevocationsGoInCallsThatAGatewayTakes(t *testing.T) {
	t.Parallel()
	var o operators
	server := httptest.NewServer(&o)
	defer server.Close()
	admin := Admin{URL: server.URL, Token: "secret", Client: server.Client()}
	if err := admin.Revoke(t.Context(), make([]Revocation, MaxRevocations+1)...); err != nil {
		t.Fatal(err)
	}
	if o.revoked.Load() != MaxRevocations+1 || o.calls.Load() != 2 {
		t.Errorf("%d in %d calls", o.revoked.Load(), o.calls.Load())
	}
	o.refuse.Store(true)
	if err := admin.Revoke(t.Context(), Revocation{}); !errors.Is(err, ErrGateway) || !strings.Contains(err.Error(), "503 later") {
		t.Errorf("what is refused: %v", err)
	}
}

// RoundTrip answers without a network, so that a test's clock can be its own.
func (o *operators) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	o.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func TestAFloodRevokesAtItsRateAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o operators
		admin := Admin{URL: "http://gateway", Token: "secret", Client: &http.Client{Transport: &o}}
		begin := time.Now()
		n, err := Flood(t.Context(), []Admin{admin, admin}, "issuer", 1000, 350*time.Millisecond)
		if err != nil || n != 350 || o.revoked.Load() != 2*350 || o.calls.Load() != 2*4 || time.Since(begin) != 350*time.Millisecond {
			t.Errorf("%d revoked, of which the gateways have %d in %d calls, in %v, %v", n, o.revoked.Load(), o.calls.Load(), time.Since(begin), err)
		}
		o.refuse.Store(true)
		if _, err := Flood(t.Context(), []Admin{admin}, "issuer", 1000, time.Minute); !errors.Is(err, ErrGateway) {
			t.Errorf("a flood that is refused: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := Flood(ctx, []Admin{admin}, "issuer", 1000, time.Minute); n != 0 || err != nil {
			t.Errorf("a flood that is ended before it begins: %d, %v", n, err)
		}
	})
}
