package gateway

import (
	"encoding/hex"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
	"github.com/vneid-gateway/vneid-gateway/gateway/intake"
)

// operatorRevocations is what operators revoke through the admin listener; nil
// where no revocations are kept.
func (g *Gateway) operatorRevocations() *admin.Revocations {
	if g.intake == nil {
		return nil
	}
	return &admin.Revocations{
		Intake: g.intake.From(intake.Operators),
		Issuer: func(text string) (name, iss string, ok bool) {
			st := g.state.Load()
			i := st.named(text)
			if i == nil {
				i = st.byIssuer[text]
			}
			if i == nil {
				return "", "", false
			}
			return i.name, i.cfg.Issuer, true
		},
		Lifetime: g.lifetimeOf,
		Digest: func(e revocation.Entry) string {
			record, err := g.intake.Store().Record(e)
			if err != nil {
				return ""
			}
			return hex.EncodeToString(record.Digest[:])
		},
		Code:   func(err error) string { return intake.ReasonOf(err).String() },
		Status: func() any { return g.revocationStatus(time.Now()) },
	}
}

// revocationStatus is what GET /revocations shows.
type revocationStatus struct {
	Entries  map[string]int             `json:"entries"`
	Total    int                        `json:"total"`
	Limit    int                        `json:"limit"`
	Snapshot time.Time                  `json:"last_snapshot,omitzero"`
	LogBytes int64                      `json:"log_bytes"`
	Brought  map[string]broughtStatus   `json:"brought"`
	Sources  map[string]revocationHeard `json:"sources"`
}

// broughtStatus is what one source has brought.
type broughtStatus struct {
	Accepted uint64            `json:"accepted"`
	Refused  map[string]uint64 `json:"refused,omitzero"`
	Last     time.Time         `json:"last,omitzero"`
}

// revocationHeard is how long a source has been silent.
type revocationHeard struct {
	AgeSeconds int64  `json:"age_seconds"`
	Behind     string `json:"behind,omitzero"`
}

func (g *Gateway) revocationStatus(now time.Time) revocationStatus {
	stats, log := g.intake.Store().Stats(), g.journal.Stats()
	s := revocationStatus{
		Entries: make(map[string]int), Total: stats.Total(), Limit: stats.Limit,
		Snapshot: log.LastSnapshot, LogBytes: log.LogBytes,
		Brought: make(map[string]broughtStatus), Sources: make(map[string]revocationHeard),
	}
	for _, k := range revocation.Kinds() {
		s.Entries[k.String()] = stats.Entries[k]
	}
	brought := func(name string, b intake.Stats) {
		refused := make(map[string]uint64)
		for _, r := range intake.Reasons() {
			if n := b.Refused[r]; n > 0 {
				refused[r.String()] = n
			}
		}
		s.Brought[name] = broughtStatus{Accepted: b.Accepted, Refused: refused, Last: b.Last}
	}
	for _, source := range intake.Sources() {
		brought(source.String(), g.intake.From(source).Stats())
	}
	brought("fleet", g.intake.Applied())
	for _, r := range g.state.Load().sources {
		s.Sources[r.name] = revocationHeard{AgeSeconds: int64(r.age(now) / time.Second), Behind: r.behind()}
	}
	return s
}
