package revocation

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// suspects is what a look-up asks of the filter.
func (s *Store) suspects(r Record) bool {
	quick, _ := r.halves()
	p := s.filter.Load().place(quick, r.Kind)
	return !p.absent()
}

func randomRecords(rng *rand.ChaCha8, n int, until uint32) []Record {
	records := make([]Record, n)
	for i := range records {
		records[i] = randomRecord(rng, Kinds()[rng.Uint64()%6])
		records[i].Until = until
	}
	return records
}

func addRecords(tb testing.TB, s *Store, records []Record) {
	tb.Helper()
	if err := s.AddRecords(records); err != nil {
		tb.Fatal(err)
	}
}

// Through all that changes the filter: it grows, parts of it are cleared, it shrinks.
func TestFilterNeverClearsAnEntryThatIsThere(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 200_000})
	rng := rand.NewChaCha8([32]byte{6})
	stays := randomRecords(rng, 500, epoch+1000)
	addRecords(t, s, stays)
	check := func(when string, records []Record) {
		t.Helper()
		for _, r := range records {
			if !s.suspects(r) {
				t.Fatalf("%s: %x was cleared", when, r.Digest)
			}
		}
	}
	smallest := s.filter.Load().bytes()
	var widest int
	for round := range uint32(4) {
		for range 20 {
			goes := randomRecords(rng, 2000, epoch+round+1)
			addRecords(t, s, goes)
			check("growing", stays)
			check("growing", goes)
		}
		widest = max(widest, s.filter.Load().bytes())
		s.Sweep(time.Unix(epoch+int64(round)+1, 0))
		check("swept", stays)
		if got := s.Len(); got != len(stays) {
			t.Fatalf("%d entries left", got)
		}
	}
	if now := s.filter.Load().bytes(); widest < 10*smallest || now > 4*smallest {
		t.Errorf("the filter had %d bytes at first, %d at most, %d now", smallest, widest, now)
	}
}

func TestFilterForgetsWhatIsSweptAway(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 200_000})
	rng := rand.NewChaCha8([32]byte{7})
	goes, stays := randomRecords(rng, 20_000, epoch+1), randomRecords(rng, 20_000, epoch+2)
	addRecords(t, s, goes)
	addRecords(t, s, stays)
	before := s.filter.Load()
	s.Sweep(testNow.Add(time.Second))
	if s.filter.Load() != before {
		t.Fatal("the filter was replaced, not cleared")
	}
	vain := 0
	for _, r := range goes {
		if s.suspects(r) {
			vain++
		}
	}
	if vain > len(goes)/50 {
		t.Errorf("%d of %d still suspected", vain, len(goes))
	}
}

// What is not there is suspected so seldom that it costs next to nothing, at every size.
func TestFilterSuspectsFewInVain(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 100_000})
	rng := rand.NewChaCha8([32]byte{8})
	for range 100 {
		addRecords(t, s, randomRecords(rng, 1000, epoch+1))
		const tries = 5000
		vain := 0
		for _, r := range randomRecords(rng, tries, epoch+1) {
			if s.suspects(r) {
				vain++
			}
		}
		if vain > tries*3/100 {
			t.Fatalf("%d entries: %d of %d suspected in vain", s.Len(), vain, tries)
		}
	}
	if f := s.filter.Load(); f.bytes() > 100_000*filterBits/8*11/10 {
		t.Errorf("%d bytes at the limit", f.bytes())
	}
	full := s.filter.Load()
	if s.widen(s.limit + 100); s.filter.Load() != full { // So many writers at once meet the limit.
		t.Error("what will be refused changed the filter")
	}
}

func TestEntryThatArrivesWhileTheFilterIsReplacedIsInBoth(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 200_000})
	old, next := s.filter.Load(), newFilter(s.shardBits, 1000)
	old.next.Store(next) // As refit does, which has gone through all shards by now.
	records := randomRecords(rand.NewChaCha8([32]byte{10}), 100, epoch+1)
	addRecords(t, s, records)
	for _, f := range []*filter{old, next} {
		s.filter.Store(f)
		for _, r := range records {
			if !s.suspects(r) {
				t.Fatalf("%x was cleared", r.Digest)
			}
		}
	}
}

// Writers, the sweep and growth meet at the filter. The race detector watches.
func TestFilterHoldsEveryAcknowledgedEntryWhileItIsReplaced(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 400_000})
	var wg, background sync.WaitGroup
	stop := make(chan struct{})
	background.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.Sweep(testNow.Add(time.Duration(i) * time.Second)) // What was short-lived goes: parts are cleared.
			s.upkeep.Lock()
			s.refit(int64(i%5) * 10_000)
			s.upkeep.Unlock()
		}
	})
	for w := range byte(3) {
		wg.Go(func() {
			rng := rand.NewChaCha8([32]byte{9, w})
			var mine []Record
			for range 100 {
				r := randomRecords(rng, 20, noEnd)
				short := randomRecords(rng, 20, s.clock.Load()+1)
				if err := s.AddRecords(append(short, r...)); err != nil {
					t.Error(err)
					return
				}
				mine = append(mine, r...)
				for _, r := range mine {
					if !s.suspects(r) {
						t.Errorf("%x was cleared", r.Digest)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	background.Wait()
}
