package gateway

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/fleet"
	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/logout"
	"github.com/vneid-gateway/vneid-gateway/gateway/receiver"
	"github.com/vneid-gateway/vneid-gateway/gateway/secevent"
	"github.com/vneid-gateway/vneid-gateway/gateway/statuslist"
)

// told is how an issuer tells what it has revoked. Each part is nil where it does
// not.
type told struct {
	pushed, polled *secevent.Stream
	push           http.Handler
	poller         *secevent.Poller
	polling        *identity.Guard
	endpoint       *identity.Endpoint
	logout         *logout.Handler
	begun          time.Time
}

// addSources makes the ways in which the issuer tells what it has revoked. They
// need the keys that it signs with.
func (g *Gateway) addSources(built *issuer) error {
	c := &built.cfg.Revocation
	built.told.begun = time.Now()
	if c.Events.Push {
		if err := g.addPush(built); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	if c.Events.PollURL != "" {
		if err := g.addPoll(built); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	if !c.Logout.Enabled() {
		return nil
	}
	ends := logout.EndSession
	if c.Logout.Ends == config.EndsSubject {
		ends = logout.EndSubject
	}
	var err error
	renew := logout.New
	if was := built.was; was != nil && was.told.logout != nil {
		renew = was.told.logout.Renew
	}
	if built.told.logout, err = renew(logout.Config{
		Name:         built.name,
		Verifier:     built.verifier,
		Keys:         statementKeys{built},
		Audience:     c.Logout.Audience,
		AllowUntyped: c.Logout.Untyped,
		Ends:         ends,
		Lifetime:     g.lifetimeFor(built),
		Intake:       g.intake.From(intake.Logout),
		Log:          g.log,
	}); err != nil {
		return fmt.Errorf("logout: %w", err)
	}
	return nil
}

// addLists makes what follows the issuer's status lists, where it has any.
func (g *Gateway) addLists(built *issuer) error {
	c := &built.cfg.Revocation.StatusLists
	if !c.Enabled() {
		return nil
	}
	bounds := clientOf(&built.cfg.Backend)
	bounds.MaxBytes = int64(c.MaxBytes)
	client, err := identity.NewClient(bounds)
	if err != nil {
		return err
	}
	built.listing = guardOf(&built.cfg.Backend)
	lists := statuslist.Config{
		Issuer:         built.name,
		Addresses:      c.Addresses,
		AllowPlainHTTP: built.cfg.JWKS.AllowPlainHTTP,
		Verifier:       built.verifier,
		Keys:           statementKeys{built},
		Fetcher:        client,
		Breaker:        built.listing,
		Memory:         g.listMemory,
		MaxBytes:       int(c.MaxBytes),
		MaxListBytes:   int64(c.MaxListBytes),
		MaxLists:       c.MaxLists,
		Refresh:        c.Refresh,
		LeastRefresh:   c.RefreshMin,
		MostRefresh:    c.RefreshMax,
		SoftStale:      c.SoftStale,
		HardStale:      c.HardStale,
		Wait:           *c.Wait,
		AllowUnknown:   c.WhenUnknown == config.UnknownAllow,
		Changed:        g.sweepSoon,
		OnPanic:        g.onPanic(built.name),
		Log:            g.log,
	}
	if was := built.was; was != nil && built.keys == was.keys {
		lists.Before = was.lists
	}
	built.lists, err = statuslist.New(lists)
	return err
}

// stream makes what reads the issuer's events.
func (g *Gateway) stream(built *issuer, source intake.Source) (*secevent.Stream, error) {
	e := &built.cfg.Revocation.Events
	return secevent.New(secevent.Config{
		Name:                built.name,
		Verifier:            built.verifier,
		Keys:                statementKeys{built},
		Audience:            e.Audience,
		MaxAge:              e.MaxAge,
		Issuers:             []string{built.cfg.Issuer},
		NoSessionIDs:        e.WithoutSessionIDs,
		AcknowledgeUnmapped: e.Unmapped == config.UnmappedAcknowledge,
		Lifetime:            g.lifetimeFor(built),
		Accept:              g.intake.From(source),
		OnPanic:             g.onPanic(built.name),
		Log:                 g.log,
	})
}

func (g *Gateway) addPush(built *issuer) error {
	var err error
	if built.told.pushed, err = g.stream(built, intake.Push); err != nil {
		return err
	}
	push := secevent.PushConfig{Stream: built.told.pushed}
	if name := built.cfg.Revocation.Events.PushTokenFile; name != "" {
		if push.Token, err = config.BearerToken(name); err != nil {
			return fmt.Errorf("push_token_file: %w", err)
		}
	}
	built.told.push, err = secevent.NewPush(push)
	return err
}

func (g *Gateway) addPoll(built *issuer) error {
	e := &built.cfg.Revocation.Events
	var err error
	if built.told.polled, err = g.stream(built, intake.Poll); err != nil {
		return err
	}
	bounds := clientOf(&built.cfg.Backend)
	bounds.Timeout = e.PollTimeout
	client, err := identity.NewClient(bounds)
	if err != nil {
		return err
	}
	if built.told.endpoint, err = identity.NewEndpoint(client, e.PollURL, built.cfg.JWKS.AllowPlainHTTP); err != nil {
		return fmt.Errorf("poll_url: %w", err)
	}
	built.told.polling = guardOf(&built.cfg.Backend)
	poll := secevent.PollConfig{
		Stream: built.told.polled, Endpoint: built.told.endpoint, Breaker: built.told.polling, Interval: e.PollEvery,
	}
	if name := e.PollTokenFile; name != "" {
		poll.Token = func() (string, error) {
			token, err := config.BearerToken(name)
			return string(token), err
		}
	}
	built.told.poller, err = secevent.NewPoller(poll)
	return err
}

// lifetimeFor is lifetimeOf for an issuer that may not be in force yet.
func (g *Gateway) lifetimeFor(i *issuer) func(string) time.Duration {
	return func(string) time.Duration { return i.lifetime(g.cfg) }
}

// lifetime is how long a token of the issuer may be good that exists now: its iat
// may lie ahead by the leeway, and it passes for as long after its exp.
func (i *issuer) lifetime(c *config.Config) time.Duration {
	return c.LongestLife(i.cfg) + 2*i.verifier.Leeway()
}

// sources tells of an issuer as one who is heard of again and again.
func (i *issuer) sources() []revocationSource {
	var list []revocationSource
	t := &i.told
	add := func(how string, heard func() time.Time, never string) {
		list = append(list, revocationSource{
			name: "events of issuer " + i.name + " (" + how + ")", label: how + "_" + i.name, begun: t.begun, heard: heard,
			behind: func() string {
				if heard().IsZero() {
					return never
				}
				return ""
			},
		})
	}
	if t.poller != nil {
		add("poll", func() time.Time { return t.poller.Stats().LastSuccess }, "not asked with success yet")
	}
	if t.pushed != nil && i.cfg.Revocation.Events.PushHeartbeat {
		// What it had to tell before the start it tells again: that waits for nobody.
		add("push", func() time.Time { return t.pushed.Stats().LastVerified }, "")
	}
	return list
}

// routes are the paths at which identity backends call.
func (st *state) routes() map[string]http.Handler {
	routes := make(map[string]http.Handler)
	for _, i := range st.issuers {
		if i.told.push != nil {
			routes["/events/"+i.name] = i.told.push
		}
		if i.told.logout != nil {
			routes["/logout/"+i.name] = i.told.logout
		}
	}
	return routes
}

// makeReceiver makes the listener on which identity backends call, if there is
// to be one.
func (g *Gateway) makeReceiver(c *config.Receiver, st *state) error {
	if c.Address == "" {
		return nil
	}
	var err error
	g.receiver, err = receiver.New(receiver.Config{
		Address:        c.Address,
		TLS:            listenTLS(&c.TLS),
		Routes:         st.routes(),
		RequestTimeout: c.RequestTimeout,
		MaxRequests:    c.Requests,
		Log:            g.log,
	})
	return err
}

// makeFleet makes this node one of a fleet, if it is to be.
// lost says that this node's store has lost revocations: the others have them.
func (g *Gateway) makeFleet(c *config.Revocation, lost bool) error {
	f := &c.Fleet
	if !f.Enabled() {
		return nil
	}
	secret, err := revocationSecret(c)
	if err != nil {
		return err
	}
	away := fleet.Refuse
	if f.WhenAway == config.AwayKeep {
		away = fleet.Local
	}
	dir := filepath.Join(c.Directory, "fleet")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	g.fleet, err = fleet.New(fleet.Config{
		Redis: fleet.Redis{
			Addresses: f.Redis, Socket: f.Socket, Master: f.Master, Database: f.Database, Username: f.Username,
			PasswordFile: f.PasswordFile, TLS: f.TLS, CAFile: f.CAFile, CertFile: f.ClientCertFile, KeyFile: f.ClientKeyFile,
			ServerName: f.ServerName, Timeout: f.Timeout,
		},
		Prefix:        f.Prefix + ":revocations:",
		Dir:           dir,
		SecretID:      secret.ID(),
		Apply:         g.applied,
		Records:       g.journal.Store().Records,
		WhenAway:      away,
		OutboxBytes:   int64(f.OutboxBytes),
		StreamEntries: f.Entries,
		Anew:          lost,
		Log:           g.log,
	})
	return err
}

// fleetSource tells of the fleet as one that is heard of again and again.
func (g *Gateway) fleetSource() revocationSource {
	return revocationSource{
		name: "the fleet", label: "fleet", begun: g.begun,
		heard: func() time.Time { return g.fleet.Stats().Current },
		behind: func() string {
			if !g.fleet.Stats().Current.IsZero() {
				return ""
			}
			return "not caught up with yet"
		},
	}
}

// startReceiver opens the listener on which identity backends call.
func (g *Gateway) startReceiver(ctx context.Context) error {
	if g.receiver == nil {
		return nil
	}
	if err := g.receiver.Listen(ctx); err != nil {
		return fmt.Errorf("revocation.receiver.address: %w", err)
	}
	g.log.Info("receiving revocations", "address", g.receiver.Addr().String())
	g.running.Go(func() {
		g.receiver.Run(g.base, func(err error) {
			if err != nil {
				g.log.Error("certificate not reloaded; the one before stays", "listener", "revocation.receiver", "error", err.Error())
				return
			}
			g.log.Info("certificates reloaded", "listener", "revocation.receiver")
		})
	})
	g.serve("revocation receiver", g.receiver.Serve)
	return nil
}
