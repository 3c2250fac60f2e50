package gateway

import (
	"fmt"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
)

// makeOverload makes what decides about work that is too much. It is the same
// for all configurations of a process.
func (g *Gateway) makeOverload(c *config.Overload) error {
	var err error
	if g.shedder, err = overload.NewShedder(overload.ShedderConfig{
		Floor: c.LeastRequests, Ceiling: c.MostRequests, Target: c.Target, Fixed: c.Off,
	}); err != nil {
		return err
	}
	g.monitor = overload.NewMonitor(g.shedder)
	g.verifications, err = overload.NewVerifications(overload.VerificationsConfig{
		Parallel: c.Verifications, MaxWaiting: c.VerificationQueue, MaxWait: c.VerificationWait,
	})
	return err
}

// runMonitor measures how late the process is until the gateway ends.
func (g *Gateway) runMonitor() {
	if err := g.monitor.Run(g.base); err != nil {
		g.log.Error("overload is not measured: the limit of requests in flight stays as it is", "error", err.Error())
	}
}

// addLimits gives s its share of the machine and its rate limits: those that a
// site of the same name had, where they are still the same, so that what is in
// flight and what was spent still count.
func (g *Gateway) addLimits(s *site, c *config.Site, old *state) error {
	s.weight, s.ratesCfg = c.Share, c.RateLimits
	if old != nil {
		for _, was := range old.sites {
			if was.name != s.name {
				continue
			}
			if was.weight == s.weight {
				s.share = was.share
			}
			if was.ratesCfg == s.ratesCfg {
				s.rates = was.rates
			}
		}
	}
	rate := func(r config.Rate) overload.Rate { return overload.Rate{PerSecond: r.PerSecond, Burst: r.Burst} }
	if s.rates == nil {
		var err error
		s.rates, err = overload.NewRateLimits(overload.RateLimitsConfig{
			Site: rate(c.RateLimits.Site), Client: rate(c.RateLimits.Client), Source: rate(c.RateLimits.Source),
		})
		if err != nil {
			return fmt.Errorf("rate_limits: %w", err)
		}
	}
	// Last, as it must be given up again.
	if s.share == nil {
		s.share = g.shedder.Site(s.weight)
	}
	return nil
}

// forgetShares takes the shares of s out that no site of successor has.
func (g *Gateway) forgetShares(old, successor *state) {
	kept := make(map[*overload.SiteShare]bool)
	if successor != nil {
		for _, s := range successor.sites {
			kept[s.share] = true
		}
	}
	for _, s := range old.sites {
		if !kept[s.share] {
			g.shedder.Forget(s.share)
		}
	}
}
