package fleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func TestRefuseFailsFastWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	n := startNode(t, server.addr, nil)
	caughtUp(t, n)
	n.mustAccept(jti(0))
	server.kill()
	if err := n.accept(jti(1)); !errors.Is(err, ErrAway) {
		t.Errorf("error = %v, want ErrAway", err)
	}
	eventually(t, "node notices", func() bool { return !n.Stats().Connected })
	// Without a session nothing is sent, so a context that is over changes nothing.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Append(over, make([]revocation.Record, 3)); !errors.Is(err, ErrAway) || errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want ErrAway", err)
	}
	st := n.Stats()
	if st.Refused != 4 || st.Deferred != 0 || st.CaughtUp || st.Current.IsZero() {
		t.Errorf("stats: %+v", st)
	}
	eventually(t, "reason known", func() bool { return n.Stats().Fault == ReasonConnect && n.Stats().Errors[ReasonConnect] > 0 })
	server.start()
	n.insist(jti(1))
	caughtUp(t, n)
}

func TestLocalAcceptsWhileRedisIsAwayAndForwardsAfterARestart(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	between := startProxy(t, server.addr)
	local := func(c *Config) { c.WhenAway = Local }
	a, b := startNode(t, between.addr(), local), startNode(t, server.addr, local)
	caughtUp(t, a, b)
	between.setCut(true)
	for i := range 100 {
		a.mustAccept(jti(i))
	}
	a.mustAccept(a.batch(100, 1300)...)
	st := a.Stats()
	if st.Deferred != 1300 || st.OutboxRecords != 1300 || st.OutboxBytes == 0 || st.Refused != 0 {
		t.Fatalf("stats: %+v", st)
	}
	if b.missing(0, 1300) != 1300 {
		t.Fatal("not cut off at all")
	}
	a.stop()
	a.start()
	if st := a.Stats(); st.OutboxRecords != 1300 {
		t.Fatalf("%d records in the outbox after a restart", st.OutboxRecords)
	}
	a.mustAccept(jti(1300))
	between.setCut(false)
	b.holds(0, 1301)
	eventually(t, "outbox empty", func() bool { st := a.Stats(); return st.OutboxRecords == 0 && st.OutboxBytes == 0 })
	if st := a.Stats(); st.Forwarded != 1301 || st.Offered != 0 {
		t.Errorf("stats: %+v", st)
	}
	if left, _ := filepath.Glob(filepath.Join(a.cfg.Dir, segmentPrefix+"*")); len(left) != 0 {
		t.Errorf("segments left: %v", left)
	}
}

func TestAFullOutboxRefuses(t *testing.T) {
	t.Parallel()
	n := startNode(t, "127.0.0.1:1", func(c *Config) { c.WhenAway, c.OutboxBytes = Local, MinOutboxBytes })
	accepted := 0
	for ; accepted < 10_000; accepted++ {
		if err := n.accept(jti(accepted)); err != nil {
			if !errors.Is(err, ErrOutboxFull) {
				t.Fatal(err)
			}
			break
		}
	}
	st := n.Stats()
	if st.OutboxRecords != accepted || accepted < 1000 || accepted == 10_000 || st.OutboxBytes > MinOutboxBytes {
		t.Errorf("%d accepted, stats: %+v", accepted, st)
	}
	if st.Refused != 1 || st.Errors[ReasonOutbox] != 1 {
		t.Errorf("not counted: %+v", st)
	}
}

func TestADamagedOutboxHasEverythingOfferedAnew(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	between := startProxy(t, server.addr)
	local := func(c *Config) { c.WhenAway = Local }
	a, b := startNode(t, between.addr(), local), startNode(t, server.addr, nil)
	caughtUp(t, a, b)
	between.setCut(true)
	for i := range 100 {
		a.mustAccept(jti(i))
	}
	a.stop()
	paths, _ := filepath.Glob(filepath.Join(a.cfg.Dir, segmentPrefix+"*"))
	if len(paths) != 1 {
		t.Fatalf("segments: %v", paths)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(paths[0], content, filePerm); err != nil {
		t.Fatal(err)
	}
	a.start()
	if st := a.Stats(); st.OutboxDamaged != 1 || st.OutboxRecords >= 100 || st.OutboxRecords == 0 {
		t.Fatalf("stats: %+v", st)
	}
	between.setCut(false)
	b.holds(0, 100)
	caughtUp(t, a)
	if st := a.Stats(); st.Resyncs[CauseNew] != 1 || st.Offered < 100 {
		t.Errorf("stats: %+v", st)
	}
}

func TestAnOutboxThatIsDamagedWhileItIsForwardedHasEverythingOfferedAnew(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	between := startProxy(t, server.addr)
	a, b := startNode(t, between.addr(), func(c *Config) { c.WhenAway = Local }), startNode(t, server.addr, nil)
	caughtUp(t, a, b)
	between.setCut(true)
	for i := range 100 {
		a.mustAccept(jti(i))
	}
	paths, _ := filepath.Glob(filepath.Join(a.cfg.Dir, segmentPrefix+"*"))
	f, err := os.OpenFile(paths[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff, 0xff, 0xff, 0xff}, 61*10+segmentHeaderBytes); err != nil {
		t.Fatal(err)
	}
	between.setCut(false)
	b.holds(0, 100)
	eventually(t, "counted", func() bool { return a.Stats().OutboxDamaged == 1 })
	caughtUp(t, a)
	eventually(t, "outbox empty", func() bool { st := a.Stats(); return st.OutboxRecords == 0 && st.OutboxBytes == 0 })
}

func TestAnOutboxThatCannotBeWrittenRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	d, err := openDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	o, _, err := openOutbox(d, identity{secret: fleetSecret.ID()}, MinOutboxBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	one := []revocation.Record{{Kind: revocation.KindToken, Until: 1 << 31}}
	if err := o.put(one); err != nil {
		t.Fatal(err)
	}
	o.active.file.Close() // From here on the disk takes nothing.
	for range 2 {
		if err := o.put(one); err != nil && !errors.Is(err, ErrOutbox) {
			t.Errorf("error = %v, want ErrOutbox", err)
		}
	}
	// The first fails, the second begins a new segment.
	if len(o.segments) != 2 || o.records != 2 {
		t.Errorf("%d segments, %d records", len(o.segments), o.records)
	}
	o.close()
	if err := o.put(one); !errors.Is(err, ErrClosed) {
		t.Errorf("error = %v, want ErrClosed", err)
	}
}

func TestOutboxKeepsOrderOverSegmentsAndRestarts(t *testing.T) {
	t.Parallel()
	d, err := openDirectory(filepath.Join(t.TempDir(), "d"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	id := identity{secret: fleetSecret.ID()}
	const total = 800
	var o *outbox
	next := 0
	for i := range total {
		if i%300 == 0 {
			if o != nil {
				o.close()
			}
			var damaged bool
			if o, damaged, err = openOutbox(d, id, MinOutboxBytes); err != nil || damaged {
				t.Fatal(err, damaged)
			}
			// What was taken off before the restart may come again: a segment goes as a whole.
			next = 0
		}
		if err := o.put([]revocation.Record{{Kind: revocation.KindToken, Until: uint32(i + 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	defer o.close()
	for {
		message, n, err := o.head()
		if err != nil {
			t.Fatal(err)
		}
		if message == nil {
			break
		}
		records, _, err := decode(nil, string(message), id.secret)
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if int(records[0].Until) != next+1 {
			t.Fatalf("record %d after %d", records[0].Until, next)
		}
		next++
		o.pop(message, n)
	}
	if records, bytes := o.held(); next != total || records != 0 || bytes != 0 {
		t.Errorf("%d taken, %d records and %d bytes left", next, records, bytes)
	}
}

func TestAHangingRedisIsAwayAfterTheTimeout(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	n := startNode(t, server.addr, func(c *Config) { c.Redis.Timeout = 300 * time.Millisecond })
	caughtUp(t, n)
	server.pause()
	defer server.resume()
	if err := n.accept(jti(1)); !errors.Is(err, ErrAway) {
		t.Errorf("error = %v, want ErrAway", err)
	}
	eventually(t, "node notices", func() bool { return !n.Stats().Connected && !n.CaughtUp() })
	if st := n.Stats(); st.Errors[ReasonTimeout] == 0 {
		t.Errorf("errors: %v", st.Errors)
	}
	server.resume()
	n.insist(jti(1))
	caughtUp(t, n)
}
