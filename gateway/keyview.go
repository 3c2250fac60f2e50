package gateway

import (
	"errors"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache"
	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
)

// keyAdmin shows the keys of all issuers on the admin listener, and takes them
// out of use.
type keyAdmin struct{ g *Gateway }

// Issuers implements admin.KeyAdmin.
func (k keyAdmin) Issuers() []admin.IssuerKeys {
	now := time.Now()
	var all []admin.IssuerKeys
	for _, i := range k.g.state.Load().issuers {
		if i.refresher != nil {
			all = append(all, i.view(now))
		}
	}
	return all
}

func (i *issuer) view(now time.Time) admin.IssuerKeys {
	set := i.keys.Snapshot()
	v := admin.IssuerKeys{
		Issuer:      i.name,
		FetchedAt:   set.FetchedAt(),
		LastFailure: i.refresher.Stats().LastFailure,
		Keys:        []admin.KeyInfo{},
		Purged:      []admin.PurgedInfo{},
	}
	if age, ok := i.keys.Age(now); ok {
		v.Age = age
		switch {
		case age >= i.hardStale:
			v.Stale = "hard"
		case age >= i.softStale:
			v.Stale = "soft"
		}
	}
	var total uint64
	for _, key := range set.All() {
		use := key.Usage()
		total += use.Tokens
		v.Keys = append(v.Keys, admin.KeyInfo{
			ID:           key.ID(),
			Algorithms:   key.Algorithms(),
			Type:         key.Type(),
			FirstSeen:    seconds(use.FirstSeen),
			LastSeen:     seconds(use.LastSeen),
			LatestExpiry: seconds(use.LatestExpiry),
			Tokens:       use.Tokens,
			SafeToRetire: retirable(use, now, i.verifier.Leeway()),
		})
	}
	for j := range v.Keys {
		v.Keys[j].Share = float64(v.Keys[j].Tokens) / float64(max(total, 1))
	}
	for _, p := range i.keys.Purged() {
		v.Purged = append(v.Purged, admin.PurgedInfo{ID: p.KeyID, At: p.At})
	}
	return v
}

// seconds returns a time in Unix seconds, zero for never.
func seconds(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0)
}

// Purge implements admin.KeyAdmin.
func (k keyAdmin) Purge(issuer, kid string) (int, error) {
	k.g.swapping.Lock()
	defer k.g.swapping.Unlock()
	i := k.find(issuer)
	if i == nil {
		return 0, admin.ErrKeyNotFound
	}
	n, err := i.refresher.Purge(kid, time.Now())
	switch {
	case errors.Is(err, cache.ErrPurgesFull):
		return 0, admin.ErrPurgesFull
	case n == 0:
		return 0, admin.ErrKeyNotFound
	}
	return n, err
}

// Allow implements admin.KeyAdmin.
func (k keyAdmin) Allow(issuer, kid string) (int, error) {
	k.g.swapping.Lock()
	defer k.g.swapping.Unlock()
	i := k.find(issuer)
	if i == nil {
		return 0, admin.ErrKeyNotFound
	}
	n, err := i.refresher.Allow(kid)
	if n == 0 {
		return 0, admin.ErrKeyNotFound
	}
	// The operator wants the key back now, not with the next refresh, and no
	// other change is to wait for that. A fetch that fails is counted, and made
	// again in time.
	k.g.running.Go(func() {
		_ = i.refresher.Refresh(k.g.base)
		i.unknown.Forget()
	})
	return n, err
}

func (k keyAdmin) find(name string) *issuer {
	for _, i := range k.g.state.Load().issuers {
		if i.name == name && i.refresher != nil {
			return i
		}
	}
	return nil
}
