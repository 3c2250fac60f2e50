package revocation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Readers, writers, sweeps and exports at once: an acknowledged entry is seen from then on, whatever goes on, and
// nothing else ever is.
func TestAcknowledgedEntryIsSeenByEveryReaderFromThenOn(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 1_000_000})
	const writers, each = 4, 5000
	acknowledged := make([]chan int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		acknowledged[w] = make(chan int, each)
		wg.Go(func() {
			defer close(acknowledged[w])
			for i := range each {
				add(t, s,
					Entry{Kind: Kinds()[i%4], Issuer: issuer, ID: fmt.Sprint(w, "-", i), Until: later},
					Entry{Kind: KindToken, Issuer: issuer, ID: fmt.Sprint("short", w, "-", i), Until: testNow.Add(time.Duration(i%7) * time.Second)})
				acknowledged[w] <- i
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			for i := range acknowledged[w] {
				for _, j := range []int{i, i / 2, 0} {
					if !s.Revoked(named(Kinds()[j%4], fmt.Sprint(w, "-", j)), nil) {
						t.Errorf("%d-%d was forgotten", w, j)
						return
					}
				}
				if s.Revoked(named(Kinds()[i%4], fmt.Sprint("never", w, "-", i)), nil) {
					t.Errorf("%d-%d was invented", w, i)
					return
				}
			}
		})
	}
	stop := make(chan struct{})
	var background sync.WaitGroup
	background.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.Sweep(testNow.Add(time.Duration(i%8) * time.Second))
			for r := range s.Records() {
				if r.Validate() != nil || r.Until < epoch {
					t.Errorf("torn record: %+v", r)
					return
				}
			}
			_ = s.Stats()
		}
	})
	wg.Wait()
	close(stop)
	background.Wait()
	s.Sweep(testNow.Add(10 * time.Second))
	got := 0
	for range s.Records() {
		got++
	}
	if got != writers*each {
		t.Errorf("%d entries, want %d", got, writers*each)
	}
}

func named(kind Kind, id string) *token.Claims {
	c := &token.Claims{Issuer: issuer, IssuedAt: epoch}
	switch kind {
	case KindToken:
		c.TokenID = id
	case KindSession:
		c.SessionID = id
	case KindSubject:
		c.Subject = id
	default:
		c.ClientID = id
	}
	return c
}

func TestWritersTogetherNeverPassTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 1000
	s := newStore(t, Config{MaxEntries: limit})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rng := rand.NewChaCha8([32]byte{byte(w)})
			for range limit {
				r := randomRecord(rng, KindSession)
				if err := s.AddRecords([]Record{r}); (err == nil) != s.holds(r) || err != nil && !errors.Is(err, ErrFull) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.Total() != limit || st.Inserted != limit || st.Refused != 3*limit {
		t.Errorf("stats = %+v", st)
	}
}

func TestRunKeepsTheTimeAndSweepsEverythingWithinAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{}, NewSecret())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		c := claimsOf(time.Now().Unix())
		var entries []Entry
		for i := range 1000 {
			entries = append(entries, Entry{Kind: KindToken, Issuer: issuer, ID: fmt.Sprint("jti-", i), Until: time.Now().Add(5 * time.Second)})
		}
		add(t, s, entries...)
		if time.Sleep(4500 * time.Millisecond); !s.Revoked(c, nil) {
			t.Error("over too early")
		}
		if time.Sleep(1500 * time.Millisecond); s.Revoked(c, nil) {
			t.Error("still in force")
		}
		if time.Sleep(time.Minute); s.Len() != 0 {
			t.Errorf("%d entries not swept", s.Len())
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
