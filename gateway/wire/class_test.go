package wire

import (
	"math/rand/v2"
	"testing"
)

func TestValueRunStopsAtTheFirstControlByte(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := make([]byte, random.IntN(100))
		for i := range b {
			b[i] = byte(random.IntN(256))
			if random.IntN(40) > 0 && class[b[i]]&inValue == 0 {
				b[i] |= 0x80 | 1
			}
		}
		want := 0
		for want < len(b) && (b[want] == '\t' || b[want] >= ' ' && b[want] != 0x7f) {
			want++
		}
		if got := valueRun(b); got != want {
			t.Fatalf("%q: %d, want %d", b, got, want)
		}
	}
}
