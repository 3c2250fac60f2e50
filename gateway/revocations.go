package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Revocations tells whether a verified token was revoked since. It is asked
// for every request, cached verdicts included, so it must answer from memory,
// without a lock that requests share.
type Revocations interface {
	Revoked(c *token.Claims, k *token.Key) bool
}

// nothingRevoked is what the gateway knows without a source of revocations.
type nothingRevoked struct{}

func (nothingRevoked) Revoked(*token.Claims, *token.Key) bool { return false }

// openRevocations reads what was revoked before the start, where that is kept.
// It can take seconds.
func (g *Gateway) openRevocations(o *Options) error {
	c := &o.Config.Revocation
	if c.Directory == "" {
		return nil
	}
	secret, err := revocationSecret(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.Directory), 0o700); err != nil {
		return err
	}
	j, report, err := journal.Open(journal.Config{
		Dir:        c.Directory,
		Store:      revocation.Config{MaxEntries: c.MaxEntries},
		LogBytes:   int64(c.LogBytes),
		Secret:     secret,
		AcceptLoss: o.AcceptLostRevocations,
	})
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	g.journal = j
	g.reportRevocations(&report)
	g.revocations = j.Store()
	if err := g.makeFleet(c, report.Lost); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	door := intake.Config{Journal: j, Changed: g.sweepSoon}
	if g.fleet != nil {
		door.Fleet = g.fleet
	}
	g.intake = intake.New(door)
	return nil
}

// revocationSecret is what the nodes of a fleet share; zero for a node that makes
// its own.
func revocationSecret(c *config.Revocation) (revocation.Secret, error) {
	if c.SecretFile == "" {
		return revocation.Secret{}, nil
	}
	raw, err := c.Secret()
	if err != nil {
		return revocation.Secret{}, fmt.Errorf("secret_file: %w", err)
	}
	return revocation.ReadSecret(raw)
}

// applied puts in force what other nodes sent.
func (g *Gateway) applied(records []revocation.Record) error { return g.intake.Apply(records) }

// reportRevocations says what a start has found.
func (g *Gateway) reportRevocations(r *journal.Report) {
	g.log.Info("revocations read", "entries", r.Entries, "seconds", r.Took.Seconds())
	for _, cut := range r.Cut {
		g.log.Warn("the tail of a revocation log was cut off: a crash left it, nobody was told that it was durable",
			"file", cut.File, "offset", cut.Offset, "bytes", cut.Bytes)
	}
	for _, d := range r.Damaged {
		g.log.Error("a file of revocations is damaged; what is good in it was read", "file", d.File, "records", d.Records)
	}
	if r.Lost {
		g.log.Error("acknowledged revocations are lost, and it was said to go on without them: have the sources send them anew")
	}
}

// runRevocations keeps the store's time and writes snapshots.
func (g *Gateway) runRevocations() {
	_ = g.journal.Run(g.base, func(err error) {
		g.log.Error("no snapshot of the revocations was written; the log goes on growing", "error", err.Error())
	})
}

// lifetimeOf is how long a token of the issuer, by its iss, may be good that exists
// now.
func (g *Gateway) lifetimeOf(issuer string) time.Duration {
	if i := g.state.Load().byIssuer[issuer]; i != nil {
		return i.lifetime(g.cfg)
	}
	return g.cfg.Revocation.Keep
}
