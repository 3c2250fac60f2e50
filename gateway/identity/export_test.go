package identity

import (
	"net/http"
	"time"
)

// Remembered returns how many keys are remembered as absent.
func (u *UnknownKeys) Remembered() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.absent)
}

// MaxRemembered is the bound of Remembered.
const MaxRemembered = maxRemembered

// Parse is Load of a file that holds data.
func (s *Store) Parse(data []byte, now time.Time) (Restored, error) { return s.parse(data, now) }

// Freshness is freshness.
func Freshness(h http.Header, now time.Time) (time.Duration, bool) { return freshness(h, now) }
