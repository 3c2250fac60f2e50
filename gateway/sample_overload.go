package gateway

import (
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/overload"
)

// sampleOverload reads what was refused because there was too much.
func (g *Gateway) sampleOverload() metrics.OverloadSample {
	shed, turns := g.shedder.Stats(), g.verifications.Stats()
	return metrics.OverloadSample{
		Limit:       shed.Limit,
		Shed:        map[string]uint64{"verification": shed.Verifications, "over_share": shed.OverShare, "rest": shed.Rest},
		Late:        g.monitor.Late(),
		LateWindows: shed.LateWindows,
		Turns: map[string]uint64{
			"at_once": turns.AtOnce, "after_wait": turns.AfterWait, "full": turns.Full, "late": turns.Late,
		},
		Running: turns.Running, Waiting: turns.Waiting, Parallel: turns.Parallel,
	}
}

// rateSample reads what was refused by a site's rate limits.
func rateSample(site string, stats overload.RateStats) metrics.RateSample {
	return metrics.RateSample{
		Site: site, Crowded: stats.Crowded,
		Refused: map[string]uint64{
			overload.LimitSite.String(): stats.Site, overload.LimitClient.String(): stats.Client, overload.LimitSource.String(): stats.Source,
		},
	}
}
