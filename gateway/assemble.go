package gateway

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
	"github.com/vneid-gateway/vneid-gateway/gateway/listen"
)

// assemble makes the parts that have to be closed again; after an error dismantle
// does that.
func (g *Gateway) assemble(o *Options) error {
	if err := g.makeCaches(&o.Config.Verdicts); err != nil {
		return fmt.Errorf("verdicts: %w", err)
	}
	if err := g.makeOverload(&o.Config.Overload); err != nil {
		return fmt.Errorf("overload: %w", err)
	}
	if err := g.openRevocations(o); err != nil {
		return fmt.Errorf("revocation: %w", err)
	}
	if o.Revocations != nil {
		g.revocations = o.Revocations
	}
	g.staleness.soft, g.staleness.hard = o.Config.Revocation.SoftStale, o.Config.Revocation.HardStale
	var operators []byte
	if o.Config.Admin.TokenFile != "" {
		var err error
		if operators, err = o.Config.Admin.Token(); err != nil {
			return fmt.Errorf("admin.token_file: %w", err)
		}
	}
	st, err := g.build(o.Config, nil)
	if err != nil {
		return err
	}
	g.state.Store(st)
	if err := g.makeReceiver(&o.Config.Revocation.Receiver, st); err != nil {
		st.closeBut(nil)
		return fmt.Errorf("revocation.receiver: %w", err)
	}
	g.server = g.newServer()
	var sockets *listen.Sockets
	if o.Inherit {
		sockets = listen.Inherit()
	}
	g.conns = g.newRegistry(sockets)
	var reload func(cause string) error
	if g.load != nil {
		reload = g.Reload
	}
	c := &o.Config.Admin
	g.admin, err = admin.New(admin.Config{
		Reload:      reload,
		Ready:       g.Missing,
		Metrics:     g.metrics.Handler(),
		Version:     o.Version,
		Pprof:       c.Pprof,
		Keys:        keyAdmin{g},
		Revocations: g.operatorRevocations(),
		TLS:         admin.TLS{CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, ClientCAFile: c.TLS.ClientCAFile},
		Token:       operators,
		Log:         o.Log,
	})
	if err != nil {
		st.closeBut(nil)
		return fmt.Errorf("admin.tls: %w", err)
	}
	return nil
}

// dismantle closes what a New that failed has made.
func (g *Gateway) dismantle() {
	g.stop()
	if g.verifications != nil {
		g.verifications.Close()
	}
	g.closeCaches()
	if g.receiver != nil {
		_ = g.receiver.Shutdown(g.base)
	}
	_ = g.closeRevocations()
}

// closeRevocations closes what revocations are kept in, when nothing uses it any
// more.
func (g *Gateway) closeRevocations() error {
	if g.fleet != nil {
		g.fleet.Close()
	}
	if g.journal == nil {
		return nil
	}
	return g.journal.Close()
}
