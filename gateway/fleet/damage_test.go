package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func TestADamagedEntryForcesAFullResync(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"checksum": "damaged",
		"secret":   string(identity{secret: [8]byte{9}}.encode(nil, testRecords)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			n := startNode(t, server.addr, nil)
			caughtUp(t, n)
			// What is in the state by the side of the entry is what the entry would have told.
			record, err := n.journal.Store().Record(jti(1))
			if err != nil {
				t.Fatal(err)
			}
			b := appendRecord(nil, &record)
			server.do("ZADD", DefaultPrefix+"until", int(record.Until), b[:memberBytes])
			seq := server.do("HINCRBY", DefaultPrefix+"meta", "seq", 1)
			server.do("XADD", DefaultPrefix+"stream", "*", fieldSeq, seq, fieldMessage, message)
			n.holds(1, 2)
			eventually(t, "caught up again", n.CaughtUp)
			n.mustAccept(jti(2))
			if st := n.Stats(); st.DamagedEntries != 1 || st.Resyncs[CauseDamaged] != 1 || st.Sessions != 1 {
				t.Errorf("stats: %+v", st)
			}
		})
	}
}

func TestAnEntryWithoutFieldsForcesAFullResync(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	n := startNode(t, server.addr, nil)
	caughtUp(t, n)
	server.do("XADD", DefaultPrefix+"stream", "*", "what", "ever")
	eventually(t, "noticed", func() bool { return n.Stats().Resyncs[CauseDamaged] == 1 })
	eventually(t, "caught up again", n.CaughtUp)
}

func TestAnEntryThatIsMissingForcesAFullResync(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	n := startNode(t, server.addr, nil)
	caughtUp(t, n)
	server.do("HINCRBY", DefaultPrefix+"meta", "seq", 1)
	startNode(t, server.addr, nil).insist(jti(1))
	n.holds(1, 2)
	eventually(t, "noticed", func() bool { return n.Stats().Resyncs[CauseGap] == 1 })
	eventually(t, "caught up again", n.CaughtUp)
}

func TestADamagedStateIsHealedByWhatNodesHold(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	a := startNode(t, server.addr, nil)
	caughtUp(t, a)
	at := time.Now()
	subject := revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, ID: "s", Before: at, Until: at.Add(time.Hour)}
	a.mustAccept(jti(1), jti(2), subject)
	record, err := a.journal.Store().Record(jti(1))
	if err != nil {
		t.Fatal(err)
	}
	member := appendRecord(nil, &record)[:memberBytes]
	server.do("ZREM", DefaultPrefix+"until", member)
	member[0] = 99
	server.do("ZADD", DefaultPrefix+"until", int(record.Until), member)
	server.do("ZADD", DefaultPrefix+"until", "4000000000.5", "of another length")
	if record, err = a.journal.Store().Record(subject); err != nil {
		t.Fatal(err)
	}
	server.do("HDEL", DefaultPrefix+"before", appendRecord(nil, &record)[:memberBytes])
	b := startNode(t, server.addr, nil)
	eventually(t, "noticed", func() bool { return b.Stats().DamagedRecords == 3 })
	b.holds(1, 3)
	caughtUp(t, a, b)
	if n := b.journal.Store().Len(); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	if n := server.do("ZCARD", DefaultPrefix+"until").(int64); n != 4 {
		t.Errorf("%d members in the state, want 3 and the one that is always there", n)
	}
	if st := a.Stats(); st.Resyncs[CauseEpoch] != 1 {
		t.Errorf("node a: %v", st.Resyncs)
	}
}

func TestAKeyThatIsGoneBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	for _, key := range keysUnder("").all()[:4] {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			a, b := startNode(t, server.addr, nil), startNode(t, server.addr, nil)
			caughtUp(t, a, b)
			a.mustAccept(a.batch(0, 100)...)
			b.holds(0, 100)
			server.do("DEL", DefaultPrefix+key)
			a.insist(jti(100))
			b.holds(0, 101)
			caughtUp(t, a, b)
			late := startNode(t, server.addr, nil)
			caughtUp(t, late)
			if m := late.missing(0, 101); m != 0 {
				t.Errorf("%d are missing", m)
			}
		})
	}
}

func TestANodeWithAnotherSecretIsRefused(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	a := startNode(t, server.addr, nil)
	caughtUp(t, a)
	for _, when := range []WhenAway{Refuse, Local} {
		other := startNode(t, server.addr, func(c *Config) {
			c.SecretID, c.WhenAway = revocation.NewSecret().ID(), when
		})
		eventually(t, "refused", func() bool { return errors.Is(other.accept(jti(1)), ErrSecret) })
		eventually(t, "counted", func() bool {
			st := other.Stats()
			return st.Errors[ReasonSecret] > 0 && st.Fault == ReasonSecret
		})
		if st := other.Stats(); st.Deferred != 0 && when == Refuse {
			t.Errorf("stats: %+v", st)
		}
		if other.CaughtUp() || a.revoked(1) {
			t.Error("taken in")
		}
	}
}

func TestAFleetOfALaterVersionIsRefused(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	server.do("HSET", DefaultPrefix+"meta", "version", "2")
	n := startNode(t, server.addr, nil)
	eventually(t, "refused", func() bool { return errors.Is(n.accept(jti(1)), ErrVersion) })
	eventually(t, "counted", func() bool { return n.Stats().Fault == ReasonVersion })
	if n.CaughtUp() {
		t.Error("caught up")
	}
}

func TestNothingIsPassedOverThatCouldNotBeApplied(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	var broken atomic.Bool
	b := newNode(t, server.addr, nil)
	apply := b.cfg.Apply
	b.cfg.Apply = func(records []revocation.Record) error {
		if broken.Load() {
			return errors.New("disk full")
		}
		return apply(records)
	}
	b.start()
	a := startNode(t, server.addr, nil)
	caughtUp(t, a, b)
	broken.Store(true)
	a.mustAccept(jti(1))
	eventually(t, "noticed", func() bool { return b.Stats().Errors[ReasonApply] > 1 })
	if b.CaughtUp() || b.revoked(1) {
		t.Error("caught up without it")
	}
	broken.Store(false)
	caughtUp(t, b)
	if !b.revoked(1) {
		t.Error("passed over")
	}
}

func TestANodeThatLostItsStoreBeginsWithoutItsPosition(t *testing.T) {
	t.Parallel()
	n := newNode(t, "127.0.0.1:1", nil)
	d, err := openDirectory(n.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	p := position{epoch: newEpoch(), life: generation{7}, at: mark{streamID{1 << 40, 3}, 12}}
	if err := d.setPosition(n.cfg.SecretID, p); err != nil {
		t.Fatal(err)
	}
	d.close()
	for _, anew := range []bool{false, true} {
		cfg := n.cfg
		cfg.Anew = anew
		f, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.known == p; got == anew {
			t.Errorf("anew %t: known %+v", anew, f.known)
		}
		f.Close()
	}
}

func TestADamagedPositionIsNone(t *testing.T) {
	t.Parallel()
	d, err := openDirectory(filepath.Join(t.TempDir(), "d"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	secret := fleetSecret.ID()
	p := position{epoch: newEpoch(), life: generation{7}, at: mark{streamID{1 << 40, 3}, 12}}
	if got, damaged := d.position(secret); got != (position{}) || damaged {
		t.Errorf("%+v, %v", got, damaged)
	}
	if err := d.setPosition(secret, p); err != nil {
		t.Fatal(err)
	}
	if got, damaged := d.position(secret); got != p || damaged {
		t.Errorf("%+v, %v", got, damaged)
	}
	if got, damaged := d.position([8]byte{1}); got != (position{}) || !damaged {
		t.Errorf("of another secret: %+v, %v", got, damaged)
	}
	good, err := os.ReadFile(d.file(positionName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		if err := os.WriteFile(d.file(positionName), bad, filePerm); err != nil {
			t.Fatal(err)
		}
		if got, damaged := d.position(secret); got != (position{}) || !damaged {
			t.Fatalf("byte %d: %+v", i, got)
		}
	}
	if err := d.forgetPosition(); err != nil {
		t.Fatal(err)
	}
	if err := d.forgetPosition(); err != nil {
		t.Fatal(err)
	}
	wantError(t, d.setPosition(secret, position{epoch: "short"}), ErrPosition)
}

func TestADirectoryIsForOneProcess(t *testing.T) {
	t.Parallel()
	n := newNode(t, "127.0.0.1:1", nil)
	f, err := New(n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = New(n.cfg)
	wantError(t, err, ErrLocked)
}

func TestAnOutboxOfAnotherSecretIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, "127.0.0.1:1", func(c *Config) { c.WhenAway = Local })
	f, err := New(n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Append(t.Context(), testRecords); err != nil {
		t.Fatal(err)
	}
	f.Close()
	n.cfg.SecretID = [8]byte{1}
	_, err = New(n.cfg)
	wantError(t, err, ErrSecret)
}
