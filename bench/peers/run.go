package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// run is what the loads of a run share.
type run struct {
	Config
	proxies     []proxy
	result      *Result
	starter     *starter
	upstream    *upstream
	client      *http.Client
	populations []*population
	// dir has a folder for whatever runs, and address and admin are where it listens.
	dir, address, admin string
	keySets             *loopback.Server
	self                string
}

// Run measures. Errors wrap [ErrConfig], [ErrMissing], [ErrProxy] or [ErrSystem], or are those of ctx; a proxy that does
// not do the job is none, see [Result.Fit]. All threads of the calling process run on one processor meanwhile, so it is
// to be called once at a time. When it returns, all processes have ended.
func Run(ctx context.Context, config Config) (*Result, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	if missing := Missing(config.Proxies); len(missing) > 0 {
		return nil, fmt.Errorf("%w: of the Debian packages %s", ErrMissing, strings.Join(missing, " "))
	}
	if config.Gateway != "" {
		// Each proxy runs in a folder of its own.
		if config.Gateway, err = exec.LookPath(config.Gateway); err == nil {
			config.Gateway, err = filepath.Abs(config.Gateway)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: Gateway: %w", ErrConfig, err)
		}
	}
	var chosen []proxy
	for _, p := range proxies() {
		if !slices.Contains(config.Proxies, p.name) {
			continue
		}
		if p.name == gatewayName {
			p.program = config.Gateway
		}
		chosen = append(chosen, p)
	}
	return runProxies(ctx, config, chosen)
}

// runProxies is Run of a complete configuration, and of proxies that are given.
func runProxies(ctx context.Context, config Config, chosen []proxy) (result *Result, err error) {
	r := &run{
		Config:  config,
		proxies: chosen,
		client: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		result: &Result{
			Rounds: config.Rounds, Requests: config.Requests, LongestSeconds: config.Longest.Seconds(), WarmTokens: config.Tokens,
			Connections: config.Connections, BodyBytes: bodyBytes, Algorithms: config.Algorithms,
			ProxyProcessor: config.ProxyProcessor, LoadProcessor: config.LoadProcessor, StartedAt: time.Now(),
		},
	}
	for _, p := range chosen {
		r.result.Proxies = append(r.result.Proxies, Proxy{Name: p.name, Title: p.title, Versions: p.versions(ctx), Unsupported: p.unsupported})
	}
	if err := r.mint(ctx); err != nil {
		return nil, err
	}
	down, err := r.setUp(ctx)
	defer func() { err = errors.Join(err, down()) }()
	if err != nil {
		return nil, err
	}
	if err := r.examineAll(ctx); err != nil {
		return nil, err
	}
	if err := r.measureAll(ctx); err != nil {
		return nil, err
	}
	r.result.ElapsedSeconds = time.Since(r.result.StartedAt).Seconds()
	return r.result, nil
}

// mint makes all tokens, on all processors.
func (r *run) mint(ctx context.Context) error {
	start := time.Now()
	for _, algorithm := range r.Algorithms {
		r.Progress(fmt.Sprintf("minting %d tokens with %s", r.Tokens+prelude+r.Requests, algorithm))
		tokens, err := mint(ctx, algorithm, r.Tokens, prelude+r.Requests, start)
		if err != nil {
			return err
		}
		r.populations = append(r.populations, tokens)
	}
	r.result.MintSeconds = time.Since(start).Seconds()
	r.result.TokenBytes = r.populations[0].tokenBytes
	return nil
}

// setUp makes what stands around the proxies. down takes down what there is, also after an error.
func (r *run) setUp(ctx context.Context) (down func() error, err error) {
	var undo []func() error
	down = func() (err error) {
		for _, u := range slices.Backward(undo) {
			err = errors.Join(err, u())
		}
		return err
	}
	quietly := func(f func()) { undo = append(undo, func() error { f(); return nil }) }

	self, err := user.Current()
	if err != nil {
		return down, err
	}
	r.self = self.Username
	if r.dir, err = os.MkdirTemp("", "vneid-bench-peers-"); err != nil {
		return down, err
	}
	undo = append(undo, func() error { return os.RemoveAll(r.dir) })
	for _, address := range []*string{&r.address, &r.admin} {
		held, release, err := holdPort()
		if err != nil {
			return down, err
		}
		*address = held
		quietly(release)
	}
	free, err := confine(r.LoadProcessor)
	if err != nil {
		return down, err
	}
	quietly(free)
	if r.starter, err = newStarter(r.ProxyProcessor); err != nil {
		return down, err
	}
	quietly(r.starter.close)
	if r.upstream, err = startUpstream(ctx); err != nil {
		return down, err
	}
	quietly(r.upstream.close)
	if r.keySets, err = serveKeySets(ctx, r.dir); err != nil {
		return down, err
	}
	undo = append(undo, r.keySets.Close)
	return down, nil
}

// with starts a proxy, does something with it, and stops it. Without tokens it looks at none.
func (r *run) with(ctx context.Context, p *proxy, tokens *population, do func(*process) error) (err error) {
	dir, err := os.MkdirTemp(r.dir, p.name+"-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &setting{
		Dir: dir, Self: r.self, Root: os.Getuid() == 0, Listen: r.address, Admin: r.admin, Origin: r.upstream.address,
		Host: host, Issuer: issuer, Audience: audience, Verdicts: max(10*r.Tokens, 10_000),
	}
	// What is not checked still needs a key, for those whose configuration has one whatever happens.
	keys := r.populations[0]
	if s.Check = tokens != nil; s.Check {
		keys = tokens
	}
	s.Algorithm, s.KeyID = keys.algorithm, keys.key.ID()
	if s.KeyFile, s.KeySetFile, err = keys.write(dir); err != nil {
		return err
	}
	s.KeySetURL = "https://" + r.keySets.Address() + "/" + filepath.Base(dir) + "/" + filepath.Base(s.KeySetFile)
	cmd, err := p.configure(s)
	if err != nil {
		return err
	}
	running, err := startProcess(r.starter, cmd)
	if err != nil {
		return fmt.Errorf("%s: %w", p.title, err)
	}
	defer func() {
		if err = errors.Join(err, running.stop()); err != nil {
			err = fmt.Errorf("%s: %w", p.title, err)
		}
	}()
	good, err := token(time.Now()).Sign(keys.key)
	if err != nil {
		return err
	}
	if err := running.await(ctx, func() bool {
		status, _, err := r.ask(ctx, good)
		return err == nil && status == http.StatusOK
	}); err != nil {
		return err
	}
	return do(running)
}

// each calls do for every proxy that can do the job, in turn: in odd rounds in the opposite order.
func (r *run) each(round int, algorithm string, do func(p *proxy) error) error {
	order := make([]int, len(r.proxies))
	for i := range order {
		order[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	for _, i := range order {
		about := &r.result.Proxies[i]
		if about.Unsupported[algorithm] != "" || len(about.Unfit[algorithm]) > 0 {
			continue
		}
		if err := do(&r.proxies[i]); err != nil {
			return err
		}
	}
	return nil
}

// examineAll finds out who does the job.
func (r *run) examineAll(ctx context.Context) error {
	for _, tokens := range r.populations {
		err := r.each(0, tokens.algorithm, func(p *proxy) error {
			r.Progress(fmt.Sprintf("%s, %s: what it accepts and refuses", p.title, tokens.algorithm))
			return r.with(ctx, p, tokens, func(*process) error {
				verdicts, err := r.examine(ctx, p, tokens)
				if err != nil {
					return err
				}
				r.result.Verdicts = append(r.result.Verdicts, verdicts...)
				i := slices.IndexFunc(r.result.Proxies, func(is Proxy) bool { return is.Name == p.name })
				if about := &r.result.Proxies[i]; !about.judge(tokens.algorithm, verdicts) {
					r.Progress(fmt.Sprintf("%s, %s: not measured: %s", p.title, tokens.algorithm, strings.Join(about.Unfit[tokens.algorithm], ", ")))
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
