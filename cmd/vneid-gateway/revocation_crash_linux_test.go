package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vneid-gateway/vneid-gateway/bench/backend"
	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// senders revoke tokens at the admin listener, one call after the other, and
// remember what was acknowledged.
type senders struct {
	client *http.Client

	mu           sync.Mutex
	asked        int
	acknowledged []string // jti
}

// repeated is how many tokens a call revokes that every call does, beside one of its
// own. So logs fill and snapshots stay small: they are written all the time.
const repeated = 99

// run revokes with two calls under way at a time, until the gateway is gone or
// enough was done.
func (s *senders) run(t *testing.T, admin string, round int) {
	var both sync.WaitGroup
	for sender := range 2 {
		both.Go(func() {
			for call := range 8 {
				if !s.call(t, admin, fmt.Sprintf("%d-%d-%d", round, sender, call)) {
					return
				}
			}
		})
	}
	both.Wait()
}

// call reports whether the gateway answered.
func (s *senders) call(t *testing.T, admin, name string) bool {
	type one struct {
		Issuer string `json:"issuer"`
		ID     string `json:"jti"`
	}
	var body struct {
		Reason string `json:"reason"`
		All    []one  `json:"revocations"`
	}
	body.Reason, body.All = "crash test", []one{{"vneid", name}}
	for i := range repeated {
		body.All = append(body.All, one{"vneid", fmt.Sprint("again-", i)})
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Error(err)
		return false
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, admin+"/revocations", bytes.NewReader(raw))
	if err != nil {
		t.Error(err)
		return false
	}
	req.Header.Set("Authorization", "Bearer "+operatorToken)
	req.Header.Set("Content-Type", "application/json")
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusServiceUnavailable {
		return err == nil // The log is full until the snapshot is written that the last kill prevented.
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("POST /revocations: %d %s", resp.StatusCode, answer)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acknowledged = append(s.acknowledged, name) // The status says so, whatever became of the rest of the answer.
	return err == nil
}

// said waits for the address in a line of the log; "" where the process ended
// before.
func (d *doomed) said(t *testing.T, msg string) string {
	t.Helper()
	limit := time.After(patience)
	for {
		d.mu.Lock()
		written := d.written
		d.mu.Unlock()
		for line := range bytes.Lines([]byte(d.output())) {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Msg == msg {
				return "http://" + e.Address
			}
		}
		select {
		case <-written:
		case <-d.ended:
			return ""
		case <-limit:
			t.Fatalf("it did not say %q", msg)
		}
	}
}

// inCopy checks a copy of the directory, as it lies there after a crash.
func (s *senders) inCopy(t *testing.T, dir, iss string, secret revocation.Secret) {
	t.Helper()
	cfg := journal.Config{Dir: filepath.Join(t.TempDir(), "copy"), Secret: secret}
	if err := os.CopyFS(cfg.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	j, report, err := journal.Open(cfg)
	if err != nil {
		t.Fatalf("%v, %+v", err, report)
	}
	defer func() { _ = j.Close() }()
	missing := 0
	for _, id := range s.acknowledged {
		if !j.Store().Revoked(&token.Claims{Issuer: iss, TokenID: id}, nil) {
			missing++
		}
	}
	if missing > 0 || j.Store().Len() > s.asked+repeated || len(report.Damaged) > 0 {
		t.Fatalf("%d of %d acknowledged are missing, %d asked for, %+v", missing, len(s.acknowledged), s.asked, report)
	}
	if err := os.RemoveAll(cfg.Dir); err != nil {
		t.Fatal(err)
	}
}

// A hundred times on one directory, the gateway is killed before one step or other
// of those that it takes to start, to acknowledge and to write a snapshot.
func TestNothingAcknowledgedIsMissingAfterAKillBetweenAnyTwoSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	const kills, steps = 100, 50
	key, err := corpus.NewKey("ES256", "k1")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := backend.Start(t.Context(), backend.Config{Keys: []*corpus.Key{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	dir := filepath.Join(t.TempDir(), "revocations")
	config := ownConfig(issuer.Issuer(), startSite(t).URL(), fmt.Sprintf(
		"revocation: { directory: %q, log_bytes: 8KiB }\nshutdown: { delay: 0s, deadline: 5s }", dir))
	config = replaceOnce(t, config, `admin: { address: "127.0.0.1:0" }`,
		fmt.Sprintf(`admin: { address: "127.0.0.1:0", token_file: %q }`, operatorFile(t)))
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}

	s := &senders{client: &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}}
	killedAt := make(map[string]int)
	for round := range kills {
		only, at := "", 1+round*19%steps
		if turn := round % 5; turn > 2 { // The steps that are rare, in which a snapshot takes the place of a log.
			only, at = []string{"rename", "remove"}[turn-3], 1+round/5%2
		}
		d := startDoomed(t, dir, only, at, "serve", "--config", file)
		if admin := d.said(t, "admin"); admin != "" {
			s.run(t, admin, round)
		}
		_ = d.signal(unix.SIGKILL) // Where it did not take so many steps.
		<-d.ended
		if d.err != nil {
			t.Fatalf("round %d: %v", round, d.err)
		}
		killedAt[d.step]++
		if _, err := os.Stat(dir); err == nil {
			s.inCopy(t, dir, issuer.Issuer(), revocation.Secret{})
		}
	}
	t.Logf("killed before: %v; %d acknowledged of %d asked for", killedAt, len(s.acknowledged), s.asked)
	if len(s.acknowledged) < kills {
		t.Errorf("only %d acknowledged", len(s.acknowledged))
	}
	for _, step := range []string{"mkdir", "create", "write", "fsync", "rename", "remove"} {
		if killedAt[step] == 0 {
			t.Errorf("never killed before a %s", step)
		}
	}

	g := serve(t, config)
	g.awaitReady(t)
	for _, id := range append(s.acknowledged, "again-0") {
		tok := corpus.NewToken(issuer.Issuer(), "tthc", time.Now())
		tok.ID = id
		s.refused(t, g, tok, key, true)
	}
	s.refused(t, g, corpus.NewToken(issuer.Issuer(), "tthc", time.Now()), key, false)
}

func (s *senders) refused(t *testing.T, g *process, tok corpus.Token, key *corpus.Key, want bool) {
	t.Helper()
	raw, err := tok.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	a := send(t, g.data, request{host: testHost, path: "/api/ho-so", token: raw})
	if !want {
		a.echo(t)
		return
	}
	a.refusedWith(t, http.StatusUnauthorized, "token_revoked")
}

func replaceOnce(t *testing.T, text, old, replacement string) string {
	t.Helper()
	before, after, found := strings.Cut(text, old)
	if !found {
		t.Fatalf("no %s", old)
	}
	return before + replacement + after
}
