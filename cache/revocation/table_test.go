package revocation

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

func quickRecord(quick, sure uint64, until uint32) Record {
	r := Record{Kind: KindToken, Until: until}
	r.setHalves(quick, sure)
	return r
}

func (s *Store) holds(r Record) bool {
	quick, sure := r.halves()
	a := s.shard(r.Kind, quick).array.Load()
	if a == nil {
		return false
	}
	found, _ := a.find(a.home(quick<<s.shardBits), quick, func(other uint64) bool { return other == sure })
	return found != nil
}

// Digests that agree in shard, line and tag are what a probe meets at its worst; they are told apart by what is left.
func TestDigestsThatCollideAreToldApart(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	var all []Record
	for i := range uint64(300) {
		all = append(all,
			quickRecord(0x1234_0000_0000_0001, i, epoch+100),       // One quick half.
			quickRecord(0x1234_0000_0000_0001+i<<20, 7, epoch+100), // One line and one tag.
			quickRecord(i, 7, epoch+100))                           // One line.
	}
	if err := s.AddRecords(all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if !s.holds(r) {
			t.Fatalf("%x is missing", r.Digest)
		}
		quick, sure := r.halves()
		for _, other := range []Record{quickRecord(quick, sure+1000, 0), quickRecord(quick^1<<40, sure, 0)} {
			if s.holds(other) {
				t.Fatalf("%x is taken for another", other.Digest)
			}
		}
	}
}

func TestSweepFreesWhatIsPastAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	rng := rand.NewChaCha8([32]byte{3})
	var past, stays []Record
	for range 20_000 {
		r := randomRecord(rng, Kinds()[rng.Uint64()%6])
		r.Until = epoch + 10
		if len(past) > len(stays) {
			r.Until = epoch + 20
			stays = append(stays, r)
		} else {
			past = append(past, r)
		}
	}
	for _, rs := range [][]Record{past, stays} {
		if err := s.AddRecords(rs); err != nil {
			t.Fatal(err)
		}
	}
	before := s.Stats().Bytes
	s.Sweep(testNow.Add(10 * time.Second))
	st := s.Stats()
	if st.Total() != len(stays) || st.Expired != uint64(len(past)) || st.Bytes >= before {
		t.Errorf("%d entries, want %d; stats %+v; had %d bytes", st.Total(), len(stays), st, before)
	}
	for _, r := range stays {
		if !s.holds(r) {
			t.Fatal("an entry in force was swept away")
		}
	}
	s.Sweep(testNow.Add(20 * time.Second))
	if st := s.Stats(); st.Total() != 0 || st.Bytes != newStore(t, Config{}).Stats().Bytes {
		t.Errorf("left behind: %+v", st)
	}
}

func TestTenMillionEntriesTakeAtMost320MiB(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds and a quarter of a gigabyte")
	}
	// Memory by entry goes up and down as shards grow: a tenth of the size in small steps shows its worst.
	const n, worst = 1_500_000, 320 << 20 / 10_000_000.0
	s := newStore(t, Config{MaxEntries: n})
	rng := rand.NewChaCha8([32]byte{4})
	for i := range n {
		r := randomRecord(rng, KindToken)
		if err := s.add(&r); err != nil {
			t.Fatal(err)
		}
		if i > million && i%1000 == 0 {
			if per := float64(s.Stats().Bytes) / float64(i); per > worst {
				t.Fatalf("%d entries take %.1f bytes each", i, per)
			}
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if per := float64(m.HeapAlloc) / n; per > worst*1.1 {
		t.Errorf("the heap has %.1f bytes for each entry", per)
	}
	runtime.KeepAlive(s)
}

func TestGrowPreventsCopyingAndNeverReservesMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	const n = 200_000
	s := newStore(t, Config{MaxEntries: n})
	s.Grow(KindToken, 1<<40)
	if got := s.Stats().Bytes; got > n*9 {
		t.Errorf("%d bytes reserved", got)
	}
	lines := make(map[*array]bool)
	for i := range s.shards[KindToken] {
		lines[s.shards[KindToken][i].array.Load()] = true
	}
	rng := rand.NewChaCha8([32]byte{5})
	for range n * 95 / 100 {
		r := randomRecord(rng, KindToken)
		if err := s.add(&r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.shards[KindToken] {
		if !lines[s.shards[KindToken][i].array.Load()] {
			t.Fatal("a shard was copied")
		}
	}
	s.Grow(KindNone, 1000)
	s.Grow(KindToken, -5)
	if binary.Size(slot{}) != chunkBytes/chunkSlots || binary.Size(line{}) != lineBytes {
		t.Error("sizes are not what Stats adds up")
	}
}
