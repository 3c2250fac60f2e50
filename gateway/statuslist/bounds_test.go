//go:build !race

package statuslist

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

// A bomb is refused a window after its bound, with no memory set aside for it.
func TestADecompressionBombIsRefusedAtItsBound(t *testing.T) {
	const bound = 1 << 20
	bomb := packed(pack(t, make([]byte, 256*bound)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read, _, err := bomb.measure(bound, nil)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrUnpackedSize) {
		t.Fatal(err)
	}
	if read <= bound || read > bound+window {
		t.Errorf("%d bytes read of a bomb with a bound of %d", read, bound)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<10 {
		t.Errorf("%d bytes allocated for a bomb of %d bytes", taken, len(bomb))
	}
}

// A list of 10 million tokens takes the memory that its bits take, and not twice of it.
func TestAListOfTenMillionTokensIsHeld(t *testing.T) {
	const tokens = 10_000_000
	revoked := func(i uint64) bool { return i*0x9E3779B97F4A7C15>>58 == 0 } // one in 64, here and there
	s := newSigner(t, "k")
	for _, bits := range []int{1, 2, 4, 8} {
		data := make([]byte, tokens*bits/8)
		for i := range uint64(tokens) {
			if revoked(i) {
				data[i*uint64(bits)/8] |= 1 << (i * uint64(bits) % 8)
			}
		}
		lst := pack(t, data)
		var server *httptest.Server
		server = host(t, func(w http.ResponseWriter, r *http.Request) {
			send(w, s.sign(t, nil, object{
				"sub": server.URL + r.RequestURI, "iat": time.Now().Unix(), "status_list": object{"bits": bits, "lst": lst},
			}))
		})
		l := hosted(t, server, ring(s), func(c *Config) { c.MaxBytes, c.MaxListBytes = 4<<20, 16<<20 })
		uri := server.URL + "/lists/1"
		if got := l.check(t, uri, tokens); got != OutOfRange {
			t.Fatalf("%d bits: %s, %+v", bits, got, l.Stats())
		}
		now := time.Now()
		for i := range uint64(tokens) {
			if got := l.Peek(uri, i, now); (got == Invalid) != revoked(i) || got != Invalid && got != Valid {
				t.Fatalf("%d bits: status[%d] is %s", bits, i, got)
			}
		}
		if stats := l.Stats(); stats.Bytes != footprint(int64(len(data))) {
			t.Errorf("%d bits: %d bytes", bits, stats.Bytes)
		}
		l.Close()
	}
}

// What a provider sends is bounded, whatever it sends: neither the bomb nor the flood is taken into memory.
func TestAHostileProviderDoesNotTakeMemory(t *testing.T) {
	s := newSigner(t, "k")
	bomb := pack(t, make([]byte, 128<<20))
	var server *httptest.Server
	server = host(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lists/bomb" {
			send(w, s.sign(t, nil, object{
				"sub": server.URL + r.RequestURI, "iat": time.Now().Unix(), "status_list": object{"bits": 1, "lst": bomb},
			}))
			return
		}
		send(w, bytes.Repeat([]byte("ey"), 32<<20))
	})
	const bound = 1 << 20
	l := hosted(t, server, ring(s), func(c *Config) { c.MaxBytes, c.MaxListBytes = bound, bound })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, name := range []string{"bomb", "flood"} {
		if got := l.check(t, server.URL+"/lists/"+name, 0); got != Unknown {
			t.Error(got)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if stats := l.Stats(); stats.Fetches["unpacked_too_large"] == 0 || stats.Fetches["too_large"] == 0 || stats.Bytes != 0 {
		t.Errorf("%+v", stats)
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 4*bound {
		t.Errorf("%d bytes kept", kept)
	}
}
