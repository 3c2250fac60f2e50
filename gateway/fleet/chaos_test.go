package fleet

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever is killed, cut off or restarted, in whatever order: what was acknowledged is in force on every node that says
// that it is caught up, on one that is new too, and nothing else is.
func TestNothingAcknowledgedIsMissingAfterAnyFaults(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"nothing kept":   nil,
		"old dumps kept": {"--dbfilename", "dump.rdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 0))
			server := startRedis(t, args...)
			// All come back within it: see Config.Settle.
			short := func(c *Config) { c.StreamEntries, c.Settle = MinStreamEntries, maxRetry+2*time.Second }
			between := startProxy(t, server.addr)
			nodes := []*node{
				startNode(t, server.addr, short), startNode(t, server.addr, short), startNode(t, between.addr(), short),
			}
			caughtUp(t, nodes...)
			offered, acknowledged := 0, []int(nil)
			accept := func() {
				n := nodes[rnd.IntN(len(nodes))]
				if n.accept(jti(offered)) == nil {
					acknowledged = append(acknowledged, offered)
				}
				offered++
			}
			rounds := 5
			if testing.Short() {
				rounds = 2
			}
			for range rounds {
				for range 2 + rnd.IntN(3) {
					for range rnd.IntN(200) {
						accept()
					}
					switch rnd.IntN(5) {
					case 0:
						server.kill()
						accept()
						server.start()
					case 1:
						i := rnd.IntN(len(nodes))
						nodes[i].stop()
						nodes[i].start()
					case 2:
						between.setCut(true)
					case 3:
						between.setCut(false)
					case 4:
						if args != nil {
							server.do("SAVE")
						}
					}
				}
				between.setCut(false)
				// Those that had not noticed that Redis is another are caught up in a past that is over.
				last := offered
				for i, n := range nodes {
					n.insist(jti(last + i))
					acknowledged = append(acknowledged, last+i)
				}
				offered += len(nodes)
				late := newNode(t, server.addr, short).start()
				for _, n := range append(nodes, late) {
					n.holds(last, last+len(nodes))
					caughtUp(t, n)
					for _, i := range acknowledged {
						if !n.revoked(i) {
							t.Fatalf("%d is missing; stats: %+v", i, n.Stats())
						}
					}
					if have := n.journal.Store().Len(); have > offered {
						t.Fatalf("%d entries, of which %d are known", have, offered)
					}
				}
				late.stop()
			}
			t.Logf("%d of %d acknowledged", len(acknowledged), offered)
		})
	}
}
