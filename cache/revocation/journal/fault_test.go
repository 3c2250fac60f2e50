package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
)

// workload adds, snapshots and restarts, and returns which entries were acknowledged. A restart that fails ends it.
func workload(tb testing.TB, m *memory, entries int) (acknowledged map[int]bool) {
	tb.Helper()
	acknowledged = make(map[int]bool)
	var j *Journal
	for i := range entries {
		if j == nil || i%9 == 8 {
			var err error
			if j, _, err = open(testConfig(), m); err != nil {
				if errors.Is(err, ErrLost) || errors.Is(err, ErrSecret) {
					tb.Fatalf("entry %d: %v", i, err)
				}
				j = nil
				continue
			}
		}
		if j.Add(jti(i)) == nil {
			acknowledged[i] = true
		}
		if i%4 == 3 {
			_ = j.Snapshot(tb.Context())
		}
	}
	return acknowledged
}

// After any failure, of any operation, once or from then on, and a power cut: nothing acknowledged is missing, and
// nothing is there that was never asked for.
func TestNothingAcknowledgedIsLostWhateverOperationFails(t *testing.T) {
	t.Parallel()
	const entries = 24
	calm := newMemory()
	if got := len(workload(t, calm, entries)); got != entries {
		t.Fatalf("%d of %d acknowledged without a fault", got, entries)
	}
	last := calm.ops
	for name, failing := range map[string]func(op, at int) bool{
		"once":      func(op, at int) bool { return op == at },
		"for long":  func(op, at int) bool { return op >= at && op < at+10 },
		"from then": func(op, at int) bool { return op >= at },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 1; at <= last; at++ {
				for seed := range uint64(3) {
					m := newMemory()
					m.fault = func(op int, _, _ string) error {
						if failing(op, at) {
							return syscall.ENOSPC
						}
						return nil
					}
					acknowledged := workload(t, m, entries)
					if name == "once" && len(acknowledged) < entries-1 {
						t.Fatalf("operation %d: only %d acknowledged: it did not recover", at, len(acknowledged))
					}
					after := m.crash(rand.New(rand.NewPCG(seed, uint64(at))))
					j, report, err := open(testConfig(), after)
					if err != nil {
						t.Fatalf("operation %d: %v, %+v, %v", at, err, report, after.names())
					}
					missing(t, j, entries)
					for i := range acknowledged {
						if !revoked(j, i) {
							t.Fatalf("operation %d: entry %d was acknowledged and is gone: %+v", at, i, report)
						}
					}
				}
			}
		})
	}
}

// A power cut between any two operations.
func TestNothingAcknowledgedIsLostInAPowerCut(t *testing.T) {
	t.Parallel()
	const entries = 24
	calm := newMemory()
	workload(t, calm, entries)
	for at := range calm.ops {
		for seed := range uint64(4) {
			m := newMemory()
			var after *memory
			acknowledged, before := make(map[int]bool), make(map[int]bool)
			j, _ := openMemory(t, m)
			m.fault = func(op int, _, _ string) error {
				if op > at && after == nil {
					m.mu.Unlock()
					after = m.crash(rand.New(rand.NewPCG(seed, uint64(at))))
					m.mu.Lock()
					for i := range acknowledged {
						before[i] = true
					}
				}
				return nil
			}
			for i := range entries {
				if err := j.Add(jti(i)); err != nil {
					t.Fatal(err)
				}
				acknowledged[i] = true
				if i%4 == 3 {
					snapshot(t, j)
				}
			}
			if after == nil {
				continue
			}
			j, report, err := open(testConfig(), after)
			if err != nil {
				t.Fatalf("operation %d: %v, %+v, %v", at, err, report, after.names())
			}
			missing(t, j, entries)
			for i := range before {
				if !revoked(j, i) {
					t.Fatalf("operation %d: entry %d was acknowledged and is gone: %+v", at, i, report)
				}
			}
		}
	}
}

func TestSegmentWhoseNameNeverBecameDurableIsNotTakenForALoss(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		m := newMemory()
		j, _ := openMemory(t, m)
		failing := func(_ int, kind, _ string) error {
			if kind == "sync directory" {
				return syscall.EIO
			}
			return nil
		}
		m.fault = failing
		wantError(t, j.Add(jti(0)), ErrWrite)
		m.fault = nil
		j, _ = openMemory(t, m) // Another process on the same kernel: the name is there, and may not be on the disk.
		m.fault = failing
		wantError(t, j.Add(jti(1)), ErrWrite)
		openMemory(t, m.crash(rand.New(rand.NewPCG(seed, seed))))
	}
}

func TestFailedSyncIsNeverTriedAgainOnTheSameFile(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sync", "write"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			j, _ := openMemory(t, m)
			add(t, j, 0, 3)
			m.fault = func(_ int, k, name string) error {
				if k == kind && name == logName(1) {
					return fmt.Errorf("%w: %w", errDisk, syscall.EIO)
				}
				return nil
			}
			err := j.Add(jti(3))
			wantError(t, err, ErrWrite)
			wantError(t, err, syscall.EIO)
			if err := j.Add(jti(4)); err != nil {
				t.Fatalf("the next one, in a new segment: %v", err)
			}
			if st := j.Stats(); st.Failures != 1 || st.Records != 4 {
				t.Errorf("stats = %+v", st)
			}
			again, _ := openMemory(t, m.crash(rand.New(rand.NewPCG(2, 2))))
			for _, i := range []int{0, 1, 2, 4} {
				if !revoked(again, i) {
					t.Errorf("entry %d is gone", i)
				}
			}
		})
	}
}
