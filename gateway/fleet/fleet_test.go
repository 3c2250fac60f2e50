package fleet

import (
	"sync"
	"testing"
)

// three starts three nodes and waits until they are caught up.
func three(t *testing.T, addr string, change func(*Config)) [3]*node {
	t.Helper()
	var nodes [3]*node
	for i := range nodes {
		nodes[i] = startNode(t, addr, change)
	}
	caughtUp(t, nodes[:]...)
	return nodes
}

func TestWhatOneNodeAcceptsIsInForceOnAll(t *testing.T) {
	t.Parallel()
	const total, senders = 10_000, 8
	nodes := three(t, startRedis(t).addr, nil)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := s; i < total; i += senders {
				if err := nodes[i%3].accept(jti(i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
	for _, n := range nodes {
		n.holds(0, total)
		if n.journal.Store().Len() != total {
			t.Errorf("%d entries in force: some were invented", n.journal.Store().Len())
		}
		st := n.Stats()
		if !st.Connected || !st.CaughtUp || st.Fault != ReasonNone || st.Sessions != 1 {
			t.Errorf("stats: %+v", st)
		}
	}
	eventually(t, "each node applied those of the two others, once", func() bool {
		return nodes[0].Stats().Applied+nodes[1].Stats().Applied+nodes[2].Stats().Applied == 2*total
	})
}

func TestRedisThatKeepsNothingIsFilledAnew(t *testing.T) {
	t.Parallel()
	const total = 10_000
	server := startRedis(t)
	nodes := three(t, server.addr, nil)
	for i := range nodes {
		for from := 0; from < total; from += 100 {
			if i == from/100%3 {
				entries := nodes[i].batch(from, from+100)
				nodes[i].mustAccept(entries...)
			}
		}
	}
	for _, n := range nodes {
		n.holds(0, total)
	}
	server.kill()
	for _, n := range nodes {
		eventually(t, "node notices", func() bool { return !n.CaughtUp() && !n.Stats().Connected })
	}
	server.start()
	caughtUp(t, nodes[:]...)
	for i, n := range nodes {
		if st := n.Stats(); st.Resyncs[CauseEpoch] != 1 || st.Offered < total {
			t.Errorf("node %d: %d resyncs, %d offered", i, st.Resyncs[CauseEpoch], st.Offered)
		}
	}
	late := startNode(t, server.addr, nil)
	caughtUp(t, late)
	if m := late.missing(0, total); m != 0 {
		t.Errorf("a node that is new lacks %d when it says that it is caught up", m)
	}
}

func TestRedisThatLostItsLastEntriesIsToldThemAgain(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--dbfilename", "dump.rdb")
	nodes := three(t, server.addr, nil)
	nodes[0].mustAccept(nodes[0].batch(0, 500)...)
	server.do("SAVE")
	nodes[1].mustAccept(nodes[1].batch(500, 600)...)
	nodes[2].mustAccept(jti(600))
	for _, n := range nodes {
		n.holds(0, 601)
	}
	server.kill()
	server.start()
	caughtUp(t, nodes[:]...)
	lost := uint64(0)
	for _, n := range nodes {
		st := n.Stats()
		lost += st.Resyncs[CauseLost]
		if st.Resyncs[CauseEpoch] != 0 {
			t.Errorf("taken for a Redis that lost everything: %+v", st.Resyncs)
		}
	}
	if lost == 0 {
		t.Error("nobody noticed that entries were lost")
	}
	late := startNode(t, server.addr, nil)
	caughtUp(t, late)
	if m := late.missing(0, 601); m != 0 {
		t.Errorf("%d are missing after Redis came back", m)
	}
}

func TestRedisThatKeepsEverythingIsFollowedOn(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	nodes := three(t, server.addr, nil)
	nodes[0].mustAccept(nodes[0].batch(0, 1000)...)
	for _, n := range nodes {
		n.holds(0, 1000)
	}
	server.kill()
	server.start()
	caughtUp(t, nodes[:]...)
	nodes[1].insist(jti(1000))
	for _, n := range nodes {
		n.holds(0, 1001)
		for _, cause := range Causes()[1:] {
			if st := n.Stats(); st.Resyncs[cause] != 0 {
				t.Errorf("compared everything for nothing: %v", cause)
			}
		}
	}
}

func TestANodeThatWasCutOffCatchesUp(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	between := startProxy(t, server.addr)
	a, b := startNode(t, server.addr, nil), startNode(t, between.addr(), nil)
	caughtUp(t, a, b)
	between.setCut(true)
	eventually(t, "node notices", func() bool { return !b.CaughtUp() })
	a.mustAccept(a.batch(0, 2000)...)
	if b.missing(0, 2000) != 2000 {
		t.Fatal("not cut off at all")
	}
	between.setCut(false)
	caughtUp(t, b)
	if m := b.missing(0, 2000); m != 0 {
		t.Errorf("caught up, and %d are missing", m)
	}
	if st := b.Stats(); st.Resyncs != [NumCauses]uint64{CauseNew: 1} {
		t.Errorf("compared everything though the stream had it: %v", st.Resyncs)
	}
}

func TestATrimmedGapForcesAFullResync(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	short := func(c *Config) { c.StreamEntries = MinStreamEntries }
	between := startProxy(t, server.addr)
	a, b := startNode(t, server.addr, short), startNode(t, between.addr(), short)
	caughtUp(t, a, b)
	between.setCut(true)
	eventually(t, "node notices", func() bool { return !b.CaughtUp() })
	for i := range 1000 {
		a.mustAccept(jti(i))
	}
	if n := server.do("XLEN", DefaultPrefix+"stream").(int64); n > 400 {
		t.Fatalf("stream of %d entries was not trimmed", n)
	}
	between.setCut(false)
	caughtUp(t, b)
	if m := b.missing(0, 1000); m != 0 {
		t.Errorf("caught up, and %d are missing", m)
	}
	if st := b.Stats(); st.Resyncs[CauseGap] != 1 || st.Offered != 0 {
		t.Errorf("resyncs %v, offered %d", st.Resyncs, st.Offered)
	}
}

func TestARestartedNodeGoesOnFromItsPosition(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	a, b := startNode(t, server.addr, nil), startNode(t, server.addr, nil)
	caughtUp(t, a, b)
	a.mustAccept(a.batch(0, 1000)...)
	b.holds(0, 1000)
	eventually(t, "read", func() bool { return b.Stats().Behind == 0 })
	b.stop()
	a.mustAccept(a.batch(1000, 1500)...)
	b.start()
	caughtUp(t, b)
	if m := b.missing(0, 1500); m != 0 {
		t.Errorf("caught up, and %d are missing", m)
	}
	if st := b.Stats(); st.Resyncs != [NumCauses]uint64{} || st.Applied != 500 {
		t.Errorf("resyncs %v, applied %d, want 500", st.Resyncs, st.Applied)
	}
}

func TestANodeAndARedisThatBothStartedAnewAreCompared(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	a, b := startNode(t, server.addr, nil), startNode(t, server.addr, nil)
	caughtUp(t, a, b)
	server.do("SAVE")
	a.mustAccept(jti(1))
	b.stop()
	a.stop()
	server.kill()
	server.start()
	a.start()
	caughtUp(t, a)
	b.start()
	caughtUp(t, b)
	if !b.revoked(1) {
		t.Error("what was acknowledged before both died is on one node only")
	}
}

func TestALossIsNoticedThoughOthersWentOn(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--dbfilename", "dump.rdb")
	between := startProxy(t, server.addr)
	a, b := startNode(t, server.addr, nil), startNode(t, between.addr(), nil)
	caughtUp(t, a, b)
	server.do("SAVE")
	a.stop()
	b.mustAccept(b.batch(0, 5)...)
	between.setCut(true)
	server.kill()
	server.start()
	a.start()
	caughtUp(t, a)
	for i := 5; i < 50; i++ {
		a.mustAccept(jti(i))
	}
	between.setCut(false)
	caughtUp(t, b)
	a.holds(0, 50)
	if m := b.missing(0, 50); m != 0 {
		t.Errorf("%d are missing", m)
	}
	if st := b.Stats(); st.Resyncs[CauseLost] != 1 {
		t.Errorf("resyncs %v", st.Resyncs)
	}
}

func TestAnOfferThatWasInterruptedIsMadeAgain(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	between := startProxy(t, server.addr)
	n := startNode(t, between.addr(), func(c *Config) { c.CompareRate = MinCompareRate })
	caughtUp(t, n)
	n.mustAccept(n.batch(0, 1500)...)
	n.stop()
	server.kill()
	server.start()
	n.start()
	eventually(t, "some offered", func() bool { return n.Stats().Offered == maxRecords })
	between.setCut(true)
	eventually(t, "node notices", func() bool { return !n.Stats().Connected })
	between.setCut(false)
	caughtUp(t, n)
	if st := n.Stats(); st.Offered < 1500+maxRecords || st.Resyncs != [NumCauses]uint64{CauseRestart: 1} {
		t.Errorf("offered %d, resyncs %v", st.Offered, st.Resyncs)
	}
}
