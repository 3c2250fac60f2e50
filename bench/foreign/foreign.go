// Package foreign runs an OpenID provider that this project did not write, the npm package oidc-provider, as the issuer
// of tests: what a gateway accepts from it, it accepts from a stranger who follows the standards.
//
// It needs Node 20 or later and "npm ci" in the folder provider.
package foreign

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// stopTimeout bounds how long the provider may take to end after it was told to.
const stopTimeout = 5 * time.Second

// Available reports, for the folder that holds provider.mjs, whether [Start] can work: nil, or [ErrUnavailable] with what is missing.
func Available(dir string) error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		return fmt.Errorf(`%w: run "npm ci" in bench/foreign/provider: %w`, ErrUnavailable, err)
	}
	return nil
}

// Provider is a running provider. Its methods are safe for concurrent use.
type Provider struct {
	// Issuer is its "iss" and the URL that discovery starts from.
	Issuer string

	secret string
	key    *corpus.Key // of the client that authenticates by private_key_jwt
	stop   func() error
}

const (
	// startTimeout is how long the provider may take to listen, which takes it a second where nothing else is to do.
	startTimeout = time.Minute
	// attempts is how often it is started: about once in a thousand times Node hangs in a lock of its own before it
	// has said a word.
	attempts = 3
)

// Start runs the provider in dir, the folder of provider.mjs, on a free port of the loopback interface, and returns
// when it listens, which takes three minutes at most. It ends with ctx or by [Provider.Close], whichever is first, and
// with this process at the latest. Errors are [ErrUnavailable] and [ErrStart].
func Start(ctx context.Context, dir string) (*Provider, error) {
	if err := Available(dir); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		p, err := start(ctx, dir, startTimeout)
		if attempt == attempts || !errors.Is(err, errSilent) {
			return p, err
		}
	}
}

// errSilent means that the provider neither listened nor ended.
var errSilent = errors.New("it does not listen")

func start(ctx context.Context, dir string, timeout time.Duration) (*Provider, error) {
	secret := rand.Text()
	key, err := corpus.NewKey("ES256", "gateway-key")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	public, err := json.Marshal(key.PublicJWK())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	output := &output{listening: make(chan string, 1)}
	command := exec.CommandContext(ctx, "node", "provider.mjs")
	command.Dir = dir
	command.Env = append(os.Environ(), "FOREIGN_CLIENT_SECRET="+secret, "FOREIGN_CLIENT_JWK="+string(public))
	command.Stdout, command.Stderr = output, output
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTimeout
	// The provider ends when this pipe closes, which it does even when this process is killed.
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()

	select {
	case issuer := <-output.listening:
		stop := sync.OnceValue(func() error {
			err := errors.Join(stdin.Close(), <-ended)
			if ctx.Err() != nil {
				return nil // It was stopped by its context, as asked.
			}
			return err
		})
		return &Provider{Issuer: issuer, secret: secret, key: key, stop: stop}, nil
	case err := <-ended:
		return nil, fmt.Errorf("%w: %w: %s", ErrStart, errors.Join(err, context.Cause(ctx)), output.tail())
	case <-time.After(timeout):
		_ = command.Process.Kill()
		return nil, fmt.Errorf("%w: %w in %s: %w: %s", ErrStart, errSilent, timeout, <-ended, output.tail())
	}
}

// Close stops the provider and waits for its end. It may be called again.
func (p *Provider) Close() error { return p.stop() }

// maxOutput bounds how much of the provider's output is kept for error messages.
const maxOutput = 16 << 10

// output collects what the provider says until it says that it listens.
type output struct {
	listening chan string

	mu   sync.Mutex
	text bytes.Buffer
	said bool
}

// Write takes a part of the output. What comes after the announcement, or beyond the bound, is dropped.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said || o.text.Len() > maxOutput {
		return len(p), nil
	}
	o.text.Write(p)
	for line := range strings.Lines(o.text.String()) {
		issuer, found := strings.CutPrefix(line, "listening ")
		if found && strings.HasSuffix(issuer, "\n") {
			o.said = true
			o.listening <- strings.TrimSpace(issuer)
			break
		}
	}
	return len(p), nil
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
