package statuslist

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// The fuzzer writes what a list says; signature and address are good. Whatever it says is refused with a known error or
// answers for every index.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{
		`{"bits":1,"lst":"eNrbuRgAAhcBXQ"}`, `{"bits":2,"lst":"eNo76fITAAPfAgc"}`, `{"lst":"","bits":8}`, `{"bits":8}`, `[]`,
		`{"bits":4,"lst":"eNrbuRgAAhcBXQ","aggregation_uri":"x"},"ttl":1e9,"exp":99999999999`,
	} {
		f.Add(seed, uint64(0))
	}
	s := newSigner(f, "k")
	now := time.Now()
	cfg := goodConfig(f, &provider{answer: blocked}, ring(s))
	cfg.MaxListBytes = 64 << 10
	l := open(f, cfg)
	f.Fuzz(func(t *testing.T, list string, index uint64) {
		claims := `{"sub":"` + listURI + `","iat":` + strconv.FormatInt(now.Unix(), 10) + `,"status_list":` + list + `}`
		li := newList(listURI, false, now)
		if _, err := l.take(li, s.signText(t, nil, claims)); err != nil {
			for _, known := range []error{
				ErrFormat, ErrSubject, ErrUnpackedSize, token.ErrMalformed, token.ErrClaimInvalid, token.ErrClaimMissing,
				token.ErrExpired, token.ErrNotYetValid, token.ErrIssuedInFuture, token.ErrIssuer, token.ErrAudience, token.ErrTooLarge,
			} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatal(err)
		}
		e := li.current.Load()
		entries := uint64(len(e.data)) * 8 / uint64(e.bits)
		if value, ok := entry(e.data, e.bits, index); ok != (index < entries) || value > 1<<e.bits-1 {
			t.Fatalf("entry %d of %d: %d, %v", index, entries, value, ok)
		}
		l.cfg.Memory.release(int64(len(e.data)))
		if used := l.cfg.Memory.Used(); used != 0 {
			t.Fatalf("%d bytes of memory", used)
		}
	})
}
