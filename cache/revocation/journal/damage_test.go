package journal

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// written is a directory with two snapshots and segments around them:
// 0-9 log 1, snapshot 2; 10-19 log 2, snapshot 3; 20-29 log 3. Log 1 is gone.
func written(tb testing.TB) *memory {
	tb.Helper()
	m := newMemory()
	j, _ := openMemory(tb, m)
	add(tb, j, 0, 5)
	snapshot(tb, j)
	add(tb, j, 5, 10)
	snapshot(tb, j)
	add(tb, j, 10, 20)
	snapshot(tb, j)
	add(tb, j, 20, 30)
	want := []string{logName(3), snapshotName(3), logName(4), snapshotName(4), secretName}
	if got := m.names(); !slices.Equal(got, want) {
		tb.Fatalf("files %v, want %v", got, want)
	}
	return m
}

const writtenEntries = 30

func TestLogCutShortAnywhereLosesItsTailOnly(t *testing.T) {
	t.Parallel()
	whole := written(t)
	data := whole.files[logName(4)].data
	for size := range len(data) + 1 {
		m := whole.clone()
		m.put(logName(4), bytes.Clone(data[:size]))
		j, report := openMemory(t, m)
		kept := max(0, size-headerBytes) / recordBytes
		if n := missing(t, j, writtenEntries); n != 10-kept {
			t.Fatalf("cut at %d: %d missing", size, n)
		}
		good := 0
		if size >= headerBytes {
			good = headerBytes + kept*recordBytes
		}
		switch {
		case size == good && !report.Clean():
			t.Fatalf("cut at %d: %+v", size, report)
		case size != good && (len(report.Cut) != 1 || report.Cut[0] != Cut{logName(4), int64(good), int64(size - good)}):
			t.Fatalf("cut at %d: %+v", size, report.Cut)
		}
		// It goes on from there, and the next start has nothing to complain of.
		if err := j.Add(jti(20), jti(21), jti(22), jti(23), jti(24), jti(25), jti(26), jti(27), jti(28), jti(29)); err != nil {
			t.Fatal(err)
		}
		j, report = openMemory(t, m)
		if n := missing(t, j, writtenEntries); n > 0 || !report.Clean() {
			t.Fatalf("cut at %d, then gone on: %d missing, %+v", size, n, report)
		}
	}
}

func TestFlippedBitInALogCostsOneRecordAtMost(t *testing.T) {
	t.Parallel()
	whole := written(t)
	for at := range whole.files[logName(4)].data {
		for bit := range 8 {
			m := whole.clone()
			m.files[logName(4)].data[at] ^= 1 << bit
			j, report := openMemory(t, m)
			n, want := missing(t, j, writtenEntries), 0
			if at >= headerBytes {
				want = 1
			}
			if n != want || report.Clean() {
				t.Fatalf("byte %d bit %d: %d missing, %+v", at, bit, n, report)
			}
		}
	}
}

func TestDamagedSnapshotFallsBackAndLosesNothing(t *testing.T) {
	t.Parallel()
	whole := written(t)
	size := len(whole.files[snapshotName(4)].data)
	check := func(what string, m *memory) {
		t.Helper()
		j, report := openMemory(t, m)
		if n := missing(t, j, writtenEntries); n > 0 || report.Snapshot != 3 || len(report.Damaged) != 1 || report.Damaged[0].File != snapshotName(4) {
			t.Fatalf("%s: %d missing, %+v", what, n, report)
		}
		// A new snapshot is due at once, and puts everything right.
		if !j.snapshotDue() {
			t.Fatalf("%s: no snapshot due", what)
		}
		snapshot(t, j)
		j, report = openMemory(t, m)
		if n := missing(t, j, writtenEntries); n > 0 || !report.Clean() {
			t.Fatalf("%s, then a snapshot: %d missing, %+v", what, n, report)
		}
	}
	for at := range size {
		m := whole.clone()
		f := m.files[snapshotName(4)]
		f.data[at] ^= 0x10
		check(fmt.Sprint("byte ", at), m)
		m = whole.clone()
		m.put(snapshotName(4), bytes.Clone(f.data[:at]))
		check(fmt.Sprint("cut at ", at), m)
	}
	m := whole.clone()
	f := m.files[snapshotName(4)]
	f.data = append(f.data, 0)
	check("one byte too many", m)
	m = whole.clone()
	f = m.files[snapshotName(4)]
	f.data = append(f.data, f.data[headerBytes:headerBytes+recordBytes]...)
	check("a record after the end", m)
	m = whole.clone()
	f = m.files[snapshotName(4)]
	f.data = slices.Delete(f.data, headerBytes, headerBytes+recordBytes)
	check("a record left out", m)
}

// With one snapshot, what there is to fall back on is the log from its beginning.
func TestDamagedFirstSnapshotLosesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory()
	j, _ := openMemory(t, m)
	add(t, j, 0, 10)
	snapshot(t, j)
	add(t, j, 10, 20)
	m.files[snapshotName(2)].data[headerBytes] ^= 1
	j, report := openMemory(t, m)
	if n := missing(t, j, 20); n > 0 || report.Snapshot != 0 || report.Segments != 2 {
		t.Errorf("%d missing, %+v", n, report)
	}
}

func TestLossIsToldAndAcceptedOnlyOnPurpose(t *testing.T) {
	t.Parallel()
	spoil := func(m *memory, name string) { m.files[name].data[headerBytes+3] ^= 1 }
	for name, tt := range map[string]struct {
		damage func(*memory)
		left   int // How many entries there are still, at least.
	}{
		"both snapshots damaged":                {func(m *memory) { spoil(m, snapshotName(3)); spoil(m, snapshotName(4)) }, 29},
		"segment missing after the older":       {func(m *memory) { spoil(m, snapshotName(4)); delete(m.files, logName(3)) }, 29},
		"both segments missing, newest damaged": {func(m *memory) { spoil(m, snapshotName(4)); delete(m.files, logName(3)); delete(m.files, logName(4)) }, 19},
		"snapshots missing":                     {func(m *memory) { delete(m.files, snapshotName(3)); delete(m.files, snapshotName(4)) }, 20},
		"a segment missing between two": {func(m *memory) {
			m.files[logName(6)] = m.files[logName(4)]
			delete(m.files, logName(6))
			m.put(logName(9), nil)
		}, 30},
		"everything damaged and the log missing": {func(m *memory) {
			spoil(m, snapshotName(3))
			spoil(m, snapshotName(4))
			delete(m.files, logName(3))
			delete(m.files, logName(4))
		}, 19},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := written(t)
			tt.damage(m)
			_, report, err := open(testConfig(), m)
			wantError(t, err, ErrLost)
			if !report.Lost || report.Clean() {
				t.Errorf("report = %+v", report)
			}
			cfg := testConfig()
			cfg.AcceptLoss = true
			j, report, err := open(cfg, m)
			if err != nil || !report.Lost {
				t.Fatalf("%v, %+v", err, report)
			}
			if n := missing(t, j, writtenEntries); n > writtenEntries-tt.left {
				t.Errorf("%d missing, want %d at most", n, writtenEntries-tt.left)
			}
			add(t, j, 0, writtenEntries)
			snapshot(t, j)
			j, report = openMemory(t, m)
			if n := missing(t, j, writtenEntries); n > 0 || !report.Clean() {
				t.Errorf("after a new snapshot: %d missing, %+v", n, report)
			}
		})
	}
}

func TestSecretIsNeverReplacedBesideWhatWasWrittenUnderIt(t *testing.T) {
	t.Parallel()
	whole := written(t)
	for at := range whole.files[secretName].data {
		m := whole.clone()
		m.files[secretName].data[at] ^= 1
		_, _, err := open(testConfig(), m)
		wantError(t, err, ErrSecret)
	}
	for name, damage := range map[string]func(*memory){
		"missing": func(m *memory) { delete(m.files, secretName) },
		"empty":   func(m *memory) { m.files[secretName].data = nil },
		"longer":  func(m *memory) { m.files[secretName].data = append(m.files[secretName].data, 0) },
		"another": func(m *memory) { m.files[secretName] = written(t).files[secretName] },
	} {
		m := whole.clone()
		damage(m)
		before := m.names()
		if _, _, err := open(testConfig(), m); err == nil {
			t.Errorf("%s: opened", name)
		} else {
			wantError(t, err, ErrSecret)
		}
		if !slices.Equal(before, m.names()) {
			t.Errorf("%s: files changed", name)
		}
	}
}

func TestFileOfALaterVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	m := written(t)
	f := m.files[logName(4)]
	f.data[8]++
	_, _, err := open(testConfig(), m)
	if err != nil {
		t.Fatalf("without a sum that fits it is damage: %v", err)
	}
	m = written(t)
	f = m.files[logName(4)]
	later := laterHeader(f.data[:headerBytes])
	copy(f.data, later)
	before := bytes.Clone(f.data)
	_, _, err = open(testConfig(), m)
	wantError(t, err, ErrVersion)
	if !bytes.Equal(before, m.files[logName(4)].data) {
		t.Error("the file was changed")
	}
}
