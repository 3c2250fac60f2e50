package peers

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestTokenThatExpiredBeforeItWasJudgedIsSignedAnewForLonger has a proxy that does the job, and a machine that takes its time.
func TestTokenThatExpiredBeforeItWasJudgedIsSignedAnewForLonger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slow    time.Duration
		refuses bool
		asked   int
		passed  bool
	}{
		"at once":                         {0, false, 1, true},
		"slower than the shortest life":   {3 * time.Second, false, 4, true},
		"who refuses it while it is good": {0, true, 1, false},
		"slower than can be waited for":   {time.Minute, false, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				token, expires, status, reached, err := shortLived(
					func(expires time.Time) (string, error) { return expires.Format(time.RFC3339), nil },
					func(token string) (int, bool, error) {
						asked++
						time.Sleep(c.slow)
						expires, err := time.Parse(time.RFC3339, token)
						if err != nil || c.refuses || !time.Now().Before(expires) {
							return http.StatusUnauthorized, false, err
						}
						return http.StatusOK, true, nil
					})
				if err != nil || asked != c.asked || accepted.judge(status, reached) != c.passed || token != expires.Format(time.RFC3339) {
					t.Errorf("asked %d times: status %d, reached %v, %v", asked, status, reached, err)
				}
			})
		})
	}
	broken := errors.New("broken")
	if _, _, _, _, err := shortLived(func(time.Time) (string, error) { return "", broken }, nil); !errors.Is(err, broken) {
		t.Error(err)
	}
	asked := 0
	_, _, _, _, err := shortLived(func(time.Time) (string, error) { return "", nil }, func(string) (int, bool, error) { asked++; return 0, false, broken })
	if !errors.Is(err, broken) || asked != 1 {
		t.Errorf("%v after asking %d times", err, asked)
	}
}
