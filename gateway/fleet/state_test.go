package fleet

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// scripted is a server without a node around it.
func scripted(t *testing.T, r *redisServer) (*server, status) {
	t.Helper()
	c := r.client()
	t.Cleanup(func() { _ = c.Close() })
	id := fleetSecret.ID()
	s := &server{client: c, keys: keysUnder("p:"), secret: string(id[:]), timeout: 5 * time.Second}
	st, err := s.open(t.Context(), newEpoch())
	if err != nil {
		t.Fatal(err)
	}
	return s, st
}

func (s *server) put(t *testing.T, epoch string, lim limits, records ...revocation.Record) mark {
	t.Helper()
	m, err := s.append(t.Context(), epoch, testID.encode(nil, records), lim, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *server) state(t *testing.T) (records []revocation.Record) {
	t.Helper()
	for cursor := "0"; ; {
		next, page, bad, err := s.page(t.Context(), cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		if records, bad = readPage(records, page, bad); len(bad) > 0 {
			t.Fatalf("bad: %q", bad)
		}
		if cursor = next; cursor == "0" {
			return records
		}
	}
}

var roomy = limits{entries: 1000}

func TestTheStateKeepsTheLaterTimes(t *testing.T) {
	t.Parallel()
	s, st := scripted(t, startRedis(t))
	now := uint32(time.Now().Unix())
	rec := func(before, until uint32) revocation.Record {
		return revocation.Record{Kind: revocation.KindSubject, Digest: revocation.Digest{1}, Before: before, Until: until}
	}
	for _, c := range []struct {
		put, want revocation.Record
		news      bool
	}{
		{rec(10, now+100), rec(10, now+100), true},
		{rec(10, now+100), rec(10, now+100), false},
		{rec(9, now+50), rec(10, now+100), false},
		{rec(11, now+50), rec(11, now+100), true},
		{rec(5, now+200), rec(11, now+200), true},
		{rec(1<<32-1, 1<<32-1), rec(1<<32-1, 1<<32-1), true},
		{rec(1<<32-2, 1<<32-2), rec(1<<32-1, 1<<32-1), false},
	} {
		if m := s.put(t, st.epoch, roomy, c.put); (m != mark{}) != c.news {
			t.Errorf("%+v: on the stream as %v, want %v", c.put, m, c.news)
		}
		if got := s.state(t); !slices.Equal(got, []revocation.Record{c.want}) {
			t.Errorf("after %+v: %+v, want %+v", c.put, got, c.want)
		}
	}
	after, err := s.open(t.Context(), newEpoch())
	if err != nil || after.end.seq != 5 || after.epoch != st.epoch {
		t.Errorf("%+v, %v", after, err)
	}
	if ok, err := s.holds(t.Context(), after.end); err != nil || !ok {
		t.Errorf("the last entry is not on the stream: %v", err)
	}
	after.end.seq++
	if ok, err := s.holds(t.Context(), after.end); err != nil || ok {
		t.Errorf("another entry is on the stream: %v", err)
	}
}

func TestWhatIsPastLeavesTheState(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, st := scripted(t, r)
	now := uint32(time.Now().Unix())
	old := func(i int) revocation.Record {
		return revocation.Record{
			Kind: revocation.KindSubject, Digest: revocation.Digest{byte(i), byte(i >> 8)}, Before: 1, Until: now - 590,
		}
	}
	var records []revocation.Record
	for i := range 100 {
		records = append(records, old(i)) // Past, but not by so much that clocks must agree.
	}
	s.put(t, st.epoch, roomy, records...)
	if got := len(s.state(t)); got != 100 {
		t.Fatalf("%d records, want 100", got)
	}
	for i := range 100 {
		r.do("ZADD", "p:until", int(now)-1000, appendRecord(nil, &records[i])[:memberBytes])
	}
	gone := old(1000)
	gone.Until = now - 1000
	if m := s.put(t, st.epoch, roomy, gone); m != (mark{}) {
		t.Error("what is past went on the stream")
	}
	if got := len(s.state(t)); got != 90 {
		t.Errorf("%d records after an append, want 90: it takes away ten", got)
	}
	for _, want := range []int{50, 40, 0} {
		if n, err := s.purge(t.Context(), 50); err != nil || n != want {
			t.Errorf("%d purged, want %d: %v", n, want, err)
		}
	}
	if got := len(s.state(t)); got != 0 {
		t.Errorf("%d records left", got)
	}
	if n := r.do("HLEN", "p:before").(int64); n != 1 {
		t.Errorf("%d moments left beside the empty one", n)
	}
}

func TestTheStreamIsTrimmedByAge(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, st := scripted(t, r)
	now := uint32(time.Now().Unix())
	put := func(i int, age time.Duration) {
		s.put(t, st.epoch, limits{1_000_000, age}, revocation.Record{
			Kind: revocation.KindToken, Digest: revocation.Digest{byte(i), byte(i >> 8)}, Until: now + 100,
		})
	}
	for i := range 500 {
		put(i, 0)
	}
	eventually(t, "trimmed", func() bool {
		put(time.Now().Nanosecond()%60000+500, time.Millisecond)
		return r.do("XLEN", "p:stream").(int64) < 300
	})
	if got := len(s.state(t)); got < 500 {
		t.Errorf("%d in the state, which no age limits", got)
	}
}

func TestNodesThatOfferAreWaitedFor(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	s, st := scripted(t, r)
	empty := testID.encode(nil, nil)
	if m, err := s.append(t.Context(), st.epoch, empty, roomy, "node"); err != nil || m != (mark{}) {
		t.Fatal(m, err)
	}
	uploads := func() int {
		st, err := s.open(context.Background(), newEpoch())
		if err != nil {
			t.Fatal(err)
		}
		return st.uploads
	}
	if n := uploads(); n != 1 {
		t.Errorf("%d, want 1", n)
	}
	if err := s.uploaded(t.Context(), "node"); err != nil || uploads() != 0 {
		t.Errorf("still waited for: %v", err)
	}
	grace, _ := strconv.Atoi(uploadGrace)
	r.do("ZADD", "p:uploads", int(time.Now().Unix())-grace-2, "dead")
	if n := uploads(); n != 0 {
		t.Error("a node that is dead is waited for")
	}
}

func TestNoNodeIsCaughtUpWhileAnotherOffers(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	a := startNode(t, server.addr, nil)
	caughtUp(t, a)
	server.do("ZADD", DefaultPrefix+"uploads", int(time.Now().Unix())+3600, "slow")
	b := startNode(t, server.addr, nil)
	// With each entry that it applies, it asks anew whether it is caught up.
	for i := range 4 {
		a.mustAccept(jti(i))
		b.holds(i, i+1)
	}
	if b.CaughtUp() {
		t.Error("caught up before all was there")
	}
	if !a.CaughtUp() {
		t.Error("who was caught up has to wait")
	}
	server.do("ZREM", DefaultPrefix+"uploads", "slow")
	caughtUp(t, b)
}

func TestNoNodeIsCaughtUpBeforeTheOthersCanBeBack(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	n := startNode(t, server.addr, func(c *Config) { c.Settle = MaxSettle })
	other := startNode(t, server.addr, nil)
	for i := range 4 {
		other.insist(jti(i))
		n.holds(i, i+1)
	}
	if n.CaughtUp() {
		t.Error("caught up at once")
	}
	created := strconv.FormatInt(time.Now().Add(-2*MaxSettle).UnixMilli(), 10)
	server.do("HSET", DefaultPrefix+"meta", "created", created)
	caughtUp(t, n)
}
