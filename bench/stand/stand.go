package stand

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// Bounds and defaults of a [Config].
const (
	// MaxReplicas bounds the gateways of a stand.
	MaxReplicas = 16
	// MaxUpstreamBytes bounds the body of an upstream's answers.
	MaxUpstreamBytes = 1 << 20
	// DefaultUpstreamBytes is the length of the body of an upstream's answers.
	DefaultUpstreamBytes = 256
	// DefaultPatience bounds each wait.
	DefaultPatience = 30 * time.Second
)

const (
	// operatorToken opens the admin listeners of gateways that live as long as the stand, on loopback.
	operatorToken = "the-operator-of-a-stand" //nolint:gosec // it opens nothing else
	// drainDelay is how long a gateway that leaves still takes connections. Nothing has to look away from it first: the
	// kernel gives it none as soon as it does not listen.
	drainDelay = 200 * time.Millisecond
	// moment is RFC 3339 with milliseconds.
	moment = "2006-01-02T15:04:05.000Z07:00"
)

// Config says what a stand is made of.
type Config struct {
	// Gateway is the path of the binary. Required.
	Gateway string
	// Corpus is the directory that "vneid-bench tokens" wrote. Required.
	Corpus string
	// Replicas is how many gateways share the port, 1 to [MaxReplicas]; 0 is 1.
	Replicas int
	// Processors is how many processors each gateway may use at one time (GOMAXPROCS); 0 leaves it to the gateway.
	Processors int
	// Directory is where the gateways keep what they keep. Optional. Defaults to a new one, which Close removes.
	Directory string
	// Cutover, where it is set, replaces the moment from which the configuration's cutover rules for citizens hold.
	Cutover time.Time
	// CacheControl is that header's value on the issuers' key sets. Optional.
	CacheControl string
	// UpstreamBytes is the length of the body of an upstream's answers, up to [MaxUpstreamBytes]; 0 is
	// [DefaultUpstreamBytes].
	UpstreamBytes int
	// Set are further overrides of the configuration, as field=value; they win over the stand's own.
	Set []string
	// Environment is added to that of this process for the gateways, as NAME=value.
	Environment []string
	// Patience bounds each wait for something that must come, and a drain; 0 is [DefaultPatience].
	Patience time.Duration
}

// Stand is a running stand. Its methods are safe for concurrent use.
type Stand struct {
	config    Config
	layout    *layout
	address   string // of the gateways' data
	release   func() // frees the port
	remove    func() // removes the directory
	tokenFile string
	client    *http.Client
	keeper    *keeper
	corpus    *population.Corpus
	issuers   *population.Issuers
	controls  map[string]Control
	upstreams []*upstream // one for each site

	changing sync.Mutex // held for as long as a process comes or goes
	mu       sync.Mutex // of the fields of replicas
	replicas []*replica // as many from beginning to end
}

// Start starts a stand, and returns when every gateway is ready and refuses the tokens that the corpus says are revoked.
// Whatever goes wrong, nothing is left running. The error is [ErrConfig], [ErrGateway], or the system's.
func Start(ctx context.Context, config Config) (*Stand, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	s := &Stand{config: config, release: func() {}, remove: func() {}, client: newClient(), keeper: newKeeper()}
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c Config) complete() (Config, error) {
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.UpstreamBytes == 0 {
		c.UpstreamBytes = DefaultUpstreamBytes
	}
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{c.Gateway == "", "Gateway is missing"},
		{c.Corpus == "", "Corpus is missing"},
		{c.Replicas < 1 || c.Replicas > MaxReplicas, "Replicas must be 1 to 16"},
		{c.Processors < 0, "Processors must not be negative"},
		{c.UpstreamBytes < 0 || c.UpstreamBytes > MaxUpstreamBytes, "UpstreamBytes must be at most 1 MiB"},
		{c.Patience < time.Second || c.Patience > 5*time.Minute, "Patience must be 1s to 5m"},
	} {
		if rule.broken {
			return Config{}, fmt.Errorf("%w: %s", ErrConfig, rule.says)
		}
	}
	return c, nil
}

// build starts everything, in the order in which it is needed.
func (s *Stand) build(ctx context.Context) (err error) {
	if s.corpus, err = population.Open(s.config.Corpus); err != nil {
		return err
	}
	if s.layout, err = readLayout(filepath.Join(s.config.Corpus, population.GatewayFile)); err != nil {
		return err
	}
	if err := s.makeDirectory(); err != nil {
		return err
	}
	if s.address, s.release, err = holdPort(ctx); err != nil {
		return err
	}
	for range s.layout.Sites {
		u, err := startUpstream(ctx, s.config.UpstreamBytes)
		if err != nil {
			return err
		}
		s.upstreams = append(s.upstreams, u)
	}
	if err := s.startIssuers(ctx); err != nil {
		return err
	}
	for i := range s.config.Replicas {
		r := &replica{directory: filepath.Join(s.config.Directory, "replica-"+strconv.Itoa(i))}
		s.replicas = append(s.replicas, r)
		if err := os.MkdirAll(r.directory, 0o700); err != nil {
			return err
		}
		if err := s.start(ctx, r); err != nil {
			return err
		}
	}
	return s.revokeCorpus(ctx)
}

func (s *Stand) makeDirectory() error {
	if s.config.Directory == "" {
		made, err := os.MkdirTemp("", "vneid-bench-stand")
		if err != nil {
			return err
		}
		s.config.Directory, s.remove = made, func() { _ = os.RemoveAll(made) }
	}
	s.tokenFile = filepath.Join(s.config.Directory, "operator.token")
	return os.WriteFile(s.tokenFile, []byte(operatorToken+"\n"), 0o600)
}

// Address returns the "IP:port" that all replicas share.
func (s *Stand) Address() string { return s.address }

// Addresses returns where load goes: [Stand.Address], since the replicas share it.
func (s *Stand) Addresses() []string { return []string{s.address} }

// URL returns "http://IP:port" of the replicas' data.
func (s *Stand) URL() string { return "http://" + s.address }

// Corpus returns the corpus that the gateways verify.
func (s *Stand) Corpus() *population.Corpus { return s.corpus }

// Issuers returns the issuers of the corpus.
func (s *Stand) Issuers() *population.Issuers { return s.issuers }

// Controls returns where the issuers take orders, by the names that they have in the corpus. The map is not to be changed.
func (s *Stand) Controls() map[string]Control { return s.controls }

// Replicas returns how many gateways there are.
func (s *Stand) Replicas() int { return s.config.Replicas }

// Admins returns the admin listeners of the replicas, in their order. They stay where they are in a
// restart, unless somebody took their port meanwhile.
func (s *Stand) Admins() []Admin {
	s.mu.Lock()
	defer s.mu.Unlock()
	admins := make([]Admin, len(s.replicas))
	for i, r := range s.replicas {
		admins[i] = r.admin
	}
	return admins
}

// PIDs returns the process ids of the replicas that run, in their order. A restart changes one of them, and leaves it
// out while there is none.
func (s *Stand) PIDs() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pids []int
	for _, r := range s.replicas {
		if r.process != nil {
			pids = append(pids, r.process.cmd.Process.Pid)
		}
	}
	return pids
}

// Close ends everything: gateways by a drain, or at once where that takes longer than [Config.Patience]. The errors are
// those of gateways that did not end as they should.
func (s *Stand) Close() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Patience)
	defer cancel()
	s.mu.Lock()
	var running []*process
	for _, r := range s.replicas {
		if r.process != nil {
			running = append(running, r.process)
			r.process = nil
		}
	}
	s.mu.Unlock()
	errs := make([]error, len(running))
	var leaving sync.WaitGroup
	for i, p := range running {
		leaving.Go(func() { errs[i] = p.drain(ctx) })
	}
	leaving.Wait()
	for _, u := range s.upstreams {
		errs = append(errs, u.close(ctx))
	}
	s.upstreams = nil
	if s.issuers != nil && s.issuers.Running != nil {
		errs = append(errs, s.issuers.Close())
		s.issuers = nil
	}
	s.client.CloseIdleConnections()
	s.release()
	s.release = func() {}
	s.remove()
	if s.keeper != nil {
		s.keeper.close()
		s.keeper = nil
	}
	return errors.Join(errs...)
}
