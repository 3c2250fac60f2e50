package identity

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestASlotIsWaitedForAsLongAsACallMayTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, 5*time.Second)
		giveBack, err := s.take(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := s.take(t.Context(), true); !errors.Is(err, ErrSaturated) || time.Since(begin) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.take(ctx, true); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller that leaves: %v", err)
		}
		// A stranger that left empty-handed has not kept its place.
		for range 3 {
			if _, err := s.take(t.Context(), false); !errors.Is(err, ErrSaturated) {
				t.Error(err)
			}
		}
		giveBack()
		for _, known := range []bool{false, true, false} {
			giveBack, err := s.take(t.Context(), known)
			if err != nil {
				t.Fatal(err)
			}
			giveBack()
		}
		if got := s.saturated.Load(); got != 4 || len(s.all)+len(s.strangers) != 0 {
			t.Errorf("saturated %d, taken %d and %d", got, len(s.all), len(s.strangers))
		}
	})
}

func TestStrangersLeaveAQuarterOfTheSlotsAndTheirWaitingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4, 5*time.Second)
		var (
			group sync.WaitGroup
			done  = make(chan struct{})
		)
		for range 4*waitersPerSlot + 3 {
			group.Go(func() {
				giveBack, err := s.take(t.Context(), false)
				if err != nil {
					t.Error(err)
					return
				}
				<-done
				giveBack()
			})
		}
		synctest.Wait()
		if len(s.all) != 3 || s.waiting[0].Load() != 4*waitersPerSlot {
			t.Fatalf("%d slots taken, %d wait", len(s.all), s.waiting[0].Load())
		}
		begin := time.Now()
		if _, err := s.take(t.Context(), false); !errors.Is(err, ErrSaturated) || time.Since(begin) != 0 {
			t.Errorf("one too many: %v after %v", err, time.Since(begin))
		}
		giveBack, err := s.take(t.Context(), true)
		if err != nil || time.Since(begin) != 0 {
			t.Fatalf("a known one: %v after %v", err, time.Since(begin))
		}
		giveBack()
		close(done)
		group.Wait()
	})
}
