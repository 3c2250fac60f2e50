package journal

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func TestWhatWasAcknowledgedIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Dir = filepath.Join(t.TempDir(), "revocations")
	for round := range 5 {
		j, report, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !report.Clean() || report.Entries != 10*round {
			t.Errorf("round %d: report %+v", round, report)
		}
		if m := missing(t, j, 10*round); m > 0 {
			t.Fatalf("round %d: %d missing", round, m)
		}
		add(t, j, 10*round, 10*round+10)
		if round%2 == 1 {
			snapshot(t, j)
		}
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Fatal(err)
		}
		wantError(t, j.Add(jti(0)), ErrClosed)
		wantError(t, j.Snapshot(t.Context()), ErrClosed)
	}
	info, err := os.Stat(cfg.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil || len(entries) < 5 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestDirectoryBelongsToOneProcessAtATime(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Dir = t.TempDir()
	j, _, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Open(cfg)
	wantError(t, err, ErrLocked)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, _, err = Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConfigOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Config){
		"no directory": func(c *Config) { c.Dir = "" },
		"short log":    func(c *Config) { c.LogBytes = MinLogBytes - 1 },
		"long log":     func(c *Config) { c.LogBytes = MaxLogBytes + 1 },
	} {
		cfg := testConfig()
		cfg.Dir = t.TempDir()
		spoil(&cfg)
		if _, _, err := Open(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := testConfig()
	cfg.Dir, cfg.Store.MaxEntries = t.TempDir(), -1
	_, _, err := Open(cfg)
	wantError(t, err, revocation.ErrConfig)
}

func TestAddRefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	m := newMemory()
	cfg := testConfig()
	cfg.Store.MaxEntries = 2
	j, _, err := open(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, j.Add(revocation.Entry{}), revocation.ErrEntry)
	wantError(t, j.AddRecords(make([]revocation.Record, MaxBatch+1)), ErrBatch)
	wantError(t, j.Add(jti(0), jti(1), jti(2)), revocation.ErrFull)
	if err := j.Add(); err != nil {
		t.Error(err)
	}
	if slices.Contains(m.names(), logName(1)) {
		t.Error("what was refused is on disk")
	}
	add(t, j, 0, 2)
	// A limit lower than what is there is a mistake to be told, not one to be made good by forgetting.
	cfg.Store.MaxEntries = 1
	_, _, err = open(cfg, m)
	wantError(t, err, revocation.ErrFull)
}

func TestCallersThatWaitShareOneSync(t *testing.T) {
	t.Parallel()
	m := newMemory()
	j, _ := openMemory(t, m)
	add(t, j, 0, 1)
	inSync, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m.fault = func(_ int, kind, _ string) error {
		if kind == "sync" {
			once.Do(func() {
				close(inSync)
				<-goOn
			})
		}
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { add(t, j, 1, 2) })
	<-inSync
	const callers = 20
	for i := range callers {
		wg.Go(func() { add(t, j, 2+i, 3+i) })
	}
	for joined := 0; joined < callers; runtime.Gosched() {
		j.mu.Lock()
		joined = len(j.open.records)
		j.mu.Unlock()
	}
	close(goOn)
	wg.Wait()
	if st := j.Stats(); st.Groups != 3 || st.Records != callers+2 || st.Failures != 0 {
		t.Errorf("stats = %+v, want 3 groups", st)
	}
	again, _ := openMemory(t, m.crash(rand.New(rand.NewPCG(1, 1))))
	if n := missing(t, again, callers+2); n > 0 {
		t.Errorf("%d missing", n)
	}
}

func TestSnapshotsKeepTheDirectorySmall(t *testing.T) {
	t.Parallel()
	m := newMemory()
	j, _ := openMemory(t, m)
	for round := range 6 {
		add(t, j, 10*round, 10*round+10)
		snapshot(t, j)
		snapshot(t, j) // Nothing new: nothing done.
	}
	want := []string{logName(6), snapshotName(6), snapshotName(7), secretName}
	if got := m.names(); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	st := j.Stats()
	if st.Snapshots != 6 || st.SinceSnapshot != 0 || st.LogBytes != headerBytes+10*recordBytes ||
		st.SnapshotBytes != headerBytes+61*recordBytes || !st.LastSnapshot.Equal(testNow) {
		t.Errorf("stats = %+v", st)
	}
	again, report := openMemory(t, m)
	if n := missing(t, again, 60); n > 0 || !report.Clean() || report.Snapshot != 7 || report.Segments != 0 {
		t.Errorf("%d missing, report %+v", n, report)
	}
}

func TestPastEntriesAreNotInTheSnapshot(t *testing.T) {
	t.Parallel()
	m := newMemory()
	j, _ := openMemory(t, m)
	add(t, j, 0, 50)
	j.Store().Advance(testNow.Add(time.Hour))
	snapshot(t, j)
	if got := j.Stats().SnapshotBytes; got != headerBytes+recordBytes {
		t.Errorf("%d bytes", got)
	}
}

func TestLogHasALimit(t *testing.T) {
	t.Parallel()
	m := newMemory()
	j, _ := openMemory(t, m)
	var err error // Whoever never lets Run write a snapshot meets the limit.
	n := 0
	for ; err == nil && n < 10_000; n++ {
		err = j.Add(jti(n))
	}
	wantError(t, err, ErrLogFull)
	st := j.Stats()
	if st.SinceSnapshot > st.LogLimit || st.LogLimit != logFactor*MinLogBytes {
		t.Errorf("stats = %+v", st)
	}
	snapshot(t, j)
	if err := j.Add(jti(n)); err != nil {
		t.Errorf("after the snapshot: %v", err)
	}
}

func TestRunWritesSnapshotsWhenTheyAreDueAndTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		cfg := testConfig()
		cfg.Now = nil
		j, _, err := open(cfg, m)
		if err != nil {
			t.Fatal(err)
		}
		full := true
		m.fault = func(_ int, kind, name string) error {
			if full && filepath.Ext(name) == unfinished && kind == "write" {
				return syscall.ENOSPC
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done, failures := make(chan error), 0
		go func() {
			done <- j.Run(ctx, func(err error) {
				failures++
				wantError(t, err, ErrSnapshot)
				wantError(t, err, syscall.ENOSPC)
			})
		}()
		entries := make([]revocation.Entry, MinLogBytes/recordBytes)
		for i := range entries {
			entries[i] = jti(i)
			entries[i].Until = time.Now().Add(time.Hour)
		}
		if err := j.Add(entries...); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if st := j.Stats(); failures != 1 || st.SnapshotFailures != 1 || st.Snapshots != 0 {
			t.Errorf("%d failures, stats %+v", failures, st)
		}
		m.mu.Lock()
		full = false
		m.mu.Unlock()
		time.Sleep(retryAfter + time.Second)
		if st := j.Stats(); failures != 1 || st.Snapshots != 1 || st.SinceSnapshot != 0 {
			t.Errorf("%d failures, stats %+v", failures, st)
		}
		cancel()
		wantError(t, <-done, context.Canceled)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLeftoversAreRemovedAndStrangersLeftAlone(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.put(snapshotName(9)+unfinished, []byte("half a snapsho"))
	m.put("lost+found", nil)
	m.put("7.log", []byte("not ours"))
	openMemory(t, m)
	if got, want := m.names(), []string{"7.log", "lost+found", secretName}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}
