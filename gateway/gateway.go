package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
	"github.com/vneid-gateway/vneid-gateway/gateway/upstream"
)

// Options are what a Gateway is made of.
type Options struct {
	// Config is a validated configuration. Required.
	Config *config.Config
	// File is the configuration file, which is watched where the configuration
	// says so. Optional.
	File string
	// Load reads the configuration anew for a reload. Optional: without it there
	// is none.
	Load func() (*config.Config, error)
	// Inherit takes over the sockets that the service manager passed to the
	// process. At most one gateway of a process does.
	Inherit bool
	// Log takes the gateway's log. Required.
	Log *slog.Logger
	// Level is what Log goes by; a reload sets it. Optional.
	Level *slog.LevelVar
	// Version is shown by /version and build_info.
	Version Version
	// AcceptLostRevocations opens a revocation.directory of which acknowledged
	// revocations are gone. An operator says so, for one start.
	AcceptLostRevocations bool
	// Revocations is asked for every request in place of what
	// revocation.directory holds. Optional.
	Revocations Revocations
}

// Version says what was built.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitzero"`
	Go       string `json:"go"`
}

// Gateway is one running gateway. Its methods are safe for concurrent use.
type Gateway struct {
	cfg       *config.Config // what it began with; requests see their state's
	log       *slog.Logger
	level     *slog.LevelVar
	file      string
	load      func() (*config.Config, error)
	renderer  *reject.Renderer
	metrics   *metrics.Metrics
	nowhere   *metrics.Site
	reasons   []string
	exchanges *sync.Pool
	sampler   accessSampler

	state    atomic.Pointer[state]
	draining atomic.Bool
	// reloading is held while the state is replaced; retired counts those
	// that were and still have users.
	reloading sync.Mutex
	retiring  chan struct{} // closed when the last but one state has no users; with reloading held
	// swapping is held for moments: while one state takes the place of another,
	// and while an operator changes keys.
	swapping sync.Mutex
	retired  atomic.Int64

	// journal and intake are nil where no revocations are kept, fleet and receiver
	// where there is none.
	revocations Revocations
	journal     *journal.Journal
	intake      *intake.Intake
	fleet       *fleet.Fleet
	receiver    *receiver.Server
	staleness   staleness
	listMemory  *statuslist.Memory
	begun       time.Time
	sweeping    chan struct{}

	shedder       *overload.Shedder
	monitor       *overload.Monitor
	verifications *overload.Verifications

	tunnels  *upstream.Tunnels
	verdicts *cache.Verdicts
	// refused remembers what issuers said of tokens that are not good, in
	// memory of its own.
	refused *cache.Verdicts

	server    *fasthttp.Server
	admin     *admin.Server
	listeners atomic.Pointer[[]*listen.Listener] // in configured order, nil until opened
	adminAddr net.Addr
	conns     *listen.Registry
	base      context.Context // ends with the gateway
	stop      context.CancelFunc
	running   sync.WaitGroup
	failed    chan error
}

// New builds a gateway. It opens no socket and starts nothing.
func New(o Options) (*Gateway, error) {
	renderer, err := reject.New()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		cfg:         o.Config,
		log:         o.Log,
		level:       o.Level,
		file:        o.File,
		load:        o.Load,
		renderer:    renderer,
		reasons:     reasons(),
		revocations: nothingRevoked{},
		begun:       time.Now(),
		listMemory:  statuslist.NewMemory(int64(o.Config.Revocation.StatusListBytes)),
		sweeping:    make(chan struct{}, 1),
		exchanges:   newExchangePool(),
		tunnels:     upstream.NewTunnels(o.Config.Limits.Tunnels),
		failed:      make(chan error, 1),
	}
	g.tunnels.Unwanted(g.unwanted)
	g.metrics = metrics.New(g.reasons, o.Version.Version, g.sample)
	g.nowhere = g.metrics.Site("-")
	g.base, g.stop = context.WithCancel(context.Background())
	if err := g.assemble(&o); err != nil {
		g.dismantle()
		return nil, err
	}
	return g, nil
}

// Start opens the sockets, the admin listener first, and begins to serve and
// to fetch keys. After an error nothing is left open, but Shutdown is to be
// called where requests may have been served already.
func (g *Gateway) Start() error { return g.start(context.Background()) }

func (g *Gateway) start(ctx context.Context) error {
	adminListener, err := net.Listen("tcp", g.cfg.Admin.Address)
	if err != nil {
		return fmt.Errorf("admin.address: %w", err)
	}
	g.adminAddr = adminListener.Addr()
	if err := g.open(func(c *config.Listener) bool { return !c.Shared() }); err != nil {
		_ = adminListener.Close()
		return err
	}
	if err := g.startReceiver(ctx); err != nil {
		_ = adminListener.Close()
		for _, l := range g.dataListeners() {
			if l != nil {
				_ = l.Close()
			}
		}
		return err
	}
	g.serve("admin listener", func() error { return g.admin.Serve(adminListener) })
	g.run(g.state.Load(), nil)
	g.running.Go(g.runMonitor)
	g.running.Go(g.runSweeps)
	if g.journal != nil {
		g.running.Go(g.runRevocations)
		g.running.Go(g.watchSources)
	}
	if g.fleet != nil {
		g.running.Go(func() { _ = g.fleet.Run(g.base) })
	}
	if g.file != "" && g.load != nil {
		g.running.Go(g.watch)
	}
	if slices.ContainsFunc(g.cfg.Listen, func(c config.Listener) bool { return c.Shared() }) {
		g.awaitReady(ctx)
		if err := g.open((*config.Listener).Shared); err != nil {
			_ = g.admin.Shutdown(context.WithoutCancel(ctx))
			return err
		}
	}
	for i, ln := range g.dataListeners() {
		g.running.Go(func() { g.watchCertificates(ln, listenerName(&g.cfg.Listen[i], ln)) })
		g.serve("data listener", func() error { return g.server.Serve(ln) })
	}
	return nil
}

// run starts what runs in the background for st and did not for old, which may
// be nil.
func (g *Gateway) run(st, old *state) {
	for _, i := range st.issuers {
		if i.refresher != nil && (old == nil || !slices.Contains(old.issuers, i)) {
			g.running.Go(func() { i.refresher.Run(i.ctx) })
		}
		if i.told.poller != nil && (old == nil || !slices.Contains(old.issuers, i)) {
			g.running.Go(func() { _ = i.told.poller.Run(i.ctx) })
		}
	}
	for _, s := range st.sites {
		if old == nil || !slices.ContainsFunc(old.sites, func(o *site) bool { return o.reach == s.reach }) {
			g.running.Go(func() { s.reach.group.Run(s.reach.ctx) })
		}
	}
}

func (g *Gateway) serve(what string, run func() error) {
	g.running.Go(func() {
		if err := run(); err != nil && !errors.Is(err, net.ErrClosed) {
			select {
			case g.failed <- fmt.Errorf("%s: %w", what, err):
			default:
			}
		}
	})
}

// Run starts the gateway and serves until ctx ends; then it drains. It returns
// nil after a complete drain.
func (g *Gateway) Run(ctx context.Context) error {
	if err := g.start(ctx); err != nil {
		g.close()
		return err
	}
	for _, addr := range g.Addresses() {
		g.log.Info("serving", "address", addr.String())
	}
	g.log.Info("admin", "address", g.adminAddr.String())
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-g.failed:
	}
	drain, cancel := context.WithTimeout(context.Background(), g.drainTime())
	defer cancel()
	return errors.Join(failure, g.Shutdown(drain))
}

// Addresses returns where the data listeners listen, in configured order.
func (g *Gateway) Addresses() []net.Addr {
	listeners := g.dataListeners()
	addrs := make([]net.Addr, len(listeners))
	for i, l := range listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// AdminAddress returns where the admin listener listens.
func (g *Gateway) AdminAddress() net.Addr { return g.adminAddr }
