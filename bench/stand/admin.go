package stand

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// MaxRevocations is how many revocations go into one call.
	MaxRevocations = 10_000
	// maxAnswer bounds an answer that is read, in bytes.
	maxAnswer = 64 << 10
	// readyEvery is how often a gateway is asked whether it is ready.
	readyEvery = 5 * time.Millisecond
)

// Admin is the admin listener of a gateway, as an operator calls it. It does not change, and may be shared.
type Admin struct {
	// URL is http://host:port.
	URL string
	// Token is what an operator shows (admin.token_file); it is needed for what changes something.
	Token string
	// Client carries the calls. Optional. Defaults to http.DefaultClient.
	Client *http.Client
}

// Revocation is one token that is not to be trusted any more.
type Revocation struct {
	// Issuer is its iss, or the name that the gateway has for it.
	Issuer string `json:"issuer"`
	// ID is its jti.
	ID string `json:"jti"`
}

// Ready says whether the gateway is ready. An error is that of the call: not ready is none.
func (a Admin) Ready(ctx context.Context) (bool, error) {
	status, _, err := a.do(ctx, http.MethodGet, "/readyz", nil)
	return status == http.StatusOK, err
}

// Revoke puts revocations in force: when it returns nil, all of them are. They go in calls of up to [MaxRevocations].
func (a Admin) Revoke(ctx context.Context, revocations ...Revocation) error {
	for len(revocations) > 0 {
		n := min(len(revocations), MaxRevocations)
		body, err := json.Marshal(map[string]any{"reason": "bench", "revocations": revocations[:n]})
		if err != nil {
			return err
		}
		status, said, err := a.do(ctx, http.MethodPost, "/revocations", body)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("%w: revoking %d tokens: %d %s", ErrGateway, n, status, said)
		}
		revocations = revocations[n:]
	}
	return nil
}

// do calls the listener. said is the beginning of the answer, in one line.
func (a Admin) do(ctx context.Context, method, path string, body []byte) (status int, said string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	client := a.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, strings.Join(strings.Fields(string(raw)), " "), err
}

// awaitReady returns when the gateway is ready. gone ends the wait.
func (a Admin) awaitReady(ctx context.Context, gone <-chan struct{}) error {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		ready, err := a.Ready(ctx)
		if ready {
			return nil
		}
		select {
		case <-tick.C:
		case <-gone:
			return errors.New("it ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", cmp.Or(err, ctx.Err()))
		}
	}
}
