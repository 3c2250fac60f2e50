package journal

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	epoch  = 1_780_000_000
	issuer = "https://sso.example.vn/realms/citizen"
)

var testNow = time.Unix(epoch, 0)

func testConfig() Config {
	return Config{
		LogBytes: MinLogBytes, Now: func() time.Time { return testNow },
		Store: revocation.Config{MaxEntries: 100_000},
	}
}

func openMemory(tb testing.TB, m *memory) (*Journal, Report) {
	tb.Helper()
	j, report, err := open(testConfig(), m)
	if err != nil {
		tb.Fatalf("open: %v (%+v)", err, report)
	}
	return j, report
}

func jti(i int) revocation.Entry {
	return revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, ID: fmt.Sprint("jti-", i), Until: testNow.Add(time.Hour)}
}

func add(tb testing.TB, j *Journal, from, to int) {
	tb.Helper()
	for i := from; i < to; i++ {
		if err := j.Add(jti(i)); err != nil {
			tb.Fatal(err)
		}
	}
}

func snapshot(tb testing.TB, j *Journal) {
	tb.Helper()
	if err := j.Snapshot(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func revoked(j *Journal, i int) bool {
	return j.Store().Revoked(&token.Claims{Issuer: issuer, TokenID: fmt.Sprint("jti-", i)}, nil)
}

// missing counts which of the entries are not in force, and fails if there are others besides.
func missing(tb testing.TB, j *Journal, n int) (m int) {
	tb.Helper()
	for i := range n {
		if !revoked(j, i) {
			m++
		}
	}
	if got := j.Store().Len(); got != n-m {
		tb.Fatalf("%d entries, of which %d are known: some were invented", got, n-m)
	}
	return m
}

func wantError(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("error = %v, want %v", err, want)
	}
}

func logName(n uint64) string { return identity{kind: logFile, number: n}.name() }

func snapshotName(n uint64) string { return identity{kind: snapshotFile, number: n}.name() }
