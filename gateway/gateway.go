package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

// Options are what a Gateway is made of.
type Options struct {
	// Config is a validated configuration. Required.
	Config *config.Config
	// Log takes the gateway's log. Required.
	Log *slog.Logger
	// Version is shown by /version and build_info.
	Version Version
	// Revocations is asked for every request. Default: nothing is revoked.
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
	cfg         *config.Config
	log         *slog.Logger
	renderer    *reject.Renderer
	metrics     *metrics.Metrics
	nowhere     *metrics.Site
	reasons     []string
	revocations Revocations
	exchanges   *sync.Pool
	sampler     accessSampler

	state    atomic.Pointer[state]
	draining atomic.Bool

	server    *fasthttp.Server
	admin     *admin.Server
	listeners []*listener
	adminAddr net.Addr
	conns     connCounter
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
		renderer:    renderer,
		reasons:     reasons(),
		revocations: o.Revocations,
		exchanges:   newExchangePool(),
		failed:      make(chan error, 1),
	}
	if g.revocations == nil {
		g.revocations = nothingRevoked{}
	}
	g.metrics = metrics.New(g.reasons, o.Version.Version, g.sample)
	g.nowhere = g.metrics.Site("-")
	g.conns = connCounter{max: int64(o.Config.Limits.Connections), refused: g.metrics.ConnectionsRefused}
	g.base, g.stop = context.WithCancel(context.Background())
	st, err := build(g.base, o.Config, g.metrics, o.Log)
	if err != nil {
		g.stop()
		return nil, err
	}
	g.state.Store(st)
	var operators []byte
	if o.Config.Admin.TokenFile != "" {
		if operators, err = o.Config.Admin.Token(); err != nil {
			return nil, fmt.Errorf("admin.token_file: %w", err)
		}
	}
	g.server = g.newServer()
	g.admin = admin.New(admin.Config{
		Ready:   g.Missing,
		Metrics: g.metrics.Handler(),
		Version: o.Version,
		Pprof:   o.Config.Admin.Pprof,
		Keys:    keyAdmin{g},
		Token:   operators,
		Log:     o.Log,
	})
	return g, nil
}

// Start opens the sockets, the admin listener first, and begins to serve and
// to fetch keys. After an error nothing is left open.
func (g *Gateway) Start() error {
	adminListener, err := net.Listen("tcp", g.cfg.Admin.Address)
	if err != nil {
		return fmt.Errorf("admin.address: %w", err)
	}
	g.adminAddr = adminListener.Addr()
	for i := range g.cfg.Listen {
		ln, err := g.listen(&g.cfg.Listen[i])
		if err != nil {
			_ = adminListener.Close()
			for _, l := range g.listeners {
				_ = l.Close()
			}
			return fmt.Errorf("listen[%d].address: %w", i, err)
		}
		g.listeners = append(g.listeners, ln)
	}
	g.serve("admin listener", func() error { return g.admin.Serve(adminListener) })
	for _, i := range g.state.Load().issuers {
		if i.refresher != nil {
			g.running.Go(func() { i.refresher.Run(g.base) })
		}
	}
	for _, ln := range g.listeners {
		g.serve("data listener", func() error { return g.server.Serve(ln.checked()) })
	}
	return nil
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
	if err := g.Start(); err != nil {
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
	addrs := make([]net.Addr, len(g.listeners))
	for i, l := range g.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// AdminAddress returns where the admin listener listens.
func (g *Gateway) AdminAddress() net.Addr { return g.adminAddr }
